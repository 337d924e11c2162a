"""A small shop for tests: one site, one shelf, shoppers who stand at it, and a till.

Time begins at `START_MS`; the secrets are counted instead of drawn, so a failing test fails again.
"""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from offers.handlers.campaigns.start_campaign import start_campaign
from offers.handlers.offering.deliver_offer import deliver_offer
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.people.change_consent import ConsentWish, change_consent
from offers.handlers.people.enrol_shopper import enrol_shopper
from offers.handlers.people.pair_tag import pair_tag, unpair_tag
from offers.handlers.visits.on_visit import on_visit
from offers.model.campaigns.benefit import Benefit, Information, MoneyOff
from offers.model.campaigns.budget import BudgetKey
from offers.model.campaigns.campaign import (
    Budget,
    CampaignRevision,
    FrequencyCap,
    MessageText,
    Validity,
)
from offers.model.campaigns.trigger import VisitTrigger
from offers.model.ids import CampaignId, OfferId, ShopperId, TillId, VisitId
from offers.model.money import Money
from offers.model.offering.decision import Decision
from offers.model.offering.offer import OfferCard, OfferState
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.held_basket import BasketRequest
from offers.model.till.redemption import CheckoutRequest
from offers.ports import UnitOfWork
from offers.storage.sql_work import SqlWork
from offers.storage.tables import METADATA
from rtls.model.site_map import Floor, SiteMap, Zone, ZoneKind
from rtls.model.units import Metre, Second, SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import (
    DwellReached,
    LeftReason,
    Transition,
    TransitionKind,
    event_id,
    visit_id,
)

SITE = SiteId("demo")
SHELF = ZoneId("dowels")
TILL = TillId("till-1")
START_MS = UnixMs(1_700_000_000_000)
MINUTE_MS = 60_000
DWELL_S = Second(300.0)
TWO_EURO = MoneyOff(amount=Money(amount_minor=200, currency="EUR"))
SITE_MAP = SiteMap(
    site=SITE,
    name="Demo",
    floors=(Floor(floor=0, name="Ground", width_m=Metre(60.0), height_m=Metre(40.0)),),
    zones=(
        Zone(
            zone=SHELF,
            name="Dowels",
            kind=ZoneKind.SHELF,
            floor=0,
            ring=((0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0)),
        ),
    ),
    anchors=(),
)

IDLE_ENGINES: list[sa.Engine] = []


class CountedSecrets:
    """Secrets that are the same in every run."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._count = 0

    def random_bytes(self, count: int) -> bytes:
        self._count += 1
        return hashlib.sha256(f"{self._seed}/{self._count}".encode()).digest()[:count]

    def fingerprint(self, secret: str, *, purpose: str) -> str:
        return hmac.new(purpose.encode(), secret.encode(), hashlib.sha256).hexdigest()


@cache
def empty_database() -> bytes:
    """Make the tables once: a copy of their bytes takes a hundredth of the time."""
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)
    METADATA.create_all(engine)
    with engine.connect() as connection:
        content: bytes = connection.connection.driver_connection.serialize()
    engine.dispose()
    return content


@contextmanager
def memory_engine() -> Iterator[sa.Engine]:
    """The same SQL as on the disk, without the disk.

    Who comes next gets the same engine with an empty database: it knows all statements by then.
    """
    engine = IDLE_ENGINES.pop() if IDLE_ENGINES else open_memory_engine()
    with engine.connect() as connection:
        connection.connection.driver_connection.deserialize(empty_database())
    try:
        yield engine
    finally:
        IDLE_ENGINES.append(engine)


def open_memory_engine() -> sa.Engine:
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)

    @sa.event.listens_for(engine, "connect")
    def set_up(connection, _record) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


@contextmanager
def scratch_work(engine: sa.Engine) -> Iterator[SqlWork]:
    """A transaction that leaves nothing behind."""
    with engine.connect() as connection:
        transaction = connection.begin()
        try:
            yield SqlWork(connection)
        finally:
            transaction.rollback()


def campaign(
    name: str = "dowels-2-off",
    *,
    benefit: Benefit = TWO_EURO,
    cap: FrequencyCap | None = None,
    budget: Budget | None = None,
    priority: int = 0,
    zone: ZoneId = SHELF,
) -> CampaignRevision:
    return CampaignRevision(
        campaign=CampaignId(name),
        revision=1,
        site=SITE,
        name="Two euro off dowels",
        trigger=VisitTrigger(zone=zone, dwell_s=DWELL_S),
        benefit=benefit,
        validity=Validity(from_ms=UnixMs(START_MS - 1), until_ms=UnixMs(START_MS + 10**10)),
        texts={
            Locale.DE: MessageText(title="Dübel", body="2 Euro weniger"),
            Locale.EN: MessageText(title="Dowels", body="2 euro off"),
        },
        frequency_cap=cap or FrequencyCap(),
        budget=budget,
        priority=priority,
    )


INFORMATION = campaign("dowels-advice", benefit=Information())


def basket(*prices_minor: int, category: str = "dowels") -> Basket:
    return Basket(
        currency="EUR",
        lines=tuple(
            BasketLine(sku=f"sku-{n}", category=category, quantity=1, unit_price_minor=price)
            for n, price in enumerate(prices_minor)
        ),
    )


def dwell_event(tag: TagId, *, at_ms: int, dwell_s: float = DWELL_S) -> DwellReached:
    """The event of a stay that has lasted ``dwell_s`` at ``at_ms``."""
    entered_at_ms = UnixMs(round(at_ms - dwell_s * 1_000))
    visit = visit_id(SITE, tag, SHELF, entered_at_ms)
    return DwellReached(
        event_id=event_id(visit, f"dwell:{dwell_s:g}"),
        visit_id=visit,
        site=SITE,
        tag=tag,
        zone=SHELF,
        entered_at_ms=entered_at_ms,
        reached_at_ms=UnixMs(at_ms),
        evidence_at_ms=UnixMs(at_ms),
        threshold_s=Second(dwell_s),
        dwell_s=Second(dwell_s),
        dwell_s_low=Second(dwell_s),
        dwell_s_high=Second(dwell_s),
        probability=0.97,
    )


def transition(event: DwellReached, kind: TransitionKind, *, at_ms: int) -> Transition:
    """The entry to, or the leaving of, the stay that ``event`` belongs to."""
    return Transition(
        event_id=event_id(event.visit_id, kind.value),
        visit_id=event.visit_id,
        site=event.site,
        tag=event.tag,
        zone=event.zone,
        kind=kind,
        at_ms=UnixMs(at_ms),
        decided_at_ms=UnixMs(at_ms),
        probability=0.9,
        reason=LeftReason.WALKED_AWAY if kind is TransitionKind.LEFT else None,
    )


class Shop:
    """The steps that tests share, each through the public handlers."""

    def __init__(self, work: UnitOfWork, *, seed: str = "") -> None:
        self.work = work
        self.secrets = CountedSecrets(seed)

    def start(self, *revisions: CampaignRevision) -> None:
        for revision in revisions:
            start_campaign(revision, site_map=SITE_MAP, work=self.work, now_ms=START_MS)

    def say(
        self,
        shopper: ShopperId,
        purpose: Purpose,
        *,
        is_granted: bool,
        now_ms: int = START_MS,
    ) -> None:
        wish = ConsentWish(purpose=purpose, is_granted=is_granted, text_version="v1")
        change_consent(shopper, wish, work=self.work, now_ms=UnixMs(now_ms), secrets=self.secrets)

    def shopper(
        self,
        *purposes: Purpose,
        tag: str | None = "tag:1",
        now_ms: int = START_MS,
    ) -> ShopperId:
        """Enrol a shopper who grants the purposes (all by default) and carries the tag."""
        enrolment = enrol_shopper(
            Locale.DE, work=self.work, now_ms=UnixMs(now_ms), secrets=self.secrets
        )
        shopper = enrolment.shopper.shopper
        for purpose in purposes or tuple(Purpose):
            self.say(shopper, purpose, is_granted=True, now_ms=now_ms)
        if tag is not None:
            self.pair(shopper, tag, now_ms=now_ms)
        return shopper

    def pair(self, shopper: ShopperId, tag: str, *, now_ms: int = START_MS):
        return pair_tag(
            shopper, TagId(tag), work=self.work, now_ms=UnixMs(now_ms), secrets=self.secrets
        )

    def unpair(self, shopper: ShopperId, *, now_ms: int = START_MS) -> None:
        """End all pairings of the shopper."""
        for pairing in self.work.pairings.active_of_shopper(shopper, now_ms=UnixMs(now_ms)):
            unpair_tag(shopper, pairing.pairing, work=self.work, now_ms=UnixMs(now_ms))

    def tell(self, event, *, now_ms: int | None = None, **changes) -> Decision | None:
        """Hand an event over, as if the feed had just brought it."""
        told = replace(event, **changes)
        at_ms = getattr(told, "reached_at_ms", None) or getattr(told, "at_ms", None)
        return on_visit(
            told,
            work=self.work,
            now_ms=UnixMs(at_ms if now_ms is None else now_ms),
            secrets=self.secrets,
        )

    def stand(self, tag: str = "tag:1", *, at_ms: int = START_MS + 10 * MINUTE_MS):
        """Let the tag's stay reach five minutes at ``at_ms``; return the decision."""
        event = dwell_event(TagId(tag), at_ms=at_ms)
        self.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
        return self.tell(event)

    def offer_of(self, shopper: ShopperId) -> OfferCard | None:
        """Return the shopper's newest offer, whatever its state."""
        cards = self.work.offers.cards_of(shopper, after=0, limit=100, states=tuple(OfferState))
        return cards[-1] if cards else None

    def used(self, campaign: CampaignId) -> int:
        """Return how many redemptions of the campaign have been counted."""
        state = self.work.budgets.state_of(BudgetKey(site=SITE, campaign=campaign))
        return 0 if state is None else state.used

    def has_budget(self, campaign: CampaignId) -> bool:
        """Say whether one more redemption of the campaign could be paid for."""
        state = self.work.budgets.state_of(BudgetKey(site=SITE, campaign=campaign))
        return state is None or state.cap is None or state.held + state.used < state.cap

    def deliver(self, offer: OfferId, *, now_ms: int):
        return deliver_offer(offer, work=self.work, now_ms=UnixMs(now_ms))

    def code_in_hand(self, tag: str = "tag:1", *, at_ms: int = START_MS + 10 * MINUTE_MS) -> str:
        """Bring a shopper all the way to a coupon's code."""
        shopper = self.shopper(tag=tag, now_ms=at_ms - 6 * MINUTE_MS)
        decision = self.stand(tag, at_ms=at_ms)
        assert decision is not None
        assert decision.chosen is not None
        card = self.offer_of(shopper)
        assert card is not None
        assert card.coupon is not None
        self.deliver(card.offer.offer, now_ms=at_ms)
        revealed = reveal_coupon(
            shopper,
            card.coupon.coupon,
            work=self.work,
            now_ms=UnixMs(at_ms),
            secrets=self.secrets,
        )
        return revealed.code


def checkout(code: str, *prices_minor: int, site: SiteId = SITE) -> CheckoutRequest:
    return CheckoutRequest(
        code=code, basket=basket(*(prices_minor or (1_000,))), till=TILL, site=site
    )


def asked(
    *codes: str, prices_minor: tuple[int, ...] = (1_000,), site: SiteId = SITE
) -> BasketRequest:
    return BasketRequest(basket=basket(*prices_minor), till=TILL, site=site, codes=codes)


def visit_of(event: DwellReached) -> VisitId:
    return VisitId(event.visit_id)
