"""Link a tag to a shopper for a while: the only bridge from a radio to a person.

Layer: nouns. Takes: a tag, a shopper, the consent that allows the link. Gives: `Pairing` to
handlers. A pairing ends by time, by wish, or with the consent it stands on.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import ConsentId, PairingId, ShopperId, check_random_id
from rtls.model.units import TagId, UnixMs

TAG_CHARACTERS_MAX: Final = 128
PAIRING_MS_MAX: Final = 24 * 3_600_000  # a day in the shop; a tag on a trolley changes hands


class PairingEnd(StrEnum):
    """Why a pairing ended."""

    UNPAIRED = "unpaired"
    RENEWED = "renewed"
    EXPIRED = "expired"
    CONSENT_WITHDRAWN = "consent_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A tag carried by a shopper, from `paired_at_ms` until `expires_at_ms` at the latest."""

    pairing: PairingId
    tag: TagId
    shopper: ShopperId
    consent: ConsentId
    """the grant of `locate` that allows it"""
    paired_at_ms: UnixMs
    expires_at_ms: UnixMs
    ended_at_ms: UnixMs | None = None
    end: PairingEnd | None = None

    def __post_init__(self) -> None:
        check_random_id("pairing", self.pairing, error=InvalidShopper)
        check_tag(self.tag)
        lasts_ms = self.expires_at_ms - self.paired_at_ms
        if not 0 < lasts_ms <= PAIRING_MS_MAX:
            raise InvalidShopper(
                f"the pairing lasts {lasts_ms} ms; expected 1 to {PAIRING_MS_MAX}. Pair again "
                "instead of pairing for longer."
            )
        if (self.ended_at_ms is None) != (self.end is None):
            raise InvalidShopper(
                f"ended_at_ms is {self.ended_at_ms} and end {self.end}; expected both or none."
            )

    def is_active(self, now_ms: UnixMs) -> bool:
        """Say whether the tag stands for the shopper at ``now_ms``."""
        return self.ended_at_ms is None and now_ms < self.expires_at_ms


def check_tag(tag: str) -> None:
    """Refuse a tag id that no gateway can report.

    Raises
    ------
    InvalidShopper
        If ``tag`` is empty, too long or not printable ASCII without blanks.
    """
    is_sound = tag.isascii() and tag.isprintable() and " " not in tag
    if not 1 <= len(tag) <= TAG_CHARACTERS_MAX or not is_sound:
        raise InvalidShopper(
            f"tag is {tag[:60]!r}; expected 1 to {TAG_CHARACTERS_MAX} printable ASCII characters "
            "without blanks, as the gateway reports the tag."
        )
