"""Erasure: what is exported is what is erased, nothing else changes, and the books still agree."""

from collections import Counter

import pytest
import sqlalchemy as sa

from offers.handlers.note_audit import verify_audit
from offers.handlers.people.erase_shopper import erase_shopper, erasure_fingerprint, replay_erasures
from offers.handlers.people.export_shopper import export_shopper, note_export
from offers.handlers.people.issue_credential import identify_caller
from offers.model.campaigns.campaign import Budget, FrequencyCap
from offers.model.errors import NotFound
from offers.model.ids import ShopperId
from offers.model.offering.refusal import TillRefusal
from offers.model.outbox import OutboxKind
from offers.model.people.shopper import Role
from offers.storage.personal_data import APART, KEPT, exported_columns, links, unhandled
from offers.storage.tables import METADATA, REDEMPTIONS, SHOPPERS, DataClass
from offers.storage.tables.columns import key, text
from rtls.model.units import UnixMs
from tests.unit.offers.remembered import (
    AT_MS,
    TAG,
    a_shopper_who_has_done_it_all,
    connection_of,
    credential_of,
    everything,
    identifiers,
)
from tests.unit.offers.shop import MINUTE_MS, START_MS, Shop, campaign
from tests.unit.offers.till import Till

CAMPAIGN = campaign(cap=FrequencyCap(offers_max=5, window_s=60), budget=Budget(redemptions_max=10))
LATER_MS = UnixMs(AT_MS + 200 * MINUTE_MS)


def erase(shop: Shop, shopper: ShopperId) -> bool:
    return erase_shopper(shopper, work=shop.work, now_ms=LATER_MS, secrets=shop.secrets)


@pytest.fixture
def anna(shop: Shop) -> ShopperId:
    shop.start(CAMPAIGN)
    return a_shopper_who_has_done_it_all(shop)


def test_of_twenty_names_of_the_shopper_none_is_left_in_any_table(
    shop: Shop, anna: ShopperId
) -> None:
    """Keys, tags, visits, offers, coupons, fingerprints: a search for each finds nothing."""
    names = identifiers(shop, anna)
    assert len(names) >= 20
    before = everything(shop)
    assert all(name in before for name in names)
    assert erase(shop, anna)
    told = [event.sequence for event in shop.work.outbox.waiting(limit=100)]
    shop.work.outbox.done(told)
    after = everything(shop)
    assert [name for name in names if name in after] == []


def test_the_sums_of_the_books_and_the_budget_stay(shop: Shop, anna: ShopperId) -> None:
    """Tax law wants the discount explained; the open coupon's budget comes back, points end."""
    connection = connection_of(shop)
    count, discount = connection.execute(
        sa.select(sa.func.count(), sa.func.sum(REDEMPTIONS.c.discount_minor))
    ).one()
    assert (count, discount) == (1, 200)
    held = "SELECT held, used FROM budgets"
    assert connection.exec_driver_sql(held).one() == (1, 1)
    sums = "SELECT sum(amount_minor) FROM ledger_postings"
    assert connection.exec_driver_sql(sums).scalar_one() == 0
    erase(shop, anna)
    assert connection.exec_driver_sql(sums).scalar_one() == 0
    owed = "SELECT sum(open_minor) FROM ledger_lots"
    assert connection.exec_driver_sql(owed).scalar_one() == 0
    row = connection.execute(sa.select(REDEMPTIONS)).one()
    assert (row.discount_minor, row.campaign_id, row.till) == (200, "dowels-2-off", "till-1")
    assert (row.shopper_id, row.offer_id, row.coupon_id) == (None, None, None)
    assert connection.exec_driver_sql(held).one() == (0, 1)
    assert shop.work.coupons.find_redemption(row.redemption_id) is None


def test_nobody_else_loses_anything(shop: Shop, anna: ShopperId) -> None:
    """The other shopper's export is the same to the last field, before and after."""
    ben = a_shopper_who_has_done_it_all(shop, "tag:ben")
    before = shop.work.personal_data.export(ben)
    assert len(before) >= 12
    erase(shop, anna)
    assert shop.work.personal_data.export(ben) == before


def test_locating_is_told_to_forget_the_tag_even_what_was_untold_before(
    shop: Shop, anna: ShopperId
) -> None:
    """The row has no shopper any more, and comes behind whatever admitted the tag."""
    shop.pair(anna, "tag:second", now_ms=AT_MS)
    erase(shop, anna)
    waiting = shop.work.outbox.waiting(limit=100)
    assert Counter(event.subject for event in waiting) == {TAG: 1, "tag:second": 1}
    assert {event.kind for event in waiting} == {OutboxKind.TAG_WITHDRAWN}
    assert {event.shopper for event in waiting} == {None}
    assert shop.work.pairings.admitted_tags(now_ms=AT_MS) == frozenset()


def test_a_coupon_in_a_basket_at_the_till_comes_free_first(shop: Shop) -> None:
    """Whoever deletes the app in the queue pays the full price; the budget is whole again."""
    shop.start(CAMPAIGN)
    till = Till(shop, now_ms=AT_MS)
    basket = till.hold(shop.code_in_hand(TAG, at_ms=AT_MS))
    pairing = shop.work.pairings.open_of_tag(TAG)
    assert pairing is not None
    erase(shop, pairing.shopper)
    assert till.commit(basket) is TillRefusal.HOLD_CANCELLED
    held = connection_of(shop).exec_driver_sql("SELECT held, used FROM budgets").one()
    assert held == (0, 0)


def test_a_purchase_can_be_brought_back_after_its_shopper_has_gone(shop: Shop) -> None:
    """The law lets a buyer return goods, card or no card; the till's books name nobody."""
    shop.start(CAMPAIGN)
    till = Till(shop, now_ms=AT_MS)
    bought = till.pay(shop.code_in_hand(TAG, at_ms=AT_MS), prices_minor=(1_000, 500))
    pairing = shop.work.pairings.open_of_tag(TAG)
    assert pairing is not None
    names = identifiers(shop, pairing.shopper)
    erase(shop, pairing.shopper)
    shop.work.outbox.done([event.sequence for event in shop.work.outbox.waiting(limit=100)])
    kept = everything(shop)
    assert [name for name in names if name in kept] == []
    returned = till.take_back(bought.purchase, {0: 1, 1: 1})
    assert returned.refund.amount_minor == 1_300


def test_the_credential_goes_with_the_shopper(shop: Shop) -> None:
    """The app that asked for it is a stranger from the next call on."""
    from offers.handlers.people.enrol_shopper import enrol_shopper
    from offers.model.people.shopper import Locale

    enrolled = enrol_shopper(Locale.DE, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    assert (
        identify_caller(enrolled.secret, work=shop.work, secrets=shop.secrets, now_ms=START_MS)
        is not None
    )
    erase(shop, enrolled.shopper.shopper)
    assert (
        identify_caller(enrolled.secret, work=shop.work, secrets=shop.secrets, now_ms=START_MS)
        is None
    )


def test_erasing_twice_is_as_good_as_once(shop: Shop, anna: ShopperId) -> None:
    """A phone that lost our answer asks again."""
    assert erase(shop, anna)
    after = everything(shop)
    assert not erase(shop, anna)
    assert everything(shop) == after


def test_the_audit_still_verifies_and_says_that_somebody_was_erased(
    shop: Shop, anna: ShopperId
) -> None:
    """What happened stays provable; to whom is known only to who knows the key."""
    erase(shop, anna)
    report = verify_audit(work=shop.work)
    assert report.fault is None
    assert report.head is not None
    assert (report.head.action, report.head.actor_role) == ("shopper_erased", "system")
    erased = shop.work.personal_data.erasures(after="", limit=10)
    assert [who.fingerprint for who in erased] == [erasure_fingerprint(anna, secrets=shop.secrets)]


def test_a_restored_backup_is_cleaned_by_the_list_of_who_was_erased(
    shop: Shop, anna: ShopperId
) -> None:
    """The backup of last night knows a shopper who left this morning."""
    ben = a_shopper_who_has_done_it_all(shop, "tag:ben")
    erased = {erasure_fingerprint(anna, secrets=shop.secrets)}
    done, page = replay_erasures(
        erased, after="", work=shop.work, now_ms=LATER_MS, secrets=shop.secrets
    )
    assert (done, page) == (1, None)
    assert shop.work.shoppers.find(anna) is None
    assert shop.work.shoppers.find(ben) is not None


def test_an_export_holds_every_row_about_the_shopper_and_no_secret(
    shop: Shop, anna: ShopperId
) -> None:
    """GDPR Art. 15 and 20: all of it, readable by machines; a fingerprint is nobody's business."""
    a_shopper_who_has_done_it_all(shop, "tag:ben")
    note_export(anna, work=shop.work, now_ms=LATER_MS, secrets=shop.secrets)
    export = export_shopper(anna, work=shop.work, now_ms=LATER_MS, secrets=shop.secrets)
    assert {"shoppers", "consents", "pairings", "visits", "decisions", "offers", "coupons"} <= set(
        export.tables
    )
    assert export.tables["answers"][0]["body"] == '{"of": "anna"}'
    assert export.tables["answers"][0]["caller"] == credential_of(shop, anna)
    assert "fingerprint" not in export.tables["credentials"][0]
    assert "tag:ben" not in str(export)
    assert export.audit[-1].action == "shopper_exported"
    assert export.audit[-1].actor_role == Role.SHOPPER.value


def test_an_export_names_no_other_shopper(shop: Shop, anna: ShopperId) -> None:
    """Who recommended us to whom is Anna's to know; Ben's key is not."""
    ben = shop.shopper(tag=None)
    referral = {
        "referral_id": "r" * 32,
        "referrer_id": ben,
        "referred_id": anna,
        "state": "pending",
        "at_ms": START_MS,
    }
    connection_of(shop).execute(sa.insert(METADATA.tables["referrals"]), referral)
    row = shop.work.personal_data.export(anna)["referrals"][0]
    assert (row["referrer_id"], row["referred_id"]) == ("another shopper", anna)


def test_who_was_erased_has_nothing_to_export(shop: Shop, anna: ShopperId) -> None:
    """And is told so."""
    erase(shop, anna)
    with pytest.raises(NotFound, match="erased"):
        export_shopper(anna, work=shop.work, now_ms=LATER_MS, secrets=shop.secrets)


def test_every_table_is_handled() -> None:
    """A table that reaches a shopper is exported and erased, or its exception has a reason."""
    assert unhandled() == ()
    reaching = set(links()) | {SHOPPERS}
    assert set(KEPT) <= reaching
    assert not set(APART) & reaching
    assert all(len(kept.reason) > 20 for kept in KEPT.values())


def test_a_new_table_with_data_of_persons_that_leads_to_nobody_is_refused() -> None:
    """The next engineer forgets the foreign key; this test does not."""
    metadata = METADATA.__class__()
    shoppers = SHOPPERS.to_metadata(metadata)
    sa.Table("notes", metadata, key("note_id", primary=True), text("words", DataClass.BEHAVIOUR))
    assert [fault.partition(":")[0] for fault in unhandled(metadata)][:2] == ["notes", "shoppers"]
    assert shoppers is not SHOPPERS


def test_a_kept_table_that_refers_to_what_is_erased_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the first erasure in the shop fails on a foreign key."""
    kept = KEPT[REDEMPTIONS]
    monkeypatch.setitem(KEPT, REDEMPTIONS, type(kept)(reason=kept.reason, links=kept.links[:1]))
    assert {fault.partition(":")[0] for fault in unhandled()} == {
        "redemptions.offer_id",
        "redemptions.shopper_id",
    }


def test_only_secrets_are_left_out_of_an_export() -> None:
    """Everything else about a person is his to see."""
    left_out = {
        f"{table.name}.{column.name}"
        for table in links()
        for column in table.columns
        if column not in set(exported_columns(table))
    }
    assert left_out == {
        "credentials.fingerprint",
        "coupon_codes.fingerprint",
        "card_claims.fingerprint",
        "push_subscriptions.endpoint",
        "push_subscriptions.browser_key",
        "push_subscriptions.browser_secret",
    }
