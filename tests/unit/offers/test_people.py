"""enrol, credentials, pairing: who is who, and who carries what."""

import hashlib

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.people.change_consent import ConsentWish
from offers.handlers.people.enrol_shopper import enrol_shopper
from offers.handlers.people.issue_credential import (
    identify_caller,
    issue_credential,
    revoke_credential,
)
from offers.handlers.people.pair_tag import PAIRING_MS, PAIRINGS_MAX, unpair_tag
from offers.model.errors import Conflict, ConsentMissing, InvalidShopper, NotFound, TagTaken
from offers.model.ids import TillId
from offers.model.people.consent import Purpose
from offers.model.people.consent_text import ConsentText
from offers.model.people.pairing import check_tag
from offers.model.people.shopper import Locale, Role
from rtls.model.units import UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop


def test_an_enrolment_is_known_by_its_secret_and_holds_what_was_said(shop: Shop) -> None:
    """And by nothing else: there is no name, no address, no phone number."""
    wish = ConsentWish(purpose=Purpose.LOCATE, is_granted=True, text_version="2026-01")
    enrolment = enrol_shopper(
        Locale.EN, wishes=[wish], work=shop.work, now_ms=START_MS, secrets=shop.secrets
    )
    caller = identify_caller(
        enrolment.secret, work=shop.work, secrets=shop.secrets, now_ms=START_MS
    )
    assert caller == enrolment.credential
    assert caller.shopper == enrolment.shopper.shopper
    assert enrolment.consents.granted(Purpose.LOCATE) is not None
    assert enrolment.consents.granted(Purpose.NOTIFY) is None
    assert enrolment.secret not in repr(enrolment)


def test_a_revoked_till_is_nobody(shop: Shop) -> None:
    """A stolen key stops with the next call."""
    issued = issue_credential(
        Role.TILL,
        till=TillId("till-1"),
        site=SITE,
        work=shop.work,
        now_ms=START_MS,
        secrets=shop.secrets,
    )
    assert issued.secret.startswith("till_")
    revoke_credential(issued.credential.credential, work=shop.work, now_ms=START_MS)
    assert (
        identify_caller(issued.secret, work=shop.work, secrets=shop.secrets, now_ms=START_MS)
        is None
    )
    with pytest.raises(NotFound):
        revoke_credential(issued.credential.credential, work=shop.work, now_ms=START_MS)


@pytest.mark.parametrize("secret", ["", "till_", "x" * 10_000, "till_\udcff"])
def test_nonsense_is_nobodys_secret(shop: Shop, secret: str) -> None:
    """Headers come from the internet."""
    encodable = secret.encode("utf-8", "replace").decode()
    assert identify_caller(encodable, work=shop.work, secrets=shop.secrets, now_ms=START_MS) is None


def test_pairing_needs_the_consent_to_be_located(shop: Shop) -> None:
    """Without it no tag is ever looked for."""
    anna = shop.shopper(Purpose.PERSONALISE, tag=None)
    with pytest.raises(ConsentMissing, match="locate"):
        shop.pair(anna, "tag:1")


def test_a_tag_stands_for_one_shopper_at_a_time(shop: Shop) -> None:
    """Two owners of one tag would share their walks."""
    anna = shop.shopper(tag="trolley")
    ben = shop.shopper(tag=None)
    with pytest.raises(TagTaken):
        shop.pair(ben, "trolley")
    (pairing,) = shop.work.pairings.active_of_shopper(anna, now_ms=START_MS)
    unpair_tag(anna, pairing.pairing, work=shop.work, now_ms=START_MS)
    assert shop.pair(ben, "trolley").shopper == ben


def test_the_database_refuses_a_second_open_pairing(shop: Shop) -> None:
    """The partial UNIQUE index itself, without the handler in front of it."""
    anna = shop.shopper(tag="trolley")
    (pairing,) = shop.work.pairings.active_of_shopper(anna, now_ms=START_MS)
    assert not shop.work.pairings.add(
        type(pairing)(
            pairing="5" * 32,
            tag=pairing.tag,
            shopper=anna,
            consent=pairing.consent,
            paired_at_ms=pairing.paired_at_ms,
            expires_at_ms=pairing.expires_at_ms,
        )
    )


def test_a_pairing_ends_by_itself(shop: Shop) -> None:
    """A trolley that was never handed back is free the next morning."""
    shop.shopper(tag="trolley")
    ben = shop.shopper(tag=None)
    after_ms = START_MS + PAIRING_MS
    assert shop.work.pairings.admitted_tags(now_ms=UnixMs(after_ms - 1)) == {"trolley"}
    assert shop.work.pairings.admitted_tags(now_ms=UnixMs(after_ms)) == frozenset()
    assert expire_overdue(work=shop.work, now_ms=UnixMs(after_ms)).pairings == 1
    assert shop.pair(ben, "trolley", now_ms=after_ms).shopper == ben


def test_an_expired_pairing_makes_room_even_before_the_sweep(shop: Shop) -> None:
    """The clock decides, not the moment somebody cleans up."""
    shop.shopper(tag="trolley")
    ben = shop.shopper(tag=None)
    assert shop.pair(ben, "trolley", now_ms=START_MS + PAIRING_MS).shopper == ben


def test_a_shopper_carries_few_tags(shop: Shop) -> None:
    """A bound on everything that grows."""
    anna = shop.shopper(tag=None)
    for number in range(PAIRINGS_MAX):
        shop.pair(anna, f"tag:{number}")
    with pytest.raises(Conflict, match="at most 4"):
        shop.pair(anna, "tag:one-more")


def test_nobody_unpairs_for_another(shop: Shop) -> None:
    """Foreign and unknown look alike."""
    anna = shop.shopper(tag="trolley")
    ben = shop.shopper(tag=None)
    (pairing,) = shop.work.pairings.active_of_shopper(anna, now_ms=START_MS)
    with pytest.raises(NotFound):
        unpair_tag(ben, pairing.pairing, work=shop.work, now_ms=START_MS)


@pytest.mark.parametrize("tag", ["", "a b", "tag\n", "x" * 129, "täg", "a\0b"])
def test_a_tag_that_no_gateway_reports_is_refused(tag: str) -> None:
    """Ids reach logs and topics."""
    with pytest.raises(InvalidShopper, match="tag is"):
        check_tag(tag)


def test_a_grant_carries_the_hash_of_the_text_that_was_shown(shop: Shop) -> None:
    """GDPR Art. 7(1): to these very words she agreed."""
    text = ConsentText(version="v1", locale=Locale.DE, text="Ja.")
    assert shop.work.consents.keep_text(text)
    anna = shop.shopper(Purpose.LOCATE, tag=None)
    (record,) = shop.work.consents.history_of(anna)
    assert record.text_sha256 == hashlib.sha256(b"Ja.").hexdigest()


def test_a_version_that_nobody_has_shown_cannot_be_granted_but_taken_back(shop: Shop) -> None:
    """An old app may always say no."""
    anna = shop.shopper(Purpose.LOCATE, tag=None)
    shop.work.consents.keep_text(ConsentText(version="v2", locale=Locale.DE, text="Ja."))
    with pytest.raises(InvalidShopper, match="text_version is 'v1'"):
        shop.say(anna, Purpose.NOTIFY, is_granted=True)
    shop.say(anna, Purpose.LOCATE, is_granted=False)
    assert shop.work.consents.state_of(anna).granted(Purpose.LOCATE) is None
