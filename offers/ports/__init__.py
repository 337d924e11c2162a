"""What offers need from outside, as ports; one contract suite runs every implementation.

Layer: ports. Takes: nouns. Gives: the shape of storage, secrets and fan-out to the edges that
implement them and the doors that wire them. Each repository is a table or two; all repositories of
one `UnitOfWork` share one transaction, so a handler's effects happen together or not at all.
"""

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
from offers.ports.key_figures import KeyFigures, KpiAlerts, ZoneStopsSource
from offers.ports.ledger import Ledger
from offers.ports.minors import Minors
from offers.ports.occasions import Occasions
from offers.ports.offers import Coupons, Offers
from offers.ports.offline import OfflineItems
from offers.ports.outcomes import OutcomeBook
from offers.ports.outside import FanOut, SecretSource
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
from offers.ports.work import Reader, UnitOfWork, Writer

__all__ = [
    "Answers",
    "Attributes",
    "Audit",
    "Budgets",
    "Campaigns",
    "CardClaims",
    "Cards",
    "Cases",
    "Catalogues",
    "Consents",
    "Contacts",
    "Contents",
    "Coupons",
    "Decisions",
    "Experiments",
    "Facts",
    "FanOut",
    "GoodwillDays",
    "HeldBaskets",
    "History",
    "KeyFigures",
    "KpiAlerts",
    "Ledger",
    "Mails",
    "Memberships",
    "Minors",
    "Occasions",
    "Offers",
    "OfflineItems",
    "Outbox",
    "OutcomeBook",
    "Pairings",
    "Partners",
    "PersonalData",
    "Programmes",
    "Purchases",
    "PushSubscriptions",
    "Reader",
    "Referrals",
    "Retention",
    "SecretSource",
    "SegmentBook",
    "ShelfEvents",
    "Shoppers",
    "Sites",
    "Staff",
    "StaffRequests",
    "Surveys",
    "Suspensions",
    "Tiers",
    "Trips",
    "UnitOfWork",
    "Visits",
    "Webhooks",
    "Writer",
    "ZoneStopsSource",
]
