"""Count what became of offers: the redemption rate, and the funnel of each zone.

Layer: rules. Takes: `OfferColumns`, and what footfall tells of the zones. Gives: a `Kpi` and
`Funnel`s to the handler report_kpis.

The funnel counts a shopper once for a zone and a day, so that its steps can be compared: footfall
knows a visitor for one day and no longer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.insight.complement import complement
from offers.insight.site_figures import share_of
from offers.model.campaigns.audience import SHOPPERS_MIN, AudienceSize
from offers.model.insight.funnel import LOCATED, Funnel, FunnelStep, Step
from offers.model.insight.kpi import Kpi, KpiName, Withheld
from offers.model.insight.kpi_columns import OfferColumns, ZoneStops, shopper_days
from rtls.model.units import ZoneId

Bools = npt.NDArray[np.bool_]
_FEW: Final = Withheld.FEW_SHOPPERS
_REACHED: Final[Mapping[Step, Callable[[OfferColumns], Bools]]] = {
    Step.OFFERED: lambda offers: np.ones(len(offers.zone), np.bool_),
    Step.SEEN: lambda offers: offers.is_seen,
    Step.REDEEMED: lambda offers: offers.is_redeemed,
    Step.PURCHASED: lambda offers: offers.is_bought,
}


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
    known = None if stops is None else {one.zone: one for one in stops}
    names = [offers.zone_names[code] for code in np.unique(offers.zone[offers.zone >= 0])]
    whole = _funnel(None, _steps(offers.rows(offers.zone >= 0)), names, known)
    steps = {name: _steps(_of_zone(offers, name)) for name in names}
    hidden = {step: complement(_sizes(offers, step)) for step in _REACHED}
    each = []
    for name, own in steps.items():
        shown = [
            FunnelStep(step=one.step, count=None, withheld=Withheld.COMPLEMENT)
            if name == hidden[one.step]
            else one
            for one in own
        ]
        each.append(_funnel(name, shown, [name], known))
    return whole, tuple(each)


def _funnel(
    zone: ZoneId | None,
    steps: Sequence[FunnelStep],
    names: Sequence[ZoneId],
    known: Mapping[ZoneId, ZoneStops] | None,
) -> Funnel:
    """Put the steps of footfall before those of offers.

    Whoever was made an offer on a visit did stop, and whoever stopped came by; footfall rounds, and
    withholds days of few, so that it may tell of less.
    """
    located = None if not known else [known[name] for name in names if name in known]
    stoppers, visitors = (
        (None, None)
        if located is None
        else ([one.stoppers for one in located], [one.visitors for one in located])
    )
    stopped = _located_step(Step.STOPPED, stoppers, at_least=steps[0].count)
    passed = _located_step(Step.PASSED, visitors, at_least=stopped.count)
    return Funnel(zone=zone, steps=(passed, stopped, *steps))


def _steps(offers: OfferColumns) -> list[FunnelStep]:
    return [_offer_step(step, offers, reached(offers)) for step, reached in _REACHED.items()]


def _sizes(offers: OfferColumns, step: Step) -> dict[ZoneId, int]:
    """Return how many shoppers came to a step in each zone."""
    there = offers.rows(_REACHED[step](offers))
    return {name: len(np.unique(_of_zone(there, name).shopper)) for name in offers.zone_names}


def _of_zone(offers: OfferColumns, name: ZoneId) -> OfferColumns:
    return offers.rows(offers.zone == offers.zone_names.index(name))


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
