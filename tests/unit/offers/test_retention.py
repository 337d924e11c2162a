"""Retention: a second after its time nothing is left, and a second before nothing is missing."""

import pytest
import sqlalchemy as sa

from offers.handlers.expire_overdue import expire_overdue
from offers.model.conditions.fact import DAY_MS
from offers.storage.personal_data import KEPT, personal_tables
from offers.storage.retention import ELSEWHERE, RULES, WHILE_ENROLLED
from offers.storage.tables import METADATA, OFFERS, PAIRINGS, PURCHASES, REDEMPTIONS
from rtls.model.units import UnixMs
from tests.unit.offers.remembered import AT_MS, TAG, a_shopper_who_has_done_it_all, connection_of
from tests.unit.offers.shop import START_MS, Shop, campaign
from tests.unit.offers.test_erase_shopper import CAMPAIGN
from tests.unit.offers.till import Till

TEN_YEARS_MS = 3_653 * DAY_MS
YEAR_MS = 365 * DAY_MS


def sweep_until_nothing_is_left_to_do(shop: Shop, now_ms: int) -> None:
    before = -1
    while before != (after := rows_in_all(shop)):
        before = after
        expire_overdue(work=shop.work, now_ms=UnixMs(now_ms))


def rows_in_all(shop: Shop) -> int:
    connection = connection_of(shop)
    return sum(count(connection, table) for table in METADATA.sorted_tables)


def count(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def newest(shop: Shop, table: sa.Table) -> int:
    latest = sa.select(sa.func.max(RULES[table].since))
    return int(connection_of(shop).execute(latest).scalar_one() or 0)


def test_every_table_about_persons_says_how_long_it_keeps_what() -> None:
    """Nothing about a person may grow for ever; what stays while enrolled has its reason."""
    ruled = {table.name for table in RULES} | set(ELSEWHERE) | set(WHILE_ENROLLED)
    goes_along = set(RULES)
    for table in METADATA.sorted_tables:
        if any(key.referred_table in goes_along for key in table.foreign_key_constraints):
            goes_along.add(table)
    unsaid = {table.name for table in set(personal_tables()) - goes_along} - ruled
    assert unsaid == set()
    assert all(len(rule.reason) > 5 for rule in RULES.values())


@pytest.mark.parametrize("table", [OFFERS, PAIRINGS, PURCHASES, REDEMPTIONS], ids=str)
def test_a_second_after_its_time_no_row_is_left_and_a_second_before_it_is_there(
    shop: Shop, table: sa.Table
) -> None:
    """Simulated time: the limit is exact, and what refers to a row does not hold it back."""
    shop.start(CAMPAIGN)
    a_shopper_who_has_done_it_all(shop)
    till = Till(shop, now_ms=AT_MS)
    till.pay(shop.code_in_hand("tag:ben", at_ms=AT_MS))
    sweep_until_nothing_is_left_to_do(shop, AT_MS + 29 * DAY_MS)  # all has ended or expired
    end_ms = newest(shop, table) + RULES[table].days * DAY_MS
    sweep_until_nothing_is_left_to_do(shop, end_ms - 1_000)
    assert count(connection_of(shop), table) > 0
    sweep_until_nothing_is_left_to_do(shop, end_ms + 1_000)
    assert count(connection_of(shop), table) == 0


def test_ten_years_and_a_second_later_only_what_the_card_needs_is_left(shop: Shop) -> None:
    """Every rule at once, over a shopper who has done everything."""
    shop.start(CAMPAIGN)
    a_shopper_who_has_done_it_all(shop)
    Till(shop, now_ms=AT_MS).pay(shop.code_in_hand("tag:ben", at_ms=AT_MS))
    sweep_until_nothing_is_left_to_do(shop, AT_MS + 29 * DAY_MS)
    sweep_until_nothing_is_left_to_do(shop, AT_MS + TEN_YEARS_MS + 30 * DAY_MS)
    shop.work.outbox.done([event.sequence for event in shop.work.outbox.waiting(limit=100)])
    connection = connection_of(shop)
    left = {table.name for table in personal_tables() if count(connection, table)}
    assert left <= set(WHILE_ENROLLED) | {"credentials"}
    assert {"shoppers", "consents"} <= left


def test_the_books_keep_a_redemption_whose_offer_has_gone(shop: Shop) -> None:
    """After 13 months nobody knows where the shopper stood; the discount is still explained."""
    shop.start(CAMPAIGN)
    anna = a_shopper_who_has_done_it_all(shop)
    sweep_until_nothing_is_left_to_do(shop, AT_MS + YEAR_MS + 60 * DAY_MS)
    row = connection_of(shop).execute(sa.select(REDEMPTIONS)).one()
    assert (row.shopper_id, row.offer_id, row.coupon_id) == (anna, None, None)
    assert row.discount_minor == 200
    assert REDEMPTIONS in KEPT


def test_a_coupon_that_can_still_be_used_keeps_its_offer(shop: Shop) -> None:
    """A coupon of two years is a promise, whatever the sweep thinks of its offer."""
    shop.start(campaign())
    shop.code_in_hand(TAG, at_ms=AT_MS)
    connection = connection_of(shop)
    old = START_MS - 500 * DAY_MS
    connection.execute(sa.update(OFFERS).values(state="expired", ended_at_ms=old))
    shop.work.retention.forget_old(now_ms=AT_MS, limit=10)
    assert count(connection, OFFERS) == 1


def test_a_call_does_a_bounded_amount(shop: Shop) -> None:
    """The sweep must never hold up the tills."""
    shop.start(CAMPAIGN)
    for n in range(5):
        a_shopper_who_has_done_it_all(shop, f"tag:{n}")
    expire_overdue(work=shop.work, now_ms=UnixMs(AT_MS + 30 * DAY_MS))
    before = count(connection_of(shop), OFFERS)
    shop.work.retention.forget_old(now_ms=UnixMs(AT_MS + 2 * YEAR_MS), limit=2)
    assert count(connection_of(shop), OFFERS) == before - 2
