"""The tables of offers, the same on SQLite and PostgreSQL.

Layer: edges. Takes: nothing. Gives: the metadata to the repositories and migrations. Times are
milliseconds since 1970, money is minor units, and every limit of the business is a constraint.
"""

from offers.storage.tables.answers import ANSWERS, OUTBOX
from offers.storage.tables.audit import AUDIT, ERASURES
from offers.storage.tables.budgets import BUDGET_HOLDS, BUDGET_USES, BUDGETS, SITES
from offers.storage.tables.campaigns import CAMPAIGN_REVISIONS, CAMPAIGNS
from offers.storage.tables.cards import CARD_CLAIMS, CARD_STEPS, CARDS
from offers.storage.tables.cases import CASE_ANSWERS, SERVICE_CASES
from offers.storage.tables.catalogues import CATALOGUES
from offers.storage.tables.columns import METADATA, DataClass
from offers.storage.tables.contact import (
    CONTACT_PACES,
    CONTACT_WISHES,
    DELIVERIES,
    MAILS,
    PUSH_SLOTS,
    PUSH_SUBSCRIPTIONS,
    TRIPS,
)
from offers.storage.tables.engagement import (
    GOODWILL_DAYS,
    REFERRAL_CODES,
    REFERRALS,
    STAFF_REQUESTS,
    SURVEY_ANSWERS,
    SURVEY_CHOICES,
    SURVEYS,
)
from offers.storage.tables.experiments import ASSIGNMENTS, EXPERIMENT_REVISIONS, EXPERIMENTS
from offers.storage.tables.insight import KPI_ALERTS, TILL_DAYS
from offers.storage.tables.ledger import (
    LEDGER_ACCOUNTS,
    LEDGER_ALLOCATIONS,
    LEDGER_LOTS,
    LEDGER_POSTINGS,
    LEDGER_REFERENCES,
    LEDGER_TRANSACTIONS,
    WALLETS,
)
from offers.storage.tables.offers import CAP_SLOTS, COUPON_CODES, COUPONS, OFFERS, REDEMPTIONS
from offers.storage.tables.offline import OFFLINE_ITEMS
from offers.storage.tables.partners import (
    FUNDED_LINES,
    PARTNER_SETTLEMENT_LINES,
    PARTNER_SETTLEMENTS,
)
from offers.storage.tables.people import (
    CONSENT_TEXTS,
    CONSENTS,
    CREDENTIALS,
    MINORS,
    PAIRINGS,
    SHOPPERS,
    STAFF_USERS,
    SUSPENSIONS,
)
from offers.storage.tables.programme import (
    PROGRAMME_REVISIONS,
    SHOPPER_TIERS,
    TIER_CHANGES,
    TIER_CREDITS,
)
from offers.storage.tables.purchases import (
    HELD_BASKETS,
    HELD_COUPONS,
    PURCHASE_LINES,
    PURCHASE_POINTS,
    PURCHASE_REDEMPTIONS,
    PURCHASE_RETURNS,
    PURCHASES,
    RETURN_LINES,
    REVERSALS,
)
from offers.storage.tables.shopper_facts import (
    MEMBERSHIPS,
    SEGMENT_LEVELS,
    SEGMENT_REVIEWS,
    SHOPPER_ATTRIBUTES,
    SHOPPER_FACTS,
)
from offers.storage.tables.visits import DECISIONS, PROCESSED_EVENTS, VISITS
from offers.storage.tables.webhooks import (
    WEBHOOK_EVENTS,
    WEBHOOK_KINDS,
    WEBHOOK_QUEUE,
    WEBHOOKS,
)

__all__ = [
    "ANSWERS",
    "ASSIGNMENTS",
    "AUDIT",
    "BUDGETS",
    "BUDGET_HOLDS",
    "BUDGET_USES",
    "CAMPAIGNS",
    "CAMPAIGN_REVISIONS",
    "CAP_SLOTS",
    "CARDS",
    "CARD_CLAIMS",
    "CARD_STEPS",
    "CASE_ANSWERS",
    "CATALOGUES",
    "CONSENTS",
    "CONSENT_TEXTS",
    "CONTACT_PACES",
    "CONTACT_WISHES",
    "COUPONS",
    "COUPON_CODES",
    "CREDENTIALS",
    "DECISIONS",
    "DELIVERIES",
    "ERASURES",
    "EXPERIMENTS",
    "EXPERIMENT_REVISIONS",
    "FUNDED_LINES",
    "GOODWILL_DAYS",
    "HELD_BASKETS",
    "HELD_COUPONS",
    "KPI_ALERTS",
    "LEDGER_ACCOUNTS",
    "LEDGER_ALLOCATIONS",
    "LEDGER_LOTS",
    "LEDGER_POSTINGS",
    "LEDGER_REFERENCES",
    "LEDGER_TRANSACTIONS",
    "MAILS",
    "MEMBERSHIPS",
    "METADATA",
    "MINORS",
    "OFFERS",
    "OFFLINE_ITEMS",
    "OUTBOX",
    "PAIRINGS",
    "PARTNER_SETTLEMENTS",
    "PARTNER_SETTLEMENT_LINES",
    "PROCESSED_EVENTS",
    "PROGRAMME_REVISIONS",
    "PURCHASES",
    "PURCHASE_LINES",
    "PURCHASE_POINTS",
    "PURCHASE_REDEMPTIONS",
    "PURCHASE_RETURNS",
    "PUSH_SLOTS",
    "PUSH_SUBSCRIPTIONS",
    "REDEMPTIONS",
    "REFERRALS",
    "REFERRAL_CODES",
    "RETURN_LINES",
    "REVERSALS",
    "SEGMENT_LEVELS",
    "SEGMENT_REVIEWS",
    "SERVICE_CASES",
    "SHOPPERS",
    "SHOPPER_ATTRIBUTES",
    "SHOPPER_FACTS",
    "SHOPPER_TIERS",
    "SITES",
    "STAFF_REQUESTS",
    "STAFF_USERS",
    "SURVEYS",
    "SURVEY_ANSWERS",
    "SURVEY_CHOICES",
    "SUSPENSIONS",
    "TIER_CHANGES",
    "TIER_CREDITS",
    "TILL_DAYS",
    "TRIPS",
    "VISITS",
    "WALLETS",
    "WEBHOOKS",
    "WEBHOOK_EVENTS",
    "WEBHOOK_KINDS",
    "WEBHOOK_QUEUE",
    "DataClass",
]
