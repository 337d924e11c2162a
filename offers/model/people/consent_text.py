"""Keep the very text that a shopper was shown when he agreed.

Layer: nouns. Takes: a document of the retailer. Gives: `ConsentText` to storage and change_consent.
A version is a promise: its text never changes. Another text is another version.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import check_text
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale

CHARACTERS_MAX: Final = 20_000
# "**Place (`locate`).** Your phone …": what stands behind belongs to the switch of that purpose.
_OF_PURPOSE: Final = re.compile(
    r"\A\*\*(?P<title>[^*`(]+?) *\(`(?P<purpose>[a-z]+)`\)\.?\*\* *(?P<text>.+)\Z"
)
_PURPOSES: Final = frozenset(purpose.value for purpose in Purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentParagraph:
    """A paragraph of a text, without the marks of Markdown."""

    text: str
    title: str | None = None
    """what the purpose is called; None where the paragraph is about all of them"""
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentText:
    """What was shown under one version, in one language."""

    version: str
    locale: Locale
    text: str

    def __post_init__(self) -> None:
        check_text("version", self.version, error=InvalidShopper)
        if not 1 <= len(self.text) <= CHARACTERS_MAX:
            raise InvalidShopper(
                f"the text of version {self.version} has {len(self.text)} characters; expected 1 "
                f"to {CHARACTERS_MAX}."
            )

    @property
    def sha256(self) -> str:
        """Return the hash that each consent to this text carries."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def heading(self) -> str | None:
        """Return the first line where it is a heading."""
        first, _, _ = self.text.lstrip().partition("\n")
        return first[2:].strip() if first.startswith("# ") else None

    @property
    def paragraphs(self) -> tuple[ConsentParagraph, ...]:
        r"""Return the text beside its switches; all of it is there, whatever its form.

        Examples
        --------
        >>> text = "# To what?\n\n**Place (`locate`).** Where you\nstand."
        >>> given = ConsentText(version="1", locale=Locale.EN, text=text)
        >>> [(one.title, one.purpose.value, one.text) for one in given.paragraphs]
        [('Place', 'locate', 'Where you stand.')]
        """
        body = self.text.lstrip()
        if self.heading is not None:
            _, _, body = body.partition("\n")
        blocks = (" ".join(block.split()) for block in re.split(r"\n\s*\n", body))
        return tuple(_paragraph(block) for block in blocks if block)


def _paragraph(block: str) -> ConsentParagraph:
    found = _OF_PURPOSE.match(block)
    if found is None or found["purpose"] not in _PURPOSES:
        return ConsentParagraph(text=block)
    return ConsentParagraph(
        text=found["text"], title=found["title"].strip(), purpose=Purpose(found["purpose"])
    )
