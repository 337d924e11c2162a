"""All that the database knows of a shopper who has done everything once, as plain texts."""

import sqlalchemy as sa

from offers.handlers.answer_once import answer_once
from offers.handlers.loyalty.post_points import earn
from offers.handlers.profile.answer_case import Reply, answer_case
from offers.handlers.profile.open_case import complain
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.ids import CredentialId, ShopperId
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.points import Earning
from offers.model.people.service_case import ServiceCase
from offers.model.people.shopper import Credential, Role
from offers.model.till.redemption import Redemption
from offers.storage.tables import CREDENTIALS, METADATA
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, checkout

TAG = "tag:anna-7f3a"
AT_MS = START_MS + 10 * MINUTE_MS
# Of the books; and facts refer to events by their hash, which stays known for 30 days.
NOT_THEIRS = {"redemptions", "shopper_facts"}
# Names of rows and columns that stand for a person; redemption_id names a row of the books.
IDENTIFIERS = (
    "shopper_id",
    "credential_id",
    "fingerprint",
    "consent_id",
    "locate_consent_id",
    "personalise_consent_id",
    "pairing_id",
    "tag",
    "visit_id",
    "decision_id",
    "offer_id",
    "coupon_id",
    "case_id",
    "answer_id",
    "caller",
    "key",
    "reference",
)


def a_shopper_who_has_done_it_all(shop: Shop, tag: str = TAG) -> ShopperId:
    """Redeem one coupon at the shelf, earn points, and hold an open offer from a second visit."""
    code = shop.code_in_hand(tag, at_ms=AT_MS)
    pairing = shop.work.pairings.open_of_tag(tag)
    assert pairing is not None
    done = redeem_coupon(checkout(code), work=shop.work, now_ms=UnixMs(AT_MS), secrets=shop.secrets)
    assert isinstance(done, Redemption)
    earning = Earning(
        unit=POINTS,
        amount_minor=70,
        reason=PostingReason.PURCHASE,
        reference=f"purchase-of-{tag}",
        active_at_ms=UnixMs(AT_MS),
        expires_at_ms=UnixMs(AT_MS + 10**9),
    )
    earn(pairing.shopper, earning, work=shop.work, now_ms=UnixMs(AT_MS), secrets=shop.secrets)
    shop.stand(tag, at_ms=AT_MS + 120 * MINUTE_MS)
    asked = IdempotentRequest.of(
        caller=credential_of(shop, pairing.shopper),
        key=f"key-of-{tag}",
        operation="exchange",
        body=b"{}",
    )
    answer_once(
        asked,
        lambda: StoredAnswer(status=201, body=b'{"of": "anna"}'),
        work=shop.work,
        now_ms=UnixMs(AT_MS),
    )
    complain_and_answer(shop, pairing.shopper)
    return pairing.shopper


def complain_and_answer(shop: Shop, shopper: ShopperId) -> None:
    """Let the shopper write to us, and staff answer."""
    case = complain(
        shopper,
        "Nobody was at the saw.",
        site=SITE,
        day="2023-11-14",
        work=shop.work,
        now_ms=UnixMs(AT_MS),
        secrets=shop.secrets,
    )
    assert isinstance(case, ServiceCase)
    staff = Credential(
        credential=CredentialId("5" * 32), role=Role.STORE_ADMIN, site=SITE, created_at_ms=START_MS
    )
    answer_case(
        case.case,
        Reply(words="We are sorry."),
        by=staff,
        day="2023-11-14",
        work=shop.work,
        now_ms=UnixMs(AT_MS),
        secrets=shop.secrets,
    )


def credential_of(shop: Shop, shopper: ShopperId) -> CredentialId:
    """Return the credential of the shopper's app."""
    query = sa.select(CREDENTIALS.c.credential_id).where(CREDENTIALS.c.shopper_id == shopper)
    return CredentialId(connection_of(shop).execute(query).scalar_one())


def identifiers(shop: Shop, shopper: ShopperId) -> frozenset[str]:
    """Return every text that names the shopper or a row of his alone."""
    tables = shop.work.personal_data.export(shopper)
    found = {
        str(row[name])
        for table, rows in tables.items()
        for row in rows
        for name in IDENTIFIERS
        if row.get(name) is not None and table not in NOT_THEIRS
    }
    for name in ("credentials", "coupon_codes"):
        table = METADATA.tables[name]
        found |= set(connection_of(shop).execute(sa.select(table.c.fingerprint)).scalars())
    return frozenset(found)


def everything(shop: Shop) -> str:
    """Return all that stands in any table, as one text."""
    connection = connection_of(shop)
    return "\n".join(
        f"{table.name}: {tuple(row)}"
        for table in METADATA.sorted_tables
        for row in connection.execute(sa.select(table))
    )


def connection_of(shop: Shop) -> sa.Connection:
    """Return the transaction's connection."""
    connection: sa.Connection = shop.work.audit._connection._connection
    return connection
