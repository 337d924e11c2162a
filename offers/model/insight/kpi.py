"""Name the key figures of a site, each with its formula and its source.

Layer: nouns. Takes: what offers.insight counted. Gives: `Kpi` and `DEFINITIONS` to the API, the
review and the drift rules. Merchandisers argue about definitions, so a figure never goes out
without its own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from offers.model.campaigns.audience import SHOPPERS_MIN, AudienceSize
from offers.model.experiments.estimate import Interval
from rtls.model.errors import InvalidReport

DIGITS: Final = 3
"""of a figure that is no share: enough to act upon, too few to take two windows apart"""


class KpiUnit(StrEnum):
    """What a figure counts in."""

    SHARE = "share"
    """0 to 1"""
    MINOR = "minor"
    """minor units of the report's currency"""
    EACH = "each"
    """so many of one thing for each of another"""


class KpiName(StrEnum):
    """The key figures."""

    RETENTION = "retention"
    REPEAT_RATE = "repeat_rate"
    PURCHASE_FREQUENCY = "purchase_frequency"
    MEAN_BASKET = "mean_basket"
    LIFETIME_VALUE = "lifetime_value"
    REDEMPTION_RATE = "redemption_rate"
    MEMBERS_SHARE = "members_share"
    OTHERS_MEAN_BASKET = "others_mean_basket"
    BASKET_DIFFERENCE = "basket_difference"
    COST_PER_INCREMENTAL_EURO = "cost_per_incremental_euro"


class Withheld(StrEnum):
    """Why there is no number."""

    FEW_SHOPPERS = "few_shoppers"
    """fewer than ten stand behind it"""
    COMPLEMENT = "complement"
    """with it, a group of fewer than ten could be had by subtraction"""
    NOTHING_HAPPENED = "nothing_happened"
    """nobody bought, or nothing was offered: there is nothing to divide by"""
    SHORT_HISTORY = "short_history"
    """too little is known yet for the model: docs/kpis.md says how much it needs"""
    NO_TILL_TOTALS = "no_till_totals"
    """receipts without a card are not kept here, and the totals of a day are missing"""
    NO_EXPERIMENT = "no_experiment"
    """without a control group nobody knows what would have been bought anyway"""
    SPLIT_IS_OFF = "split_is_off"
    """shoppers were lost from an arm: find out where, and believe no number until then"""
    NO_CLEAR_LIFT = "no_clear_lift"
    """the interval of the lift reaches zero or below, so that the cost has no bound"""
    NO_FOOTFALL = "no_footfall"
    """who came by is not known here: the history is off, away, or tells nothing of the window"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a figure is."""

    title: str
    unit: KpiUnit
    formula: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One key figure of one group of shoppers over a window, as far as it may be told."""

    name: KpiName
    value: float | None
    shoppers: int | None = None
    """who stands behind it, to the nearest five; None where it is not about single shoppers"""
    interval: Interval | None = None
    withheld: Withheld | None = None

    def __post_init__(self) -> None:
        if (self.value is None) is (self.withheld is None):
            raise InvalidReport(
                f"{self.name} is {self.value} and withheld for {self.withheld}; expected either a "
                "number or the reason why there is none."
            )
        if self.value is not None and not math.isfinite(self.value):
            raise InvalidReport(f"{self.name} is {self.value}; expected a finite number.")
        if self.shoppers is not None:
            AudienceSize(shoppers=self.shoppers)

    @property
    def definition(self) -> Definition:
        """The formula and the source."""
        return DEFINITIONS[self.name]


def told(
    name: KpiName, value: float, *, shoppers: int | None, interval: Interval | None = None
) -> Kpi:
    """Return a figure as it may be told: rounded, and not of fewer than ten.

    Parameters
    ----------
    shoppers
        How many stand behind it; None where no single shopper does.
    interval
        In which the figure lies, at its level of confidence.

    Examples
    --------
    >>> told(KpiName.REPEAT_RATE, 0.41666, shoppers=12).value
    0.417
    >>> told(KpiName.REPEAT_RATE, 0.5, shoppers=8).withheld
    <Withheld.FEW_SHOPPERS: 'few_shoppers'>
    """
    if shoppers is not None and shoppers < SHOPPERS_MIN:
        return missing(name, Withheld.FEW_SHOPPERS)
    unit = DEFINITIONS[name].unit
    return Kpi(
        name=name,
        value=rounded(value, unit),
        shoppers=None if shoppers is None else AudienceSize.of(shoppers).shoppers,
        interval=None if interval is None else _rounded_interval(interval, unit),
    )


def missing(name: KpiName, why: Withheld) -> Kpi:
    """Return a figure that cannot be told."""
    return Kpi(name=name, value=None, withheld=why)


def rounded(value: float, unit: KpiUnit) -> float:
    """Return a number with as many digits as are told.

    Examples
    --------
    >>> rounded(0.12345, KpiUnit.SHARE), rounded(1234.5, KpiUnit.MINOR)
    (0.123, 1230.0)
    """
    if unit is KpiUnit.SHARE or value == 0.0 or not math.isfinite(value):
        return round(value, DIGITS)
    return round(value, DIGITS - 1 - math.floor(math.log10(abs(value))))


def _rounded_interval(interval: Interval, unit: KpiUnit) -> Interval:
    return Interval(
        low=rounded(interval.low, unit), high=rounded(interval.high, unit), level=interval.level
    )


_RECEIPTS: Final = "receipts with a card or coupon, less discounts and what was brought back"
_MEMBERS: Final = "receipts with the card of a shopper who granted analytics"
_TOTALS: Final = "daily totals of the tills (PUT /v1/operator/till-totals)"
DEFINITIONS: Final[Mapping[KpiName, Definition]] = MappingProxyType(
    {
        KpiName.RETENTION: Definition(
            title="Retention",
            unit=KpiUnit.SHARE,
            formula="members who bought in the window before and in this one / members who bought "
            "in the window before, which is as long",
            source=_MEMBERS,
        ),
        KpiName.REPEAT_RATE: Definition(
            title="Repeat rate",
            unit=KpiUnit.SHARE,
            formula="members who bought on two days or more / members who bought",
            source=_MEMBERS,
        ),
        KpiName.PURCHASE_FREQUENCY: Definition(
            title="Purchases a member",
            unit=KpiUnit.EACH,
            formula="receipts of members / members who bought",
            source=_MEMBERS,
        ),
        KpiName.MEAN_BASKET: Definition(
            title="Mean basket of members",
            unit=KpiUnit.MINOR,
            formula="sum of receipts with a card or coupon / their number; what was wholly brought "
            "back is none",
            source=_RECEIPTS,
        ),
        KpiName.LIFETIME_VALUE: Definition(
            title="Value of a member, next 52 weeks",
            unit=KpiUnit.MINOR,
            formula="mean over members of E[days with a purchase in 52 weeks] x E[spend a day]; "
            "BG/NBD (Fader, Hardie & Lee 2005) and Gamma-Gamma (Fader & Hardie 2013), sales, not "
            "discounted; the error on weeks kept apart stands beside it",
            source=f"{_MEMBERS}, of the last 104 weeks",
        ),
        KpiName.REDEMPTION_RATE: Definition(
            title="Redemption rate",
            unit=KpiUnit.SHARE,
            formula="coupons issued in the window, redeemed by its end and not taken back / "
            "coupons issued in the window",
            source="offers, coupons and redemptions of shoppers who granted analytics",
        ),
        KpiName.MEMBERS_SHARE: Definition(
            title="Members' share of sales",
            unit=KpiUnit.SHARE,
            formula="sum of receipts with a card or coupon / totals of the tills",
            source=f"{_RECEIPTS}; {_TOTALS}",
        ),
        KpiName.OTHERS_MEAN_BASKET: Definition(
            title="Mean basket of others",
            unit=KpiUnit.MINOR,
            formula="(totals of the tills - receipts with a card or coupon) / the difference of "
            "their numbers",
            source=f"{_RECEIPTS}; {_TOTALS}",
        ),
        KpiName.BASKET_DIFFERENCE: Definition(
            title="Members above others, a basket",
            unit=KpiUnit.MINOR,
            formula="mean basket of members - mean basket of others; no effect of the card: who "
            "takes one is another sort of customer",
            source=f"{_RECEIPTS}; {_TOTALS}",
        ),
        KpiName.COST_PER_INCREMENTAL_EURO: Definition(
            title="Cost of an incremental euro",
            unit=KpiUnit.EACH,
            formula="further discounts of all whom campaigns address / their further sales, both "
            "against the global holdout and since it began; interval: cost / bounds of the "
            "sequential interval of the sales",
            source="receipts of shoppers who were assigned (settings.holdout in the programme)",
        ),
    }
)
