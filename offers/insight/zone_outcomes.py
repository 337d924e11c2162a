"""Count in each zone and block of time who was offered something, opened it, redeemed it, bought.

Layer: rules. Takes: offers and sales of a window, and where each product stands.
Gives: `ZoneOffers`, numbers without persons, to the shelf report, which decides what is shown.

A shopper counts once in each zone and block. Offers count in the hour in which they were made,
which is that of the stay; what was bought in that of the purchase.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from offers.model.offering.shelf_event import ShelfOffer, ShelfSale
from rtls.model.footfall import WHOLE_DAY, Block, ReportWindow, site_clock
from rtls.model.units import UnixMs, ZoneId
from rtls.model.zone_offers import ZoneOffers

EPOCH: Final = dt.date(1970, 1, 1)
KINDS: Final = ("offered", "seen", "redeemed", "bought")
Place = tuple[int, int, ZoneId]
"""day, hour, zone"""
ZonesOf = Callable[[ShelfSale], Iterable[ZoneId]]
"""the zones at which what was sold stands; none where nobody knows"""


def zone_outcomes(
    offers: Iterable[ShelfOffer],
    sales: Iterable[ShelfSale],
    *,
    zones_of: ZonesOf,
    window: ReportWindow,
    block: Block,
) -> ZoneOffers:
    """Return the counts, sorted by day, hour and zone."""
    place_of = _place_of(window, block)
    who: dict[Place, dict[str, set[str]]] = {}

    def note(kind: str, zone: ZoneId, at_ms: UnixMs, shopper: str) -> None:
        sets = who.setdefault((*place_of(at_ms), zone), {})
        sets.setdefault(kind, set()).add(shopper)

    for offer in offers:
        note("offered", offer.zone, offer.at_ms, offer.shopper)
        if offer.is_opened:
            note("seen", offer.zone, offer.at_ms, offer.shopper)
        if offer.is_redeemed:
            note("redeemed", offer.zone, offer.at_ms, offer.shopper)
    for sale in sales:
        for zone in zones_of(sale):
            note("bought", zone, sale.at_ms, sale.shopper)
    places = sorted(who)
    names = tuple(sorted({zone for *_, zone in places}))
    counts = {
        kind: np.array([len(who[place].get(kind, ())) for place in places], np.int64)
        for kind in KINDS
    }
    return ZoneOffers(
        block=block,
        day=np.array([day for day, _, _ in places], np.int32),
        hour=np.array([hour for _, hour, _ in places], np.int8),
        zone=np.array([names.index(zone) for *_, zone in places], np.int32),
        zone_names=names,
        offered=counts["offered"],
        seen=counts["seen"],
        redeemed=counts["redeemed"],
        bought=counts["bought"],
    )


def _place_of(window: ReportWindow, block: Block) -> Callable[[UnixMs], tuple[int, int]]:
    clock = site_clock(window.time_zone)

    def place_of(at_ms: UnixMs) -> tuple[int, int]:
        here = dt.datetime.fromtimestamp(at_ms / 1000, clock)
        hour = WHOLE_DAY if block is Block.DAY else here.hour
        return (here.date() - EPOCH).days, hour

    return place_of
