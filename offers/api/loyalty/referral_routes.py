"""Serve referrals: a shopper's code for friends, and where a new shopper enters one.

Layer: edges. Takes: requests of the app. Gives: what claim_referral answers. The referrer sees how
many came and how far they are, never who they are; the new shopper learns nothing of the referrer.
"""

from collections import Counter
from functools import partial

from fastapi import APIRouter, status
from pydantic import Field, StrictStr

from offers.api.auth import ShopperDep
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import Services, ServicesDep
from offers.checkout.coupon_code import TYPED_CHARACTERS_MAX, group_code
from offers.handlers.loyalty.claim_referral import claim_referral, referral_code_of
from offers.model.ids import ShopperId
from offers.model.loyalty.referral import ReferralRefusal, ReferralState
from offers.ports import UnitOfWork

COUNTED_MAX = 1_000

referral_routes = APIRouter(tags=["app"])


class ReferralsBody(Body):
    """The shopper's code for friends, and what came of it."""

    code: str = Field(examples=["7K2M-9QXD-4TRB"])
    pending: int = Field(description="enrolled, not bought yet")
    converted: int = Field(description="bought; both were rewarded")


class ReferralClaimBody(Body):
    """The code of the friend who brought the shopper."""

    code: StrictStr = Field(
        min_length=1, max_length=TYPED_CHARACTERS_MAX, examples=["7K2M-9QXD-4TRB"]
    )


@referral_routes.get("/me/referrals", operation_id="getReferrals", responses=problems())
async def get_referrals(shopper: ShopperDep, services: ServicesDep) -> ReferralsBody:
    """Return the code for friends; the first call makes it."""
    return await services.write(partial(_referrals, shopper, services))


@referral_routes.post(
    "/me/referrals/claim",
    operation_id="claimReferral",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(ProblemCode.REFUSED, ProblemCode.TOO_MANY_FAILURES),
)
async def claim(body: ReferralClaimBody, shopper: ShopperDep, services: ServicesDep) -> None:
    """Say who brought the shopper; both are rewarded at the first purchase.

    Raises
    ------
    Problem
        If the code is not taken; `reason` says why.
    """
    now_ms = services.now_ms()
    wait_s = services.coupon_failures.wait_s(shopper, now_ms=now_ms)
    if wait_s:
        raise Problem(
            ProblemCode.TOO_MANY_FAILURES,
            f"Too many codes that are not good; the next attempt is taken in {wait_s} s.",
            retry_after_s=wait_s,
        )
    answer = await services.write(
        lambda work: claim_referral(
            shopper, body.code, work=work, now_ms=now_ms, secrets=services.secrets
        )
    )
    if isinstance(answer, ReferralRefusal):
        if answer is ReferralRefusal.CODE_UNKNOWN:
            services.coupon_failures.count_failure(shopper, now_ms=now_ms)
        raise Problem(
            ProblemCode.REFUSED, f"The code for friends is not taken: {answer}.", reason=answer
        )


def _referrals(shopper: ShopperId, services: Services, work: UnitOfWork) -> ReferralsBody:
    code = referral_code_of(shopper, work=work, secrets=services.secrets)
    brought = work.referrals.of_referrer(shopper, limit=COUNTED_MAX)
    states = Counter(referral.state for referral in brought)
    return ReferralsBody(
        code=group_code(code),
        pending=states[ReferralState.PENDING],
        converted=states[ReferralState.CONVERTED],
    )
