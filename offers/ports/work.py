"""Share one transaction among all repositories, and say who begins and ends it.

Layer: ports. Takes: the repositories. Gives: `UnitOfWork`, `Writer`, `Reader` to storage.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from offers.ports.answers import Answers, Outbox
from offers.ports.audit import Audit
from offers.ports.budgets import Budgets, Sites
from offers.ports.campaigns import Campaigns
from offers.ports.cards import CardClaims, Cards
from offers.ports.cases import Cases
from offers.ports.catalogue import Catalogues
from offers.ports.contact import Contacts, Mails, PushSubscriptions, Trips
from offers.ports.contents import Contents
from offers.ports.engagement import GoodwillDays, Referrals, StaffRequests, Surveys
from offers.ports.experiments import Experiments
from offers.ports.facts import Attributes, Facts
from offers.ports.history import History
from offers.ports.key_figures import KeyFigures, KpiAlerts
from offers.ports.ledger import Ledger
from offers.ports.minors import Minors
from offers.ports.occasions import Occasions
from offers.ports.offers import Coupons, Offers
from offers.ports.offline import OfflineItems
from offers.ports.outcomes import OutcomeBook
from offers.ports.partners import Partners
from offers.ports.people import Consents, Pairings, Shoppers
from offers.ports.personal_data import PersonalData
from offers.ports.programmes import Programmes, Tiers
from offers.ports.purchases import HeldBaskets, Purchases
from offers.ports.retention import Retention
from offers.ports.segments import Memberships, SegmentBook
from offers.ports.shelf_events import ShelfEvents
from offers.ports.staff import Staff
from offers.ports.suspensions import Suspensions
from offers.ports.visits import Decisions, Visits
from offers.ports.webhooks import Webhooks

T = TypeVar("T")


class UnitOfWork(Protocol):
    """All repositories, in one transaction that the caller of the handler begins and ends."""

    @property
    def shoppers(self) -> Shoppers: ...  # noqa: D102 - the type says it; so below
    @property
    def staff(self) -> Staff: ...  # noqa: D102
    @property
    def consents(self) -> Consents: ...  # noqa: D102
    @property
    def pairings(self) -> Pairings: ...  # noqa: D102
    @property
    def campaigns(self) -> Campaigns: ...  # noqa: D102
    @property
    def offline_items(self) -> OfflineItems: ...  # noqa: D102
    @property
    def budgets(self) -> Budgets: ...  # noqa: D102
    @property
    def sites(self) -> Sites: ...  # noqa: D102
    @property
    def visits(self) -> Visits: ...  # noqa: D102
    @property
    def decisions(self) -> Decisions: ...  # noqa: D102
    @property
    def experiments(self) -> Experiments: ...  # noqa: D102
    @property
    def outcomes(self) -> OutcomeBook: ...  # noqa: D102
    @property
    def occasions(self) -> Occasions: ...  # noqa: D102
    @property
    def history(self) -> History: ...  # noqa: D102
    @property
    def contents(self) -> Contents: ...  # noqa: D102
    @property
    def key_figures(self) -> KeyFigures: ...  # noqa: D102
    @property
    def kpi_alerts(self) -> KpiAlerts: ...  # noqa: D102
    @property
    def offers(self) -> Offers: ...  # noqa: D102
    @property
    def shelf_events(self) -> ShelfEvents: ...  # noqa: D102
    @property
    def coupons(self) -> Coupons: ...  # noqa: D102
    @property
    def cards(self) -> Cards: ...  # noqa: D102
    @property
    def card_claims(self) -> CardClaims: ...  # noqa: D102
    @property
    def held_baskets(self) -> HeldBaskets: ...  # noqa: D102
    @property
    def purchases(self) -> Purchases: ...  # noqa: D102
    @property
    def facts(self) -> Facts: ...  # noqa: D102
    @property
    def attributes(self) -> Attributes: ...  # noqa: D102
    @property
    def memberships(self) -> Memberships: ...  # noqa: D102
    @property
    def segments(self) -> SegmentBook: ...  # noqa: D102
    @property
    def answers(self) -> Answers: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102
    @property
    def trips(self) -> Trips: ...  # noqa: D102
    @property
    def push_subscriptions(self) -> PushSubscriptions: ...  # noqa: D102
    @property
    def contacts(self) -> Contacts: ...  # noqa: D102
    @property
    def mails(self) -> Mails: ...  # noqa: D102
    @property
    def webhooks(self) -> Webhooks: ...  # noqa: D102
    @property
    def audit(self) -> Audit: ...  # noqa: D102
    @property
    def referrals(self) -> Referrals: ...  # noqa: D102
    @property
    def surveys(self) -> Surveys: ...  # noqa: D102
    @property
    def staff_requests(self) -> StaffRequests: ...  # noqa: D102
    @property
    def cases(self) -> Cases: ...  # noqa: D102
    @property
    def goodwill(self) -> GoodwillDays: ...  # noqa: D102
    @property
    def ledger(self) -> Ledger: ...  # noqa: D102
    @property
    def partners(self) -> Partners: ...  # noqa: D102
    @property
    def catalogues(self) -> Catalogues: ...  # noqa: D102
    @property
    def programmes(self) -> Programmes: ...  # noqa: D102
    @property
    def tiers(self) -> Tiers: ...  # noqa: D102
    @property
    def retention(self) -> Retention: ...  # noqa: D102
    @property
    def suspensions(self) -> Suspensions: ...  # noqa: D102
    @property
    def minors(self) -> Minors: ...  # noqa: D102
    @property
    def personal_data(self) -> PersonalData: ...  # noqa: D102


class Writer(Protocol):
    """The one way to change what is stored: each call is a transaction, in the order of calls.

    A database that several programs share may give a transaction up, and ``work`` is run again: it
    must leave nothing behind but what it writes and returns.
    """

    def submit(self, work: Callable[[UnitOfWork], T]) -> Future[T]:
        """Run ``work`` soon; the future is done when its effect is durable, or did not happen."""
        ...

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run ``work`` and wait."""
        ...


class Reader(Protocol):
    """Look at what is stored, beside the writer and without waiting for it."""

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run ``work``, which must not change anything, on one consistent state."""
        ...
