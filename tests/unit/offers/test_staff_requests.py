"""Calls for staff: one a shopper, seen as a zone and a time, gone when nobody waits any more."""

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.profile.request_staff import answer_request, request_staff, withdraw_request
from offers.model.errors import NotFound, WrongState
from offers.model.ids import ShopperId, StaffRequestId
from offers.model.people.staff_request import WAITING_MS_MAX, StaffRequest, StaffRequestState
from rtls.model.units import SiteId, UnixMs, ZoneId
from tests.unit.offers.shop import SHELF, SITE, SITE_MAP, START_MS, Shop

TAKEN, DONE = StaffRequestState.TAKEN, StaffRequestState.DONE


def call(shop: Shop, shopper: ShopperId, *, zone: str = SHELF, now_ms: int = START_MS):
    return request_staff(
        shopper,
        ZoneId(zone),
        site_map=SITE_MAP,
        work=shop.work,
        now_ms=UnixMs(now_ms),
        secrets=shop.secrets,
    )


def move(shop: Shop, request: StaffRequestId, state: StaffRequestState, *, site: str = SITE):
    return answer_request(request, state, site=SiteId(site), work=shop.work, now_ms=START_MS)


def waiting(shop: Shop) -> tuple[StaffRequest, ...]:
    return shop.work.staff_requests.open_of_site(SITE, limit=10)


def test_pressing_twice_calls_once(shop: Shop) -> None:
    """An impatient thumb must not send three people to one shelf."""
    anna = shop.shopper(tag=None)
    first = call(shop, anna)
    assert call(shop, anna, now_ms=START_MS + 5_000) == first
    assert waiting(shop) == (first,)


def test_staff_see_the_longest_waiting_first_and_say_who_goes(shop: Shop) -> None:
    """Two of staff who press at once: one goes, the other is told."""
    anna, ben = shop.shopper(tag=None), shop.shopper(tag=None)
    second = call(shop, ben, now_ms=START_MS + 1)
    first = call(shop, anna)
    assert [request.request for request in waiting(shop)] == [first.request, second.request]
    assert move(shop, first.request, TAKEN).state is TAKEN
    with pytest.raises(WrongState, match="is taken"):
        move(shop, first.request, TAKEN)
    assert move(shop, first.request, DONE).ended_at_ms == START_MS
    assert waiting(shop) == (second,)
    with pytest.raises(WrongState, match="is done"):
        move(shop, first.request, DONE)


def test_a_request_can_be_done_without_being_taken_first(shop: Shop) -> None:
    """Whoever stands beside the shelf does not reach for a phone first."""
    assert move(shop, call(shop, shop.shopper(tag=None)).request, DONE).state is DONE


def test_who_waits_no_longer_may_call_again(shop: Shop) -> None:
    """Withdrawing twice, or without having called, is no error."""
    anna = shop.shopper(tag=None)
    withdraw_request(anna, work=shop.work, now_ms=START_MS)
    first = call(shop, anna)
    withdraw_request(anna, work=shop.work, now_ms=START_MS)
    withdraw_request(anna, work=shop.work, now_ms=START_MS)
    assert waiting(shop) == ()
    assert call(shop, anna).request != first.request


def test_a_request_that_nobody_came_for_lapses(shop: Shop) -> None:
    """After ten minutes nobody stands there; staff must not walk to an empty aisle."""
    call(shop, shop.shopper(tag=None))
    expire_overdue(work=shop.work, now_ms=UnixMs(START_MS + WAITING_MS_MAX - 1))
    assert len(waiting(shop)) == 1
    expire_overdue(work=shop.work, now_ms=UnixMs(START_MS + WAITING_MS_MAX))
    assert waiting(shop) == ()


def test_a_zone_that_is_not_on_the_map_is_refused(shop: Shop) -> None:
    """Staff could not find it."""
    with pytest.raises(NotFound, match="atlantis"):
        call(shop, shop.shopper(tag=None), zone="atlantis")


def test_another_sites_request_is_unknown(shop: Shop) -> None:
    """The same answer as for an id that never was."""
    request = call(shop, shop.shopper(tag=None)).request
    with pytest.raises(NotFound, match="expected one of this site"):
        move(shop, request, TAKEN, site="elsewhere")
    with pytest.raises(NotFound, match="expected one of this site"):
        move(shop, StaffRequestId("f" * 32), TAKEN)
