"""Put all repositories over one connection, so that they share its transaction.

Layer: edges. Takes: a connection. Gives: `offers.ports.UnitOfWork` to writer and reader, who begin
and end the transaction.
"""

from typing import cast

import sqlalchemy as sa

from offers.ports import (
    Answers,
    Attributes,
    Audit,
    Budgets,
    Campaigns,
    CardClaims,
    Cards,
    Consents,
    Contacts,
    Coupons,
    Decisions,
    Facts,
    GoodwillDays,
    HeldBaskets,
    Ledger,
    Mails,
    Memberships,
    Minors,
    Occasions,
    Offers,
    OfflineItems,
    Outbox,
    Pairings,
    PersonalData,
    Programmes,
    Purchases,
    PushSubscriptions,
    Referrals,
    Retention,
    SegmentBook,
    Shoppers,
    Sites,
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
from offers.storage.sql_consents import SqlConsents
from offers.storage.sql_contacts import SqlContacts
from offers.storage.sql_coupons import SqlCoupons
from offers.storage.sql_decisions import SqlDecisions
from offers.storage.sql_goodwill import SqlGoodwillDays
from offers.storage.sql_held_baskets import SqlHeldBaskets
from offers.storage.sql_ledger import SqlLedger
from offers.storage.sql_mails import SqlMails
from offers.storage.sql_memberships import SqlMemberships
from offers.storage.sql_minors import SqlMinors
from offers.storage.sql_occasions import SqlOccasions
from offers.storage.sql_offers import SqlOffers
from offers.storage.sql_offline import SqlOfflineItems
from offers.storage.sql_outbox import SqlOutbox
from offers.storage.sql_pairings import SqlPairings
from offers.storage.sql_personal_data import SqlPersonalData
from offers.storage.sql_programmes import SqlProgrammes, SqlTiers
from offers.storage.sql_purchases import SqlPurchases
from offers.storage.sql_push_subscriptions import SqlPushSubscriptions
from offers.storage.sql_referrals import SqlReferrals
from offers.storage.sql_segment_book import SqlSegmentBook
from offers.storage.sql_shopper_facts import SqlFacts
from offers.storage.sql_shoppers import SqlShoppers
from offers.storage.sql_sites import SqlSites
from offers.storage.sql_staff_requests import SqlStaffRequests
from offers.storage.sql_surveys import SqlSurveys
from offers.storage.sql_suspensions import SqlSuspensions
from offers.storage.sql_trips import SqlTrips
from offers.storage.sql_visits import SqlVisits
from offers.storage.sql_webhooks import SqlWebhooks


class SqlWork:
    """All repositories over one connection."""

    def __init__(self, slow: sa.Connection) -> None:
        connection = cast("sa.Connection", QuickConnection(slow))
        self.shoppers: Shoppers = SqlShoppers(connection)
        self.consents: Consents = SqlConsents(connection)
        self.pairings: Pairings = SqlPairings(connection)
        self.campaigns: Campaigns = SqlCampaigns(connection)
        self.offline_items: OfflineItems = SqlOfflineItems(connection)
        self.budgets: Budgets = SqlBudgets(connection)
        self.sites: Sites = SqlSites(connection)
        self.visits: Visits = SqlVisits(connection)
        self.decisions: Decisions = SqlDecisions(connection)
        self.occasions: Occasions = SqlOccasions(connection)
        self.offers: Offers = SqlOffers(connection)
        self.coupons: Coupons = SqlCoupons(connection)
        self.cards: Cards = SqlCards(connection)
        self.card_claims: CardClaims = SqlCardClaims(connection)
        self.held_baskets: HeldBaskets = SqlHeldBaskets(connection)
        self.purchases: Purchases = SqlPurchases(connection)
        self.facts: Facts = SqlFacts(connection)
        self.attributes: Attributes = SqlAttributes(connection)
        self.memberships: Memberships = SqlMemberships(connection)
        self.segments: SegmentBook = SqlSegmentBook(connection)
        self.answers: Answers = SqlAnswers(connection)
        self.outbox: Outbox = SqlOutbox(connection)
        self.trips: Trips = SqlTrips(connection)
        self.push_subscriptions: PushSubscriptions = SqlPushSubscriptions(connection)
        self.contacts: Contacts = SqlContacts(connection)
        self.mails: Mails = SqlMails(connection)
        self.webhooks: Webhooks = SqlWebhooks(connection)
        self.audit: Audit = SqlAudit(connection)
        self.referrals: Referrals = SqlReferrals(connection)
        self.surveys: Surveys = SqlSurveys(connection)
        self.staff_requests: StaffRequests = SqlStaffRequests(connection)
        self.goodwill: GoodwillDays = SqlGoodwillDays(connection)
        self.ledger: Ledger = SqlLedger(connection)
        self.programmes: Programmes = SqlProgrammes(connection)
        self.tiers: Tiers = SqlTiers(connection)
        self.retention: Retention = SqlRetention(connection)
        self.suspensions: Suspensions = SqlSuspensions(connection)
        self.minors: Minors = SqlMinors(connection)
        self.personal_data: PersonalData = SqlPersonalData(connection)
