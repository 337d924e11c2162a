"""Describe how well each eligible campaign suits a shopper at a moment.

Layer: rules. Takes: campaigns, the facts of the shopper, a `RankingPolicy`. Gives: one row of
numbers a campaign, in the order of the policy's belief, to decide.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit_money import money_max
from offers.model.campaigns.campaign import PRIORITY_MAX, CampaignRevision
from offers.model.conditions.fact import DAY_MS, FactKind
from offers.model.conditions.shopper_facts import FactNeeds, ShopperFacts
from offers.model.ranking.panel import Numbers
from offers.model.ranking.ranking_policy import WEIGHTS, RankingPolicy
from rtls.model.units import UnixMs

HALF_LIFE_DAYS: Final = 90.0
NEW_DAYS: Final = 14.0
MINOR_OF_FEATURE: Final = 100.0
"""a cost of one is a benefit of so many minor units"""
PAST_DAYS: Final = 365


def with_past(needs: FactNeeds | None) -> FactNeeds:
    """Return what conditions ask of the past, and what a ranking asks besides."""
    asked = {} if needs is None else dict(needs.days)
    lines = max(asked.get(FactKind.PURCHASE_LINE, 0), PAST_DAYS)
    return FactNeeds(days=asked | {FactKind.PURCHASE_LINE: lines})


def campaign_features(
    revisions: Sequence[CampaignRevision],
    facts: ShopperFacts | None,
    policy: RankingPolicy,
    *,
    now_ms: UnixMs,
) -> Numbers:
    """Return (n_campaigns, n_features) numbers, all finite."""
    bought = _bought(facts, now_ms)
    whole = sum(weight for _, _, weight in bought)
    rows = []
    for revision in revisions:
        scope = getattr(revision.benefit, "applies_to", None)
        own = _own(scope, bought) if isinstance(scope, Scope) else 0.0
        cost = money_max(revision.benefit)
        age_days = max(now_ms - revision.validity.from_ms, 0) / DAY_MS
        row = {
            "own": float(np.log1p(own)),
            "interest": own / (whole + 1.0),
            "appeal": policy.appeal.get(revision.campaign, 0.0),
            "cost": 0.0 if cost is None else cost.amount_minor / MINOR_OF_FEATURE,
            "information": 0.0 if revision.has_coupon else 1.0,
            "priority": revision.priority / PRIORITY_MAX,
            "novelty": float(np.exp2(-age_days / NEW_DAYS)),
            "any": 1.0,
        }
        rows.append([row[name] for name in WEIGHTS])
    return np.array(rows, np.float64).reshape(len(rows), len(WEIGHTS))


def _bought(facts: ShopperFacts | None, now_ms: UnixMs) -> list[tuple[str, str, float]]:
    """Return item, category and what it still counts of each line that the shopper bought."""
    if facts is None:
        return []
    return [
        (
            fact.sku or "",
            fact.category or "",
            fact.quantity * float(np.exp2(-max(now_ms - fact.at_ms, 0) / DAY_MS / HALF_LIFE_DAYS)),
        )
        for fact in facts.past.get(FactKind.PURCHASE_LINE, ())
    ]


def _own(scope: Scope, bought: list[tuple[str, str, float]]) -> float:
    """Return how much was bought of what the benefit is good for; nothing where that is all."""
    if scope.is_every_line:
        return 0.0
    return sum(
        weight for sku, category, weight in bought if scope.covers(sku=sku, category=category)
    )
