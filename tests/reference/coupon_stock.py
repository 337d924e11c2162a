"""Fill a database with coupons in shoppers' hands, by rows instead of by visits.

Layer: tests and benchmarks. Takes: a prepared database. Gives: the codes. Every row is what the
handlers would have written; making ten thousand of them one by one would take longer than the test.
"""

from collections.abc import Callable

import sqlalchemy as sa

from offers.handlers.offering.reveal_coupon import CODE_PURPOSE
from offers.model.campaigns.benefit import MoneyOff
from offers.model.campaigns.budget import BudgetKey, BudgetStage, Charge
from offers.model.campaigns.campaign import (
    Budget,
    CampaignRevision,
    MessageText,
    Validity,
)
from offers.model.campaigns.trigger import VisitTrigger
from offers.model.ids import CampaignId, CouponId, TillId
from offers.model.money import Money
from offers.model.people.shopper import Locale
from offers.ports import SecretSource
from offers.storage.database import Place, open_engine
from offers.storage.sql_work import SqlWork
from offers.storage.tables import CONSENTS, COUPON_CODES, COUPONS, DECISIONS, OFFERS, SHOPPERS
from rtls.model.units import Second, SiteId, UnixMs, ZoneId

SITE = SiteId("demo")
TILL = TillId("till-1")
NOW_MS = UnixMs(1_700_000_000_000)
END_MS = UnixMs(NOW_MS + 86_400_000)
CAMPAIGN = CampaignId("stock")
KEY = BudgetKey(site=SITE, campaign=CAMPAIGN)
Row = dict[str, object]


def stock_coupons(
    place: Place, count: int, *, secrets: SecretSource, budget: Budget | None = None
) -> list[str]:
    """Write ``count`` shoppers, each with one coupon that has a code; return the codes."""
    is_reserved = budget is not None and budget.is_reserved
    engine = open_engine(place, is_reader=False)
    with engine.begin() as connection:
        work = SqlWork(connection)
        work.campaigns.add_revision(_revision(budget))
        # Crockford digits that are decimal digits too: twelve of them are a code.
        codes = [f"{number:012d}" for number in range(count)]
        for table, row in _TABLES:
            connection.execute(sa.insert(table), [_whole(table, row(n)) for n in range(count)])
        coupons = [_coupon(n, is_reserved=is_reserved) for n in range(count)]
        connection.execute(sa.insert(COUPONS), [_whole(COUPONS, coupon) for coupon in coupons])
        connection.execute(
            sa.insert(COUPON_CODES),
            [
                {
                    "coupon_id": _id("c", number),
                    "fingerprint": secrets.fingerprint(code, purpose=CODE_PURPOSE),
                }
                for number, code in enumerate(codes)
            ],
        )
        assert work.budgets.set_limits(SITE, CAMPAIGN, _revision(budget).limits)
        if budget is not None and is_reserved:
            charge = Charge(key=KEY, cap=budget.redemptions_max, amount=1)
            for number in range(count):
                assert work.budgets.reserve(CouponId(_id("c", number)), BudgetStage.ISSUE, [charge])
    engine.dispose()
    return codes


def _revision(budget: Budget | None) -> CampaignRevision:
    text = MessageText(title="Two euro off", body="At the till, today.")
    return CampaignRevision(
        campaign=CAMPAIGN,
        revision=1,
        site=SITE,
        name="Stock",
        trigger=VisitTrigger(zone=ZoneId("dowels"), dwell_s=Second(300.0)),
        benefit=MoneyOff(amount=Money(amount_minor=200, currency="EUR")),
        validity=Validity(from_ms=UnixMs(0), until_ms=END_MS),
        texts=dict.fromkeys(Locale, text),
        budget=budget,
    )


def _whole(table: sa.Table, row: Row) -> Row:
    """Fill in what a row must have and redemption does not look at."""
    empty = {str: "", int: 0, bool: False, bytes: b""}
    return {
        column.name: empty[column.type.python_type]
        for column in table.columns
        if not column.nullable and not column.primary_key
    } | row


def _id(kind: str, number: int) -> str:
    return f"{kind}{number:031x}"


def _shopper(number: int) -> Row:
    return {"shopper_id": _id("a", number), "enrolled_at_ms": NOW_MS, "locale": "de"}


def _consent(number: int) -> Row:
    return {
        "consent_id": _id("b", number),
        "shopper_id": _id("a", number),
        "purpose": "locate",
        "is_granted": True,
        "at_ms": NOW_MS,
        "text_version": "v1",
        "locale": "de",
        "channel": "app",
    }


def _decision(number: int) -> Row:
    return {
        "decision_id": _id("d", number),
        "event_id": _id("e", number),
        "shopper_id": _id("a", number),
        "site": SITE,
        "zone": "dowels",
        "visit_id": _id("f", number),
        "at_ms": NOW_MS,
        "policy": "stock",
        "chosen": None,
        "passed_over": "[]",
    }


def _offer(number: int) -> Row:
    return {
        "offer_id": _id("0", number),
        "shopper_id": _id("a", number),
        "campaign_id": CAMPAIGN,
        "revision": 1,
        "decision_id": _id("d", number),
        "site": SITE,
        "zone": "dowels",
        "visit_id": _id("f", number),
        "locate_consent_id": _id("b", number),
        "personalise_consent_id": _id("b", number),
        "may_notify": False,
        "state": "opened",
        "issued_at_ms": NOW_MS,
        "expires_at_ms": END_MS,
        "delivered_at_ms": NOW_MS,
        "opened_at_ms": NOW_MS,
        "ended_at_ms": None,
    }


def _coupon(number: int, *, is_reserved: bool) -> Row:
    return {
        "coupon_id": _id("c", number),
        "offer_id": _id("0", number),
        "shopper_id": _id("a", number),
        "campaign_id": CAMPAIGN,
        "revision": 1,
        "site": SITE,
        "state": "issued",
        "issued_at_ms": NOW_MS,
        "expires_at_ms": END_MS,
        "is_reserved": is_reserved,
    }


_TABLES: tuple[tuple[sa.Table, Callable[[int], Row]], ...] = (
    (SHOPPERS, _shopper),
    (CONSENTS, _consent),
    (DECISIONS, _decision),
    (OFFERS, _offer),
)
