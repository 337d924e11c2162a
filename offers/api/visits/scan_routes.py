"""Take what a shopper's phone hears of the anchors, and hand it to locating.

Layer: edges. Takes: scans of the app, over HTTP or as a frame of its stream. Gives: the readings,
under the tag that the shopper is paired with, to a `ScanSink` of the door. Consent `locate` is
asked for with each scan: a withdrawal counts from the next one.
"""

from functools import partial

from fastapi import APIRouter, status

from offers.api.auth import ShopperDep
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import Services, ServicesDep
from offers.api.visits.scan_schema import ScanBody, ScanTakenBody
from offers.handlers.people.tag_of_scan import tag_of_scan
from offers.model.ids import PairingId, ShopperId
from offers.ports import UnitOfWork
from rtls.model.units import TagId, UnixMs

scan_routes = APIRouter(tags=["app"])


@scan_routes.post(
    "/me/scans",
    operation_id="reportScan",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(
        ProblemCode.STATE_CONFLICT,
        ProblemCode.NOT_FOUND,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.LOCATING_AWAY,
    ),
)
async def report_scan(body: ScanBody, shopper: ShopperDep, services: ServicesDep) -> ScanTakenBody:
    """Say what the phone hears of the anchors; needs the consent `locate` and a paired tag."""
    return await take_scan(body, shopper, services)


async def take_scan(body: ScanBody, shopper: ShopperId, services: Services) -> ScanTakenBody:
    """Hand a scan on.

    Raises
    ------
    Problem
        `TOO_MANY_REQUESTS` above the rate that locating can use, `LOCATING_AWAY` if nobody takes
        it.
    """
    now_ms = services.now_ms()
    wait_s = services.scans_taken.wait_s(shopper, now_ms=now_ms)
    if wait_s:
        raise Problem(
            ProblemCode.TOO_MANY_REQUESTS,
            f"More than {services.settings.scans_in_10_s_max} scans in 10 s; again in {wait_s} s. "
            "Put what is heard within half a second into one scan.",
            retry_after_s=wait_s,
        )
    services.scans_taken.count_failure(shopper, now_ms=now_ms)
    pairing = None if body.pairing is None else PairingId(body.pairing)
    tag = await services.read(partial(_tag, shopper, pairing, now_ms))
    if services.scans is None or not services.scans.put(tag, body.readings_json()):
        raise Problem(
            ProblemCode.LOCATING_AWAY,
            "This process hands no scan to locating, or too many wait; the next one may succeed.",
            retry_after_s=1,
        )
    return ScanTakenBody(readings=len(body.obs))


def _tag(shopper: ShopperId, pairing: PairingId | None, now_ms: UnixMs, work: UnitOfWork) -> TagId:
    return tag_of_scan(shopper, pairing, work=work, now_ms=now_ms)
