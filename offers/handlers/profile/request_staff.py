"""Call staff to a shelf, and let them say who goes.

Layer: flow. Takes: a shopper's wish, or what staff did. Gives: the `StaffRequest`. The shopper says
where help is wanted: nobody needs to be located for it, so no consent is asked for.
"""

from offers.handlers.random_id import random_id
from offers.model.errors import NotFound, WrongState
from offers.model.ids import ShopperId, StaffRequestId
from offers.model.people.staff_request import WAITING_MS_MAX, StaffRequest, StaffRequestState
from offers.ports import SecretSource, UnitOfWork
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId, UnixMs, ZoneId


def request_staff(
    shopper: ShopperId,
    zone: ZoneId,
    *,
    site_map: SiteMap,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> StaffRequest:
    """Ask for somebody to come to ``zone``; asking again while waiting changes nothing.

    Raises
    ------
    NotFound
        If the site has no such zone.
    """
    if all(known.zone != zone for known in site_map.zones):
        raise NotFound(f"zone {zone!r} is unknown; expected a zone of the site map.")
    request = StaffRequest(
        request=StaffRequestId(random_id(secrets)),
        shopper=shopper,
        site=site_map.site,
        zone=zone,
        state=StaffRequestState.WAITING,
        at_ms=now_ms,
    )
    if work.staff_requests.add(request):
        return request
    waiting = work.staff_requests.open_of_shopper(shopper)
    assert waiting is not None
    return waiting


def withdraw_request(shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """End the shopper's own request; without one nothing happens."""
    waiting = work.staff_requests.open_of_shopper(shopper)
    if waiting is not None:
        work.staff_requests.move(
            waiting.request,
            before=waiting.state,
            after=StaffRequestState.WITHDRAWN,
            at_ms=now_ms,
        )


def answer_request(
    request: StaffRequestId,
    state: StaffRequestState,
    *,
    site: SiteId,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> StaffRequest:
    """Say that somebody goes (`TAKEN`) or has been there (`DONE`).

    Raises
    ------
    NotFound
        If there is no such request at this site.
    WrongState
        If somebody else was faster, or the shopper waits no longer.
    """
    assert state in {StaffRequestState.TAKEN, StaffRequestState.DONE}
    found = work.staff_requests.find(request)
    if found is None or found.site != site:
        raise NotFound("no such request; expected one of this site.")
    is_next = found.state is StaffRequestState.WAITING or (
        found.state is StaffRequestState.TAKEN and state is StaffRequestState.DONE
    )
    if not is_next or not work.staff_requests.move(
        request, before=found.state, after=state, at_ms=now_ms
    ):
        raise WrongState(
            f"request {request} is {found.state} and cannot become {state}. Read the list again."
        )
    moved = work.staff_requests.find(request)
    assert moved is not None
    return moved


def lapse_requests(*, work: UnitOfWork, now_ms: UnixMs, limit: int) -> int:
    """End requests that nobody came for in time; return how many."""
    before_ms = UnixMs(now_ms - WAITING_MS_MAX)
    overdue = work.staff_requests.overdue(before_ms=before_ms, limit=limit)
    for request in overdue:
        work.staff_requests.move(
            request.request, before=request.state, after=StaffRequestState.LAPSED, at_ms=now_ms
        )
    return len(overdue)
