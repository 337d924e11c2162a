"""Say for what a shopper earns points or cashback.

Layer: nouns. Takes: what a programme grants. Gives: `EarningRule` to `offers.loyalty.earning`, and
`PurchaseEarning`, what came of a purchase line by line, to the handlers.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.campaigns.basket_scope import EVERY_LINE, Scope
from offers.model.conditions.fact import DAY_MS
from offers.model.errors import InvalidProgramme
from offers.model.ids import check_name
from offers.model.loyalty.ledger import LASTS_MS_MAX, LedgerUnit, PostingReason, check_unit
from offers.model.money import CURRENCIES
from rtls.model.units import UnixMs

RATE_MAX: Final = 1_000_000
PERCENT_MAX: Final = 10_000
ACTIVITIES: Final = frozenset(
    {
        PostingReason.WELCOME,
        PostingReason.BIRTHDAY,
        PostingReason.ANNIVERSARY,
        PostingReason.REFERRAL,
        PostingReason.SURVEY,
        PostingReason.PROFILE,
        PostingReason.SCAN,
        PostingReason.VISIT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningTerms:
    """From when and until when what is earned in a unit can be spent, and what it pays."""

    unit: LedgerUnit
    pending_days: int = 0
    lasts_days: int = 730
    worth_minor_per_100: int = 0
    """what 100 of the unit pay at the till, in minor units of money: 100 points for one euro are
    100; 0: they buy rewards only. A cashback pays what it is, in its own currency."""

    def __post_init__(self) -> None:
        check_unit(self.unit)
        _check_whole("pending_days", self.pending_days, least=0, most=366)
        _check_whole("lasts_days", self.lasts_days, least=1, most=LASTS_MS_MAX // DAY_MS)
        _check_whole("worth_minor_per_100", self.worth_minor_per_100, least=0, most=RATE_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerAmount:
    """So much for each so much that the lines in scope cost after all discounts.

    A point for each euro is 1 for each 100 cents; a cashback of 2.5 % is 25 cents for each 1,000.
    """

    amount_minor: int
    per_minor: int
    currency: str
    applies_to: Scope = EVERY_LINE

    def __post_init__(self) -> None:
        _check_whole("amount_minor", self.amount_minor, least=1, most=RATE_MAX)
        _check_whole("per_minor", self.per_minor, least=1, most=RATE_MAX)
        _check_currency(self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerItem:
    """So much for each piece of an item or category."""

    amount_minor: int
    applies_to: Scope

    def __post_init__(self) -> None:
        _check_whole("amount_minor", self.amount_minor, least=1, most=RATE_MAX)
        if self.applies_to == EVERY_LINE:
            raise InvalidProgramme(
                "applies_to is empty; expected items or categories. A bag of a hundred screws "
                "would earn a hundred times."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdBonus:
    """So much once, where the lines in scope cost at least the threshold after all discounts."""

    amount_minor: int
    threshold_minor: int
    currency: str
    applies_to: Scope = EVERY_LINE

    def __post_init__(self) -> None:
        _check_whole("amount_minor", self.amount_minor, least=1, most=RATE_MAX)
        _check_whole("threshold_minor", self.threshold_minor, least=1, most=10**9)
        _check_currency(self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """What lines in scope earn by amount and by item, times a percentage: 200 doubles it.

    Of several that cover a line the largest counts; they do not multiply each other.
    """

    percent: int
    applies_to: Scope = EVERY_LINE

    def __post_init__(self) -> None:
        _check_whole("percent", self.percent, least=101, most=PERCENT_MAX)


class HowOften(StrEnum):
    """How often an activity earns."""

    ONCE = "once"
    DAILY = "daily"
    """once on a day of the site"""
    EACH = "each"
    """once for each subject: each survey, each friend"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForActivity:
    """So much for something that is no purchase."""

    amount_minor: int
    activity: PostingReason
    how_often: HowOften

    def __post_init__(self) -> None:
        _check_whole("amount_minor", self.amount_minor, least=1, most=RATE_MAX)
        if self.activity not in ACTIVITIES:
            raise InvalidProgramme(
                f"activity is {self.activity!r}; expected of {sorted(ACTIVITIES)}."
            )


Earns = PerAmount | PerItem | ThresholdBonus | Multiplier | ForActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRule:
    """One way to earn in one unit, for ever or for a time."""

    rule: str
    unit: LedgerUnit
    earns: Earns
    from_ms: UnixMs | None = None
    until_ms: UnixMs | None = None

    def __post_init__(self) -> None:
        check_name("rule", self.rule, error=InvalidProgramme)
        check_unit(self.unit)
        if self.from_ms is not None and self.until_ms is not None and self.until_ms <= self.from_ms:
            raise InvalidProgramme(
                f"rule {self.rule}: from {self.from_ms} until {self.until_ms}; expected a start "
                "before its end."
            )

    def is_valid(self, now_ms: UnixMs) -> bool:
        """Say whether it counts now: from its start until just before its end."""
        is_begun = self.from_ms is None or self.from_ms <= now_ms
        return is_begun and (self.until_ms is None or now_ms < self.until_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseEarning:
    """What a purchase earns in one unit, line by line: the lines sum to the whole."""

    unit: LedgerUnit
    lines_minor: tuple[int, ...]
    """one entry for each line of the basket, in its order"""

    def __post_init__(self) -> None:
        assert all(share >= 0 for share in self.lines_minor)

    @property
    def total_minor(self) -> int:
        """Return what the whole purchase earns."""
        return sum(self.lines_minor)


def _check_whole(field: str, number: int, *, least: int, most: int) -> None:
    if type(number) is not int or not least <= number <= most:
        raise InvalidProgramme(
            f"{field} is {number!r}; expected a whole number from {least} to {most}."
        )


def _check_currency(currency: str) -> None:
    if currency not in CURRENCIES:
        raise InvalidProgramme(
            f"currency is {currency!r}; expected an ISO 4217 code in capitals, e.g. 'EUR'."
        )
