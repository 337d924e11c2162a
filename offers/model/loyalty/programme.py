"""Hold what a site's loyalty programme promises: how to earn, tiers, and rewards.

Layer: nouns. Takes: earning rules, a tier ladder, rewards. Gives: `Programme` to handlers and
storage. A revision never changes: what was promised on a day can be read for ever.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.campaigns.gs1_reference import PREFIX_DIGITS_MAX, PREFIX_DIGITS_MIN
from offers.model.errors import InvalidProgramme
from offers.model.ids import check_name
from offers.model.loyalty.earning_rule import EarningRule, EarningTerms
from offers.model.loyalty.ledger import LedgerUnit
from offers.model.loyalty.poor_answer import RULES_MAX as POOR_ANSWERS_MAX
from offers.model.loyalty.poor_answer import PoorAnswerRule
from offers.model.loyalty.reward import Reward, UnusedReward
from offers.model.loyalty.site_settings import DEFAULT_SITE_SETTINGS, SiteSettings
from offers.model.loyalty.tier import TierLadder, check_time_zone
from rtls.model.units import SiteId, UnixMs

RULES_MAX: Final = 200
REWARDS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One revision of a site's programme."""

    site: SiteId
    time_zone: str
    terms: tuple[EarningTerms, ...]
    """one for each unit that is earned"""
    rules: tuple[EarningRule, ...] = ()
    tiers: TierLadder | None = None
    rewards: tuple[Reward, ...] = ()
    unused_rewards: UnusedReward = UnusedReward.GIVE_BACK
    settings: SiteSettings = DEFAULT_SITE_SETTINGS
    gs1_company_prefix: str | None = None
    """what GS1 calls the retailer; with it coupons can be scanned by tills that know GS1"""

    poor_answers: tuple[PoorAnswerRule, ...] = ()
    """which answers of a survey open a case; none: no survey does"""

    def __post_init__(self) -> None:
        check_name("site", self.site, error=InvalidProgramme)
        check_time_zone(self.time_zone)
        units = [terms.unit for terms in self.terms]
        if len(set(units)) < len(units):
            raise InvalidProgramme(f"units are {units}; expected each to be named once.")
        if len(self.rules) > RULES_MAX:
            raise InvalidProgramme(f"{len(self.rules)} rules; expected at most {RULES_MAX}.")
        seen: set[str] = set()
        for rule in self.rules:
            if rule.unit not in units:
                raise InvalidProgramme(
                    f"rule {rule.rule!r} earns {rule.unit!r}; expected of {units}. Add the unit "
                    "with its terms to units."
                )
            if rule.rule in seen:
                raise InvalidProgramme(f"rule {rule.rule!r} is named twice; rename one.")
            seen.add(rule.rule)
        if len(self.poor_answers) > POOR_ANSWERS_MAX:
            raise InvalidProgramme(
                f"{len(self.poor_answers)} poor_answers; expected at most {POOR_ANSWERS_MAX}."
            )
        self._check_rewards()
        self._check_prefix()

    def _check_rewards(self) -> None:
        names = [entry.reward for entry in self.rewards]
        if len(names) > REWARDS_MAX or len(set(names)) < len(names):
            raise InvalidProgramme(
                f"{len(names)} rewards; expected at most {REWARDS_MAX}, each with its own name."
            )
        steps = () if self.tiers is None else self.tiers.tiers
        tiers = {tier.tier for tier in steps}
        for entry in self.rewards:
            unknown = sorted(entry.tiers - tiers)
            if unknown:
                raise InvalidProgramme(
                    f"reward {entry.reward!r} is for the tiers {unknown}; expected of "
                    f"{sorted(tiers)}."
                )

    def _check_prefix(self) -> None:
        prefix = self.gs1_company_prefix
        if prefix is None:
            return
        is_number = prefix.isascii() and prefix.isdigit()
        if not is_number or not PREFIX_DIGITS_MIN <= len(prefix) <= PREFIX_DIGITS_MAX:
            raise InvalidProgramme(
                f"gs1_company_prefix is {prefix[:40]!r}; expected {PREFIX_DIGITS_MIN} to "
                f"{PREFIX_DIGITS_MAX} digits. Take the one that your GS1 organisation gave you."
            )

    def terms_of(self, unit: LedgerUnit) -> EarningTerms:
        """Return the terms of a unit that a rule of this programme earns."""
        return next(terms for terms in self.terms if terms.unit == unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeRevision:
    """A programme as it was put into force."""

    revision: int
    """counts the revisions of the site from 1"""
    at_ms: UnixMs
    programme: Programme
