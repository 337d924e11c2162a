"""The audit chain: what was done stands there, and nobody can change it unseen."""

import hashlib
import json

import pytest
import sqlalchemy as sa

from offers.handlers.note_audit import note_audit, shopper_pseudonym, verify_audit
from offers.handlers.people.issue_credential import issue_credential, revoke_credential
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.audit import NO_HASH, SYSTEM, Actor, AuditAction, first_fault, next_entry
from offers.model.errors import Busy, InvalidShopper
from offers.model.ids import TillId
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Role
from offers.model.till.redemption import Redemption
from offers.storage.tables import AUDIT
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, campaign, checkout


def note(shop: Shop, subject: str, *, at_ms: int = START_MS) -> None:
    note_audit(AuditAction.CAMPAIGN_PAUSED, subject=subject, work=shop.work, now_ms=UnixMs(at_ms))


def entries(shop: Shop):
    return shop.work.audit.page(after=0, limit=1_000)


def actions(shop: Shop) -> list[str]:
    return [entry.action for entry in entries(shop)]


def test_an_entry_carries_the_hash_of_its_fields_and_of_the_entry_before(shop: Shop) -> None:
    """Anybody can compute it by hand: SHA-256 of the fields as a JSON list without blanks."""
    note(shop, "dowels")
    note(shop, "paint", at_ms=START_MS + 1)
    first, second = entries(shop)
    written = f'[1,{START_MS},"system",null,"campaign_paused","dowels","{{}}","{NO_HASH}"]'
    assert first.hash == hashlib.sha256(written.encode()).hexdigest()
    assert (first.previous, second.previous) == (NO_HASH, first.hash)
    assert verify_audit(work=shop.work).fault is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at_ms", START_MS + 7),
        ("actor_role", "operator"),
        ("actor_ref", "somebody"),
        ("action", "campaign_started"),
        ("subject", "another"),
        ("details", '{"a":1}'),
        ("hash", "f" * 64),
        ("previous", "e" * 64),
        ("details", b"no text at all"),
    ],
)
def test_whatever_is_changed_in_an_entry_names_it(shop: Shop, column: str, value: object) -> None:
    """Each field counts, and so does what a forger puts there that we never would."""
    for n in range(9):
        note(shop, f"c{n}")
    forged = sa.update(AUDIT).where(AUDIT.c.sequence == 5).values({column: value})
    shop.work.audit._connection.execute(forged)
    for page in (1, 2, 4, 5, 1_000):
        report = verify_audit(work=shop.work, page=page)
        assert report.fault is not None
        assert (report.fault.sequence, report.entries) == (5, 4)


def test_an_entry_that_was_taken_out_names_the_one_behind_it(shop: Shop) -> None:
    """A gap is a lie too."""
    for n in range(5):
        note(shop, f"c{n}")
    shop.work.audit._connection.execute(AUDIT.delete().where(AUDIT.c.sequence == 3))
    fault = verify_audit(work=shop.work).fault
    assert fault is not None
    assert (fault.sequence, fault.reason) == (4, "entry 3 is missing before it")


def test_a_chain_that_was_cut_off_or_written_anew_is_found_by_the_head_noted_earlier(
    shop: Shop,
) -> None:
    """A chain alone cannot know that its end is missing: somebody else must remember it."""
    for n in range(5):
        note(shop, f"c{n}")
    head = verify_audit(work=shop.work).head
    assert head is not None
    noted = (head.sequence, head.hash)
    note(shop, "later")
    assert verify_audit(work=shop.work, noted=noted).fault is None
    shop.work.audit._connection.execute(AUDIT.delete().where(AUDIT.c.sequence >= 4))
    assert verify_audit(work=shop.work).fault is None
    fault = verify_audit(work=shop.work, noted=noted).fault
    assert fault is not None
    assert fault.sequence == 5


def test_two_entries_behind_one_are_refused(shop: Shop) -> None:
    """A fork would be two stories of which each verifies."""
    note(shop, "a")
    head = shop.work.audit.head()
    told = {"by": SYSTEM, "details": {}, "at_ms": START_MS}
    one = next_entry(head, AuditAction.CAMPAIGN_PAUSED, subject="b", **told)
    two = next_entry(head, AuditAction.CAMPAIGN_PAUSED, subject="c", **told)
    assert shop.work.audit.append(one)
    assert not shop.work.audit.append(two)
    assert [entry.subject for entry in entries(shop)] == ["a", "b"]


def test_who_comes_second_is_busy_and_has_done_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command is repeated and then stands behind the other's entry."""
    note(shop, "a")
    stale = shop.work.audit.head()
    note(shop, "b")
    monkeypatch.setattr(shop.work.audit, "head", lambda: stale)
    with pytest.raises(Busy, match="audit entry 2"):
        note(shop, "c")


def test_an_empty_chain_is_sound(shop: Shop) -> None:
    """The first day."""
    report = verify_audit(work=shop.work)
    assert (report.entries, report.head, report.fault) == (0, None, None)
    assert first_fault([], after=None) is None


def test_details_are_bounded(shop: Shop) -> None:
    """Nobody may fill the audit with a novel."""
    with pytest.raises(InvalidShopper, match="at most 1000"):
        note_audit(
            AuditAction.CAMPAIGN_STARTED,
            subject="a",
            details={"note": "x" * 1_000},
            work=shop.work,
            now_ms=START_MS,
        )


def test_an_actor_has_role_and_ref_or_neither() -> None:
    """An operator without a name did it: that is no answer."""
    with pytest.raises(InvalidShopper, match="both, or none"):
        Actor(role=Role.OPERATOR)


def test_consents_are_noted_once_each_under_a_pseudonym(shop: Shop) -> None:
    """GDPR Art. 7(1): who agreed to what, when, to which text; and no key that outlives erasure."""
    anna = shop.shopper(Purpose.LOCATE, tag=None)
    shop.say(anna, Purpose.LOCATE, is_granted=True)  # said twice, noted once
    shop.say(anna, Purpose.LOCATE, is_granted=False)
    assert actions(shop) == ["credential_issued", "consent_granted", "consent_withdrawn"]
    granted = entries(shop)[1]
    name = shopper_pseudonym(anna, secrets=shop.secrets)
    assert (granted.subject, granted.actor_role, granted.actor_ref) == (name, "shopper", name)
    assert json.loads(granted.details) == {
        "channel": "app",
        "locale": "de",
        "purpose": "locate",
        "text_version": "v1",
    }
    assert anna not in str(entries(shop))
    assert shop.work.audit.of_subject(name, after=1, limit=1) == (granted,)


def test_keys_of_staff_are_noted_with_who_issued_and_who_revoked_them(shop: Shop) -> None:
    """After a theft: whose key was it, and since when."""
    operator = Actor(role=Role.OPERATOR, ref="o" * 32)
    issued = issue_credential(
        Role.TILL,
        work=shop.work,
        now_ms=START_MS,
        secrets=shop.secrets,
        till=TillId("till-9"),
        site=SITE,
        by=operator,
    )
    revoke_credential(issued.credential.credential, work=shop.work, now_ms=START_MS, by=operator)
    assert actions(shop) == ["credential_issued", "credential_revoked"]
    assert {entry.subject for entry in entries(shop)} == {issued.credential.credential}
    assert {entry.actor_ref for entry in entries(shop)} == {"o" * 32}
    assert issued.secret not in str(entries(shop))


def test_a_redemption_is_noted_by_its_own_id(shop: Shop) -> None:
    """So that after an erasure nothing leads from one redemption of a person to the next."""
    shop.start(campaign())
    at_ms = START_MS + 10 * MINUTE_MS
    code = shop.code_in_hand(at_ms=at_ms)
    done = redeem_coupon(checkout(code), work=shop.work, now_ms=UnixMs(at_ms), secrets=shop.secrets)
    assert isinstance(done, Redemption)
    noted = entries(shop)[-1]
    assert (noted.action, noted.subject) == ("coupon_redeemed", done.redemption)
    assert (noted.actor_role, noted.actor_ref) == ("till", "till-1")
    assert json.loads(noted.details)["discount_minor"] == 200
    assert done.shopper not in noted.details + noted.subject
    assert verify_audit(work=shop.work).fault is None
