"""State the standing rule: what wakes it, which benefit it offers, how often, how much.

Layer: nouns. Takes: what a merchandiser writes (see campaign_json). Gives: `CampaignRevision` to
decisions, `Campaign` to storage. A revision never changes: an offer made under revision 3 is
honoured under revision 3, whatever came later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from offers.model.campaigns.benefit import AppBenefit, Benefit, Event
from offers.model.campaigns.benefit_money import money_max
from offers.model.campaigns.budget import REDEMPTIONS, BudgetLimit, check_limits
from offers.model.campaigns.funding import Funding, check_funding
from offers.model.campaigns.gs1_reference import Gs1Reference
from offers.model.campaigns.schedule import ALWAYS, Schedule
from offers.model.campaigns.stacking import StackingClass
from offers.model.campaigns.trigger import Trigger
from offers.model.conditions.condition import Condition
from offers.model.errors import InvalidCampaign
from offers.model.experiments.experiment_part import ExperimentPart
from offers.model.ids import CampaignId, check_name, check_text
from offers.model.people.shopper import Locale
from rtls.model.site_map import ID_PATTERN
from rtls.model.units import SiteId, UnixMs

WINDOW_S_MAX: Final = 366 * 86_400
OFFERS_IN_WINDOW_MAX: Final = 20
VALID_S_MAX: Final = 366 * 86_400
COOL_DOWN_S_MAX: Final = 366 * 86_400
REDEMPTIONS_MAX: Final = 10**9
PRIORITY_MAX: Final = 1_000
BODY_CHARACTERS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """When the campaign may make offers: from `from_ms` until just before `until_ms`."""

    from_ms: UnixMs
    until_ms: UnixMs

    def __post_init__(self) -> None:
        if not 0 <= self.from_ms < self.until_ms:
            raise InvalidCampaign(
                f"validity is {self.from_ms} to {self.until_ms}; expected a start before its end."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyCap:
    """At most `offers_max` offers of the campaign to one shopper in any `window_s` seconds."""

    offers_max: int = 1
    window_s: int = 86_400

    def __post_init__(self) -> None:
        if not 1 <= self.offers_max <= OFFERS_IN_WINDOW_MAX:
            raise InvalidCampaign(
                f"frequency_cap.offers_max is {self.offers_max}; expected 1 to "
                f"{OFFERS_IN_WINDOW_MAX}. Pause the campaign where none shall be made."
            )
        if not 1 <= self.window_s <= WINDOW_S_MAX:
            raise InvalidCampaign(
                f"frequency_cap.window_s is {self.window_s}; expected 1 to {WINDOW_S_MAX} seconds."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many redemptions the campaign pays for.

    Reserved, every coupon in a shopper's hand has its redemption set aside, and none is refused at
    the till for lack of budget. Not reserved, more coupons go out than are paid for: first come,
    first served.
    """

    redemptions_max: int
    is_reserved: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.redemptions_max <= REDEMPTIONS_MAX:
            raise InvalidCampaign(
                f"budget.redemptions_max is {self.redemptions_max}; expected 1 to "
                f"{REDEMPTIONS_MAX}. Leave 'budget' out where there is no limit."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageText:
    """What the shopper reads, in one language."""

    title: str
    body: str

    def __post_init__(self) -> None:
        check_text("title", self.title, error=InvalidCampaign)
        is_sound = all(c.isprintable() or c == "\n" for c in self.body)
        if not 1 <= len(self.body) <= BODY_CHARACTERS_MAX or not is_sound:
            raise InvalidCampaign(
                f"body has {len(self.body)} characters; expected 1 to {BODY_CHARACTERS_MAX}, "
                "printable."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRevision:
    """One unchangeable wording of a campaign."""

    campaign: CampaignId
    revision: int
    site: SiteId
    name: str
    trigger: Trigger
    benefit: Benefit
    validity: Validity
    texts: Mapping[Locale, MessageText]
    frequency_cap: FrequencyCap = FrequencyCap()
    budget: Budget | None = None
    """the short form of a limit of all redemptions"""
    budgets: tuple[BudgetLimit, ...] = ()
    """further limits: of money, by shopper, by day"""
    stacking: StackingClass = StackingClass.ONE_A_LINE
    is_coupon_given_back: bool = True
    """whether a coupon can be used again when what it was used for has been returned"""
    audience: Condition | None = None
    """which shoppers it may reach; None: all"""
    conditions: Condition | None = None
    """in which situation; None: in any"""
    schedule: Schedule = ALWAYS
    """on which days and at which hours of its validity it makes offers"""
    cool_down_s: int = 7 * 86_400
    """how long it leaves a shopper alone who has dismissed it"""
    priority: int = 0
    """the eligible campaign with the highest priority is chosen"""
    offer_valid_s: int = 900
    """how long the offer waits to be opened"""
    coupon_valid_s: int = 86_400
    """how long its coupon is taken at the checkout, counted from the offer"""
    funding: Funding | None = None
    """which partners bear a part of its cost; None: the retailer bears all"""
    gs1: Gs1Reference | None = None
    """what tills that know GS1 call its coupons; None: they have our own code alone"""
    part: ExperimentPart | None = None
    """for which arms of an experiment it plays; None: for everybody"""

    def __post_init__(self) -> None:
        check_name("campaign", self.campaign, error=InvalidCampaign)
        check_text("name", self.name, error=InvalidCampaign)
        self._check_numbers()
        missing = sorted(set(Locale) - set(self.texts))
        if missing:
            raise InvalidCampaign(
                f"texts has no {missing}; expected a title and body in each of "
                f"{[str(locale) for locale in Locale]}."
            )
        self._check_budget()
        check_funding(self.funding, self.benefit)
        if self.gs1 is not None and not self.has_coupon:
            raise InvalidCampaign(
                "gs1 is given, but this benefit needs no coupon and is never scanned. Leave 'gs1' "
                "out, or give a benefit that is got at the till."
            )
        object.__setattr__(self, "texts", MappingProxyType(dict(self.texts)))

    @property
    def limits(self) -> tuple[BudgetLimit, ...]:
        """Return all limits of the campaign's budgets."""
        if self.budget is None:
            return self.budgets
        total = BudgetLimit(cap=self.budget.redemptions_max, is_reserved=self.budget.is_reserved)
        return (total, *self.budgets)

    def _check_budget(self) -> None:
        check_limits(self.limits)
        has_reserved_money = any(
            limit.is_reserved and limit.unit != REDEMPTIONS for limit in self.budgets
        )
        if has_reserved_money and money_max(self.benefit) is None:
            raise InvalidCampaign(
                "budgets: money is_reserved, but nobody knows how much one coupon takes off. Give "
                "the benefit a discount_max, or leave is_reserved out."
            )
        if self.limits and not self.has_coupon:
            raise InvalidCampaign(
                "budget is given, but this benefit needs no coupon and is never redeemed. "
                "Leave 'budget' out, or give a benefit that is got at the till."
            )
        is_reserved = any(
            limit.is_reserved and limit.unit == REDEMPTIONS and not limit.per
            for limit in self.limits
        )
        if isinstance(self.benefit, Event) and not is_reserved:
            raise InvalidCampaign(
                "budget is missing or not reserved; expected how many seats the event has, e.g. "
                '{"redemptions_max": 40}, so that no ticket goes out without a seat.'
            )

    def _check_numbers(self) -> None:
        if not ID_PATTERN.match(self.site):
            raise InvalidCampaign(f"site is {self.site!r}; expected the id of a site.")
        if self.revision < 1:
            raise InvalidCampaign(f"revision is {self.revision}; expected 1 or more.")
        if not 0 <= self.priority <= PRIORITY_MAX:
            raise InvalidCampaign(f"priority is {self.priority}; expected 0 to {PRIORITY_MAX}.")
        if not 0 <= self.cool_down_s <= COOL_DOWN_S_MAX:
            raise InvalidCampaign(
                f"cool_down_s is {self.cool_down_s}; expected 0 to {COOL_DOWN_S_MAX} seconds."
            )
        if not 1 <= self.offer_valid_s <= self.coupon_valid_s <= VALID_S_MAX:
            raise InvalidCampaign(
                f"offer_valid_s is {self.offer_valid_s} and coupon_valid_s {self.coupon_valid_s}; "
                f"expected 1 <= offer_valid_s <= coupon_valid_s <= {VALID_S_MAX}: a coupon must "
                "outlive the offer that brings it."
            )

    @property
    def has_coupon(self) -> bool:
        """Say whether the benefit is got at the checkout."""
        return not isinstance(self.benefit, AppBenefit)


class CampaignState(StrEnum):
    """Whether a campaign may make offers now."""

    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """The name under which revisions follow each other."""

    campaign: CampaignId
    site: SiteId
    state: CampaignState
    revision: CampaignRevision
    """the current one"""
