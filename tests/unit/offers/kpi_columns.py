"""Make columns of key figures from rows that a reader can count."""

from datetime import date

import numpy as np

from offers.model.insight.kpi_columns import OfferColumns, PurchaseColumns
from offers.model.insight.kpi_window import KpiWindow
from rtls.model.units import ZoneId
from tests.reference.key_figures import Made, Receipt
from tests.unit.offers.shop import SITE

BERLIN = "Europe/Berlin"
ZONES = (ZoneId("dowels"), ZoneId("drills"))


def window(from_day: date, until_day: date) -> KpiWindow:
    return KpiWindow(site=SITE, time_zone=BERLIN, from_day=from_day, until_day=until_day)


def purchases(receipts: list[Receipt]) -> PurchaseColumns:
    return PurchaseColumns(
        shopper=np.array([r.shopper for r in receipts], np.int32),
        segment=np.array([r.segment for r in receipts], np.int8),
        day=np.array([r.day for r in receipts], np.int32),
        paid_minor=np.array([r.paid_minor for r in receipts], np.int64),
        currency="EUR",
    )


def offers(made: list[Made], *, segment: int = -1) -> OfferColumns:
    return OfferColumns(
        shopper=np.array([m.shopper for m in made], np.int32),
        segment=np.full(len(made), segment, np.int8),
        day=np.array([m.day for m in made], np.int32),
        zone=np.array([m.zone for m in made], np.int32),
        zone_names=ZONES,
        has_coupon=np.array([m.has_coupon for m in made], np.bool_),
        is_seen=np.array([m.is_seen for m in made], np.bool_),
        is_redeemed=np.array([m.is_redeemed for m in made], np.bool_),
        is_bought=np.array([m.is_bought for m in made], np.bool_),
        redeemed_day=np.array([m.day for m in made], np.int32),
    )
