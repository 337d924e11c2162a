"""Count what became of offers: the redemption rate, and the funnel of each zone.

Layer: rules. Takes: `OfferColumns`, and what footfall tells of the zones. Gives: a `Kpi` and
`Funnel`s to the handler report_kpis.

The funnel counts a shopper once for a zone and a day, so that its steps can be compared: footfall
knows a visitor for one day and no longer.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.insight.site_figures import share_of
from offers.model.campaigns.audience import SHOPPERS_MIN, AudienceSize
from offers.model.insight.funnel import LOCATED, Funnel, FunnelStep, Step
from offers.model.insight.kpi import Kpi, KpiName, Withheld
from offers.model.insight.kpi_columns import OfferColumns, ZoneStops, shopper_days
from rtls.model.units import ZoneId

Bools = npt.NDArray[np.bool_]
_FEW: Final = Withheld.FEW_SHOPPERS


def redemption_rate(offers: OfferColumns) -> Kpi:
    """Return which share of the coupons was redeemed."""
    coupons = offers.rows(offers.has_coupon)
    redeemed, issued = int(coupons.is_redeemed.sum()), len(coupons.shopper)
    shoppers = len(np.unique(coupons.shopper))
    return share_of(KpiName.REDEMPTION_RATE, redeemed, issued, shoppers=shoppers)


def funnels(
    offers: OfferColumns, stops: Sequence[ZoneStops] | None
) -> tuple[Funnel, tuple[Funnel, ...]]:
    """Return the funnel over all zones with offers, and that of each such zone.

    Parameters
    ----------
    stops
        What footfall tells of zones, of the same days; None where it tells nothing.
    """
    located = {one.zone: one for one in stops or ()}
    names = [offers.zone_names[code] for code in np.unique(offers.zone[offers.zone >= 0])]
    each = [_funnel(zone, [zone], offers, located if stops is not None else None) for zone in names]
    whole = _funnel(None, names, offers, located if stops is not None else None)
    return whole, tuple(each)


def _funnel(
    zone: ZoneId | None,
    names: Sequence[ZoneId],
    offers: OfferColumns,
    located: Mapping[ZoneId, ZoneStops] | None,
) -> Funnel:
    here = offers.rows(np.isin(offers.zone, [offers.zone_names.index(name) for name in names]))
    masks = {
        Step.OFFERED: np.ones(len(here.zone), np.bool_),
        Step.SEEN: here.is_seen,
        Step.REDEEMED: here.is_redeemed,
        Step.PURCHASED: here.is_bought,
    }
    steps = [_offer_step(step, here, mask) for step, mask in masks.items()]
    # Whoever was made an offer on a visit did stop, and whoever stopped came by; footfall rounds,
    # and withholds days of few, so that it may tell of less.
    stopped = _located_step(
        Step.STOPPED, [located[n].stoppers for n in names if n in located] if located else None,
        at_least=steps[0].count,
    )  # fmt: skip
    passed = _located_step(
        Step.PASSED, [located[n].visitors for n in names if n in located] if located else None,
        at_least=stopped.count,
    )  # fmt: skip
    return Funnel(zone=zone, steps=(passed, stopped, *steps))


def _offer_step(step: Step, offers: OfferColumns, mask: Bools) -> FunnelStep:
    """Count shoppers by zone and day; tell of it only where ten different ones are behind it."""
    chosen = offers.rows(mask)
    keys = shopper_days(chosen.shopper, chosen.day) * len(offers.zone_names) + chosen.zone
    count = len(np.unique(keys))
    if len(np.unique(chosen.shopper)) < SHOPPERS_MIN:
        return FunnelStep(step=step, count=None, withheld=_FEW)
    return FunnelStep(step=step, count=AudienceSize.of(count).shoppers)


def _located_step(
    step: Step, counts: Iterable[int | None] | None, *, at_least: int | None
) -> FunnelStep:
    assert step in LOCATED
    if counts is None:
        return FunnelStep(step=step, count=None, withheld=Withheld.NO_FOOTFALL)
    found = [count for count in counts if count is not None]
    if not found:
        return FunnelStep(step=step, count=None, withheld=_FEW)
    return FunnelStep(step=step, count=max(sum(found), at_least or 0))
