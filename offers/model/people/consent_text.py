"""Keep the very text that a shopper was shown when he agreed.

Layer: nouns. Takes: a document of the retailer. Gives: `ConsentText` to storage and change_consent.
A version is a promise: its text never changes. Another text is another version.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import check_text
from offers.model.people.shopper import Locale

CHARACTERS_MAX: Final = 20_000


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
