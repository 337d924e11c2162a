"""Who of the staff may act, for how long, and how that ends."""

from dataclasses import replace

import pytest

from offers.handlers.people.issue_credential import identify_caller
from offers.handlers.people.staff_users import (
    add_staff_user,
    change_password,
    close_session,
    open_session,
    remove_staff_user,
)
from offers.model.errors import Conflict, InvalidShopper, NotFound, WrongState
from offers.model.ids import StaffName, TillId
from offers.model.people.shopper import Role
from offers.model.people.staff_user import (
    PASSWORD_CHARACTERS_MIN,
    SESSION_MS,
    SESSIONS_MAX,
    StaffUser,
    check_password,
)
from rtls.model.units import UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop

OLD, NEW = "argon", "argon of another"
EVA = StaffUser(
    name=StaffName("eva"),
    role=Role.MERCHANDISER,
    site=SITE,
    password_hash=OLD,
    created_at_ms=START_MS,
    changed_at_ms=START_MS,
)


@pytest.fixture
def eva(shop: Shop) -> StaffUser:
    add_staff_user(EVA, work=shop.work, now_ms=START_MS)
    return EVA


def sign_in(shop: Shop, user: StaffUser, *, at_ms: int = START_MS):
    return open_session(user, work=shop.work, now_ms=UnixMs(at_ms), secrets=shop.secrets)


def caller(shop: Shop, secret: str, *, at_ms: int = START_MS):
    return identify_caller(secret, work=shop.work, secrets=shop.secrets, now_ms=UnixMs(at_ms))


def actions(shop: Shop) -> list[str]:
    return [entry.action for entry in shop.work.audit.page(after=0, limit=100)]


def test_a_session_does_what_a_key_of_the_role_does_for_twelve_hours(
    shop: Shop, eva: StaffUser
) -> None:
    """A screen that nobody signed out of must not be open tomorrow."""
    issued = sign_in(shop, eva)
    found = caller(shop, issued.secret, at_ms=START_MS + SESSION_MS - 1)
    assert (found.role, found.site, found.staff) == (Role.MERCHANDISER, SITE, "eva")
    assert caller(shop, issued.secret, at_ms=START_MS + SESSION_MS) is None
    assert actions(shop) == ["staff_added", "credential_issued"]
    issued_entry = shop.work.audit.head()
    assert '"staff":"eva"' in issued_entry.details


def test_sessions_are_no_keys(shop: Shop, eva: StaffUser) -> None:
    """`inaisle key list` is for what machines hold; a year of shifts would bury it."""
    sign_in(shop, eva)
    assert shop.work.shoppers.staff_credentials() == ()


@pytest.mark.parametrize("how", ["removed", "new password"])
def test_who_may_no_longer_act_is_out_at_once(shop: Shop, eva: StaffUser, how: str) -> None:
    """The till of somebody who was dismissed closes now, not after the shift."""
    issued = sign_in(shop, eva)
    if how == "removed":
        remove_staff_user(eva.name, work=shop.work, now_ms=START_MS)
        assert actions(shop)[-1] == "staff_removed"
    else:
        change_password(eva.name, password_hash=NEW, work=shop.work, now_ms=START_MS)
        assert actions(shop)[-1] == "password_changed"
    assert caller(shop, issued.secret) is None


def test_a_password_that_was_changed_while_it_was_compared_opens_nothing(
    shop: Shop, eva: StaffUser
) -> None:
    """Comparing takes long and stands outside the transaction; the transaction looks again."""
    change_password(eva.name, password_hash=NEW, work=shop.work, now_ms=START_MS)
    assert sign_in(shop, eva) is None
    assert sign_in(shop, replace(eva, password_hash=NEW)) is not None


def test_a_user_has_few_sessions_at_a_time(shop: Shop, eva: StaffUser) -> None:
    """The oldest ends: what is forgotten on some screen must not add up."""
    issued = [sign_in(shop, eva, at_ms=START_MS + n) for n in range(SESSIONS_MAX + 1)]
    now_ms = START_MS + SESSIONS_MAX
    assert caller(shop, issued[0].secret, at_ms=now_ms) is None
    assert all(caller(shop, one.secret, at_ms=now_ms) is not None for one in issued[1:])
    tomorrow_ms = now_ms + 2 * SESSION_MS
    assert sign_in(shop, eva, at_ms=tomorrow_ms) is not None
    assert len(shop.work.staff.sessions_of(eva.name)) == 1  # the expired are swept up


def test_signing_out_ends_the_session_and_no_key(shop: Shop, eva: StaffUser) -> None:
    """A till's own key must not end because somebody presses a button."""
    issued = sign_in(shop, eva)
    close_session(issued.credential, work=shop.work, now_ms=START_MS)
    assert caller(shop, issued.secret) is None
    close_session(issued.credential, work=shop.work, now_ms=START_MS)  # twice is once
    assert actions(shop).count("credential_revoked") == 1
    key = replace(issued.credential, staff=None, expires_at_ms=None)
    with pytest.raises(WrongState, match="inaisle key revoke"):
        close_session(key, work=shop.work, now_ms=START_MS)


def test_names_are_taken_once_and_unknown_ones_are_refused(shop: Shop, eva: StaffUser) -> None:
    """The remedy stands in the message."""
    with pytest.raises(Conflict, match="taken"):
        add_staff_user(eva, work=shop.work, now_ms=START_MS)
    for act in (
        lambda: remove_staff_user(StaffName("ben"), work=shop.work, now_ms=START_MS),
        lambda: change_password(
            StaffName("ben"), password_hash=NEW, work=shop.work, now_ms=START_MS
        ),
    ):
        with pytest.raises(NotFound, match="inaisle user list"):
            act()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Eva"},
        {"name": "e va"},
        {"role": Role.SHOPPER},
        {"role": Role.TILL},
        {"till": TillId("till-1")},
        {"role": Role.TILL, "till": TillId("no till")},
    ],
)
def test_a_user_who_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    """Nobody signs in as a shopper, and a till is a certain one."""
    with pytest.raises(InvalidShopper, match="expected"):
        replace(EVA, **wrong)


def test_a_password_has_some_length_and_some_end() -> None:
    """Short ones are guessed; endless ones are an attack."""
    check_password("x" * PASSWORD_CHARACTERS_MIN)
    for wrong in ("", "x" * (PASSWORD_CHARACTERS_MIN - 1), "x" * 129):
        with pytest.raises(InvalidShopper, match="expected 10 to 128"):
            check_password(wrong)


def test_a_user_does_not_show_the_hash() -> None:
    """Logs and error messages print what they hold."""
    assert "argon" not in repr(EVA)
