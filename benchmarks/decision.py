"""Decide about one stay in a shop with five hundred campaigns, from event to decision.

They watch 25 zones, 20 each; then, the worst there can be, all 500 watch one shelf. Each has an
audience of four terms, a schedule, a cap and a budget, so that nothing is passed over cheaply; half
of them are refused by an unmet term. A decision is the whole handler on a database file: reading,
deciding, writing decision, offer, coupon and outbox, without the commit, which many share. Times
are of the thread's processor, since the machine is shared. The control forgets the parsed documents
before each decision, as a handler would that parses what it reads: the harness has to see it.
"""

import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

import sqlalchemy as sa

from offers.handlers.campaigns.start_campaign import start_campaign
from offers.handlers.offering.decide_moment import decide_moment
from offers.handlers.people.change_consent import ConsentWish, change_consent
from offers.handlers.people.enrol_shopper import enrol_shopper
from offers.model.campaigns.campaign import Budget, CampaignRevision
from offers.model.campaigns.schedule import Schedule
from offers.model.campaigns.trigger import TriggerKind
from offers.model.conditions.condition import And
from offers.model.conditions.condition_terms import (
    EnrolledDays,
    Events,
    LocaleIn,
    PastCount,
    Range,
    Weekday,
)
from offers.model.conditions.fact import FactKind
from offers.model.ids import ShopperId, VisitId
from offers.model.offering.occasion import Moment, ZoneOccasion
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.storage import sql_campaigns
from offers.storage.database import open_engine, prepare_database
from offers.storage.secret_source import SystemSecretSource
from offers.storage.sql_work import SqlWork
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs, ZoneId
from tests.unit.offers.shop import DWELL_S, SHELF, SITE, SITE_MAP, START_MS, campaign

CAMPAIGNS = 500
DECISIONS = 400
CONTROLS = 20
LIMIT_MS = 5.0
SECRETS = SystemSecretSource(bytes(32))


def busy_campaign(number: int, zone: ZoneId) -> CampaignRevision:
    """Return one of the five hundred; every second one asks for a purchase never made."""
    bought = PastCount(
        events=Events(kind=FactKind.PURCHASE, within_days=90), range=Range(at_least=number % 2)
    )
    audience = And(
        parts=(
            LocaleIn(locales=frozenset(Locale)),
            EnrolledDays(range=Range(at_least=0, at_most=3_000 + number)),
            PastCount(events=Events(kind=FactKind.VISIT, within_days=30), range=Range(at_most=99)),
            bought,
        )
    )
    return replace(
        campaign(
            f"c-{number:03d}", budget=Budget(redemptions_max=10**6), priority=number, zone=zone
        ),
        audience=audience,
        schedule=Schedule(weekdays=frozenset(Weekday)),
    )


def stay(shopper: ShopperId, number: int) -> Moment:
    """Return the moment at which the shopper's stay has lasted long enough."""
    return Moment(
        event_id=f"{number:032x}",
        shopper=shopper,
        site=SITE,
        occasion=ZoneOccasion(
            kind=TriggerKind.VISIT,
            zone=SHELF,
            visit=VisitId(f"{number:032x}"),
            dwell_s=DWELL_S,
            is_late=False,
            is_visit_open=True,
        ),
        now_ms=UnixMs(START_MS + number),
    )


def timed_ms(act: Callable[[], object]) -> float:
    """Return how long ``act`` takes."""
    begun_s = time.thread_time()
    act()
    return (time.thread_time() - begun_s) * 1_000


def shoppers_of(work: SqlWork, count: int) -> list[ShopperId]:
    """Enrol shoppers who agree to all."""
    enrolled = []
    for _ in range(count):
        shopper = enrol_shopper(
            Locale.DE, work=work, now_ms=START_MS, secrets=SECRETS
        ).shopper.shopper
        for purpose in Purpose:
            wish = ConsentWish(purpose=purpose, is_granted=True, text_version="v1")
            change_consent(shopper, wish, work=work, now_ms=START_MS, secrets=SECRETS)
        enrolled.append(shopper)
    return enrolled


def measure(connection: sa.Connection, zones: int) -> tuple[float, float, float]:
    """Return median and p99 of a decision, and the control's median, of campaigns over zones."""
    work = SqlWork(connection)
    site_map = map_of(zones)
    for number in range(CAMPAIGNS):
        zone = site_map.zones[number % zones].zone
        start_campaign(busy_campaign(number, zone), site_map=site_map, work=work, now_ms=START_MS)
    shoppers = shoppers_of(work, DECISIONS + CONTROLS + 1)

    def whole(number: int) -> Callable[[], object]:
        moment = stay(shoppers[number], number)
        return lambda: decide_moment(moment, work=work, secrets=SECRETS)

    whole(DECISIONS + CONTROLS)()  # reads and compiles each campaign once
    decision = work.decisions.of_shopper(shoppers[-1], limit=1)[0]
    assert decision.chosen is not None
    assert len(decision.passed_over) == CAMPAIGNS // zones - 1
    gc.collect()
    gc.freeze()
    found_ms = [timed_ms(whole(number)) for number in range(DECISIONS)]
    forgetful = []
    for number in range(DECISIONS, DECISIONS + CONTROLS):
        sql_campaigns._revision_of.cache_clear()  # noqa: SLF001 - what the control forgets
        forgetful.append(timed_ms(whole(number)))
    return median(found_ms), quantiles(found_ms, n=100)[98], median(forgetful)


def map_of(zones: int) -> SiteMap:
    """Return the test shop with so many shelves."""
    (shelf,) = SITE_MAP.zones
    others = (replace(shelf, zone=ZoneId(f"shelf-{number}")) for number in range(1, zones))
    return replace(SITE_MAP, zones=(shelf, *others))


def run() -> list[dict[str, str | float | bool]]:
    """Measure both shops; return the figures."""
    figures: list[dict[str, str | float | bool]] = []
    for zones in (25, 1):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "offers.db"
            prepare_database(path)
            engine = open_engine(path, is_reader=False)
            with engine.connect() as connection, connection.begin() as transaction:
                median_ms, p99_ms, control_ms = measure(connection, zones)
                transaction.rollback()
            engine.dispose()
        where = f"{CAMPAIGNS // zones} of {CAMPAIGNS} on the shelf"
        p99: dict[str, str | float | bool] = {
            "name": f"{where}: p99",
            "value": p99_ms,
            "unit": "ms",
        }
        if zones > 1:
            p99 |= {"target": LIMIT_MS, "is_floor": False}
        figures += [
            {"name": f"{where}: p50", "value": median_ms, "unit": "ms"},
            p99,
            {
                "name": f"{where}: control, documents parsed anew, over p50",
                "value": control_ms / median_ms,
                "unit": "times",
                "target": 2.0,
            },
        ]
    return figures


if __name__ == "__main__":
    for figure in run():
        print(figure)
