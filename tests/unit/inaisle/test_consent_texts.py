"""Texts of consents: what was shown is kept, word for word, for as long as anybody may ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inaisle.config_files import consent_text_files
from inaisle.database.consent_texts import keep_consent_texts, read_consent_text
from inaisle.demo.demo_crowd import CONSENT_TEXT
from inaisle.errors import InvalidSettings
from offers.model.people.shopper import Locale
from offers.storage.writer import Writer
from tests.ready_database import lay_down_ready_database


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    lay_down_ready_database(tmp_path / "offers.sqlite")
    writer = Writer(tmp_path / "offers.sqlite")
    yield writer
    writer.close()


def test_the_shipped_texts_are_there_in_both_languages_and_the_demo_shows_them() -> None:
    """A newcomer's first consent refers to a text that exists."""
    shipped = [read_consent_text(path) for path in consent_text_files()]
    assert {text.locale for text in shipped if text.version == CONSENT_TEXT} == set(Locale)


def test_keeping_twice_is_as_good_as_once_and_a_changed_text_is_refused(
    tmp_path: Path, writer: Writer
) -> None:
    """Otherwise nobody could say any more what last year's shoppers agreed to."""
    path = tmp_path / "2027-01.en.md"
    path.write_text("You may locate me.")
    keep_consent_texts([path], writer=writer)
    keep_consent_texts([path], writer=writer)
    path.write_text("You may sell me.")
    with pytest.raises(InvalidSettings, match="a new version"):
        keep_consent_texts([path], writer=writer)
    (kept,) = writer.run(lambda work: work.consents.texts_of("2027-01"))
    assert kept.text == "You may locate me."


@pytest.mark.parametrize("name", ["2027.fr.md", ".de.md", "2027-01.de.md"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, name: str) -> None:
    """A language that we cannot speak, no version, no text."""
    path = tmp_path / name
    path.write_text("" if name.startswith("2027-01") else "text")
    with pytest.raises(InvalidSettings, match=name):
        read_consent_text(path)
