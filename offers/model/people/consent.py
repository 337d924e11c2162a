"""Keep what a shopper has agreed to, as a history that only grows.

Layer: nouns. Takes: grants and withdrawals. Gives: `Consent`, `ConsentState` to eligibility and
handlers. A withdrawal is a record too (GDPR Art. 7): nothing is edited, the newest record counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from offers.model.errors import InvalidShopper
from offers.model.ids import ConsentId, ShopperId, check_random_id, check_text
from offers.model.people.shopper import Locale
from rtls.model.units import UnixMs


class Purpose(StrEnum):
    """What a shopper's data may be used for. None is granted unless the shopper says so."""

    LOCATE = "locate"
    """follow the tag through the site"""
    PERSONALISE = "personalise"
    """choose offers by where the shopper is and what the shopper did"""
    NOTIFY = "notify"
    """bring messages while the app is closed"""
    ANALYTICS = "analytics"
    """count the shopper in reports"""


class ConsentChannel(StrEnum):
    """Where the shopper said so."""

    APP = "app"
    TILL = "till"
    STAFF = "staff"
    SYSTEM = "system"
    """a withdrawal that the law makes, e.g. for a child"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One grant or withdrawal: who, for what, when, and which text was shown."""

    consent: ConsentId
    shopper: ShopperId
    purpose: Purpose
    is_granted: bool
    at_ms: UnixMs
    text_version: str
    locale: Locale = Locale.DE
    channel: ConsentChannel = ConsentChannel.APP
    text_sha256: str | None = None
    """of the text that was shown; None where it is not kept here, e.g. at a withdrawal"""

    def __post_init__(self) -> None:
        check_random_id("consent", self.consent, error=InvalidShopper)
        check_text("text_version", self.text_version, error=InvalidShopper)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentState:
    """What counts now: the newest record of each purpose."""

    newest: tuple[Consent, ...] = ()

    def __post_init__(self) -> None:
        purposes = [consent.purpose for consent in self.newest]
        if len(set(purposes)) != len(purposes):
            raise InvalidShopper(
                f"newest holds {purposes}; expected one record a purpose. Use ConsentState.of."
            )

    @classmethod
    def of(cls, history: Iterable[Consent]) -> "ConsentState":
        """Return the state after ``history``, oldest record first."""
        return cls(newest=tuple({record.purpose: record for record in history}.values()))

    def newest_of(self, purpose: Purpose) -> Consent | None:
        """Return the newest record for ``purpose``, granted or withdrawn."""
        return next((record for record in self.newest if record.purpose is purpose), None)

    def granted(self, purpose: Purpose) -> Consent | None:
        """Return the record that allows ``purpose``, or None where nothing does."""
        record = self.newest_of(purpose)
        return record if record is not None and record.is_granted else None
