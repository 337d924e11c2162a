"""Put all repositories over one connection, so that they share its transaction.

Layer: edges. Takes: a connection. Gives: `offers.ports.UnitOfWork` to writer and reader, who begin
and end the transaction.
"""

from collections.abc import Callable
from typing import Generic, TypeVar, cast, overload

import sqlalchemy as sa

from offers.ports import (
    Answers,
    Attributes,
    Audit,
    Budgets,
    Campaigns,
    CardClaims,
    Cards,
    Cases,
    Catalogues,
    Consents,
    Contacts,
    Contents,
    Coupons,
    Decisions,
    Experiments,
    Facts,
    GoodwillDays,
    HeldBaskets,
    History,
    KeyFigures,
    KpiAlerts,
    Ledger,
    Mails,
    Memberships,
    Minors,
    Occasions,
    Offers,
    OfflineItems,
    Outbox,
    OutcomeBook,
    Pairings,
    Partners,
    PersonalData,
    Programmes,
    Purchases,
    PushSubscriptions,
    Referrals,
    Retention,
    SegmentBook,
    ShelfEvents,
    Shoppers,
    Sites,
    Staff,
    StaffRequests,
    Surveys,
    Suspensions,
    Tiers,
    Trips,
    Visits,
    Webhooks,
)
from offers.storage.quick_connection import QuickConnection
from offers.storage.retention import SqlRetention
from offers.storage.sql_answers import SqlAnswers
from offers.storage.sql_attributes import SqlAttributes
from offers.storage.sql_audit import SqlAudit
from offers.storage.sql_budgets import SqlBudgets
from offers.storage.sql_campaigns import SqlCampaigns
from offers.storage.sql_card_claims import SqlCardClaims
from offers.storage.sql_cards import SqlCards
from offers.storage.sql_cases import SqlCases
from offers.storage.sql_catalogues import SqlCatalogues
from offers.storage.sql_consents import SqlConsents
from offers.storage.sql_contacts import SqlContacts
from offers.storage.sql_contents import SqlContents
from offers.storage.sql_coupons import SqlCoupons
from offers.storage.sql_decisions import SqlDecisions
from offers.storage.sql_experiments import SqlExperiments
from offers.storage.sql_goodwill import SqlGoodwillDays
from offers.storage.sql_held_baskets import SqlHeldBaskets
from offers.storage.sql_history import SqlHistory
from offers.storage.sql_key_figures import SqlKeyFigures
from offers.storage.sql_kpi_alerts import SqlKpiAlerts
from offers.storage.sql_ledger import SqlLedger
from offers.storage.sql_mails import SqlMails
from offers.storage.sql_memberships import SqlMemberships
from offers.storage.sql_minors import SqlMinors
from offers.storage.sql_occasions import SqlOccasions
from offers.storage.sql_offers import SqlOffers
from offers.storage.sql_offline import SqlOfflineItems
from offers.storage.sql_outbox import SqlOutbox
from offers.storage.sql_outcomes import SqlOutcomes
from offers.storage.sql_pairings import SqlPairings
from offers.storage.sql_partners import SqlPartners
from offers.storage.sql_personal_data import SqlPersonalData
from offers.storage.sql_programmes import SqlProgrammes, SqlTiers
from offers.storage.sql_purchases import SqlPurchases
from offers.storage.sql_push_subscriptions import SqlPushSubscriptions
from offers.storage.sql_referrals import SqlReferrals
from offers.storage.sql_segment_book import SqlSegmentBook
from offers.storage.sql_shelf_events import SqlShelfEvents
from offers.storage.sql_shopper_facts import SqlFacts
from offers.storage.sql_shoppers import SqlShoppers
from offers.storage.sql_sites import SqlSites
from offers.storage.sql_staff import SqlStaff
from offers.storage.sql_staff_requests import SqlStaffRequests
from offers.storage.sql_surveys import SqlSurveys
from offers.storage.sql_suspensions import SqlSuspensions
from offers.storage.sql_trips import SqlTrips
from offers.storage.sql_visits import SqlVisits
from offers.storage.sql_webhooks import SqlWebhooks

T = TypeVar("T")


class _Made(Generic[T]):
    """A repository that is made when it is first asked for: a transaction needs few of them."""

    def __init__(self, make: Callable[[sa.Connection], T]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, work: None, owner: type) -> "_Made[T]": ...
    @overload
    def __get__(self, work: "SqlWork", owner: type) -> T: ...
    def __get__(self, work: "SqlWork | None", owner: type) -> "_Made[T] | T":
        if work is None:
            return self
        made = self._make(work.connection)
        work.__dict__[self._name] = made  # which Python looks at first from now on
        return made


class SqlWork:
    """All repositories over one connection."""

    shoppers = _Made[Shoppers](SqlShoppers)
    staff = _Made[Staff](SqlStaff)
    consents = _Made[Consents](SqlConsents)
    pairings = _Made[Pairings](SqlPairings)
    campaigns = _Made[Campaigns](SqlCampaigns)
    offline_items = _Made[OfflineItems](SqlOfflineItems)
    budgets = _Made[Budgets](SqlBudgets)
    sites = _Made[Sites](SqlSites)
    visits = _Made[Visits](SqlVisits)
    decisions = _Made[Decisions](SqlDecisions)
    experiments = _Made[Experiments](SqlExperiments)
    outcomes = _Made[OutcomeBook](SqlOutcomes)
    occasions = _Made[Occasions](SqlOccasions)
    history = _Made[History](SqlHistory)
    contents = _Made[Contents](SqlContents)
    key_figures = _Made[KeyFigures](SqlKeyFigures)
    kpi_alerts = _Made[KpiAlerts](SqlKpiAlerts)
    offers = _Made[Offers](SqlOffers)
    shelf_events = _Made[ShelfEvents](SqlShelfEvents)
    coupons = _Made[Coupons](SqlCoupons)
    cards = _Made[Cards](SqlCards)
    card_claims = _Made[CardClaims](SqlCardClaims)
    held_baskets = _Made[HeldBaskets](SqlHeldBaskets)
    purchases = _Made[Purchases](SqlPurchases)
    facts = _Made[Facts](SqlFacts)
    attributes = _Made[Attributes](SqlAttributes)
    memberships = _Made[Memberships](SqlMemberships)
    segments = _Made[SegmentBook](SqlSegmentBook)
    answers = _Made[Answers](SqlAnswers)
    outbox = _Made[Outbox](SqlOutbox)
    trips = _Made[Trips](SqlTrips)
    push_subscriptions = _Made[PushSubscriptions](SqlPushSubscriptions)
    contacts = _Made[Contacts](SqlContacts)
    mails = _Made[Mails](SqlMails)
    webhooks = _Made[Webhooks](SqlWebhooks)
    audit = _Made[Audit](SqlAudit)
    referrals = _Made[Referrals](SqlReferrals)
    surveys = _Made[Surveys](SqlSurveys)
    staff_requests = _Made[StaffRequests](SqlStaffRequests)
    cases = _Made[Cases](SqlCases)
    goodwill = _Made[GoodwillDays](SqlGoodwillDays)
    ledger = _Made[Ledger](SqlLedger)
    partners = _Made[Partners](SqlPartners)
    catalogues = _Made[Catalogues](SqlCatalogues)
    programmes = _Made[Programmes](SqlProgrammes)
    tiers = _Made[Tiers](SqlTiers)
    retention = _Made[Retention](SqlRetention)
    suspensions = _Made[Suspensions](SqlSuspensions)
    minors = _Made[Minors](SqlMinors)
    personal_data = _Made[PersonalData](SqlPersonalData)

    def __init__(self, slow: sa.Connection | QuickConnection) -> None:
        quick = slow if isinstance(slow, QuickConnection) else QuickConnection(slow)
        self.connection = cast("sa.Connection", quick)
