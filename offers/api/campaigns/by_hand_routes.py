"""Let campaign staff start a campaign by hand.

Layer: edges. Takes: requests of campaign staff. Gives: how many offers were made, and how many were
withheld for which reason. Needs an Idempotency-Key: a page that lost the answer gets it again.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Response, status
from pydantic import Field, StrictInt

from offers.api.auth import SiteDep
from offers.api.operator_routes import CampaignPath
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.till.till_answers import ONCE, Outcome, TillRequestDep, answer_till
from offers.handlers.campaigns.issue_by_hand import SHOPPERS_A_CALL_MAX, ByHand, issue_by_hand
from offers.handlers.note_audit import note_audit
from offers.model.audit import Actor, AuditAction
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

ISSUE: Final = "issueByHand"

by_hand_routes = APIRouter(prefix="/operator", tags=["campaigns"])


class ByHandWishBody(Body):
    """What is wanted."""

    wish: Annotated[str, Field(max_length=63)] = Field(
        description="names it: each shopper is decided about once for each wish",
        examples=["spring-letter"],
    )
    shoppers_max: StrictInt = Field(
        default=SHOPPERS_A_CALL_MAX, ge=1, le=SHOPPERS_A_CALL_MAX, description="of this call"
    )


class ByHandBody(Body):
    """What this call did."""

    wish: str
    issued: int
    withheld: dict[str, int] = Field(
        description="how many got none, by what stood against it",
        examples=[{"frequency_cap": 12}],
    )
    is_done: bool = Field(description="false: call again with the same wish and a new key")

    @classmethod
    def of(cls, wish: str, done: ByHand) -> "ByHandBody":
        """Render what was done."""
        withheld = {refusal.value: count for refusal, count in done.withheld.items()}
        return cls(wish=wish, issued=done.issued, withheld=withheld, is_done=done.is_done)


@by_hand_routes.post(
    "/campaigns/{campaign}/issue",
    operation_id=ISSUE,
    status_code=status.HTTP_201_CREATED,
    response_model=ByHandBody,
    responses=problems(*ONCE, ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT),
)
async def issue(
    campaign: CampaignPath, body: ByHandWishBody, site: SiteDep, asked: TillRequestDep
) -> Response:
    """Offer the campaign to the next shoppers of its audience; each is asked about once a wish."""

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        done = issue_by_hand(
            campaign,
            body.wish,
            site=site,
            limit=body.shoppers_max,
            work=work,
            now_ms=now_ms,
            secrets=asked.services.secrets,
        )
        note_audit(
            AuditAction.CAMPAIGN_ISSUED,
            subject=campaign,
            by=Actor.of(asked.till),
            details={"wish": body.wish, "issued": done.issued},
            work=work,
            now_ms=now_ms,
        )
        return Outcome(answer=ByHandBody.of(body.wish, done))

    return await answer_till(asked, deed, operation=ISSUE)
