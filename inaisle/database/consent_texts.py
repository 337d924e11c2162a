"""Keep the texts of consents in the database, so that what was agreed to can be shown for years.

Layer: doors. Takes: files named ``<version>.<language>.md``. Gives: nothing; a text that was
changed under its old version is refused at the start.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from inaisle.errors import InvalidSettings
from offers.model.people.consent_text import ConsentText
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork, Writer


def keep_consent_texts(paths: Iterable[Path], *, writer: Writer) -> None:
    """Write each text, unless it is kept already.

    Raises
    ------
    InvalidSettings
        If another text is kept under the version of a file.
    """
    for path in paths:
        text = read_consent_text(path)
        if not writer.run(partial(_keep, text)):
            raise InvalidSettings(
                f"{path}: the text of version {text.version} has changed; expected the text that "
                "shoppers agreed to. Give the new text a new version, and leave this one."
            )


def read_consent_text(path: Path) -> ConsentText:
    """Read a file; its name says version and language.

    Raises
    ------
    InvalidSettings
        If the language is none of ours, or the file cannot be read.
    """
    version, _, language = path.name.removesuffix(".md").rpartition(".")
    try:
        return ConsentText(
            version=version, locale=Locale(language), text=path.read_text(encoding="utf-8")
        )
    except (OSError, ValueError) as error:
        raise InvalidSettings(
            f"{path}: cannot be used as the text of a consent ({error}); expected "
            "<version>.<de or en>.md."
        ) from error


def _keep(text: ConsentText, work: UnitOfWork) -> bool:
    return work.consents.keep_text(text)
