"""Serve what another ranking would have earned, from the log of decisions alone.

Layer: edges. Takes: requests of campaign staff. Gives: values with their errors for the key's own
site. Nothing is written: the ranking is put into force by the programme, where it always was.
"""

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field, JsonValue, StrictInt

from offers.api.auth import SiteDep
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.handlers.experiments.evaluate_ranking import RankingEvaluation, evaluate_ranking
from offers.insight.policy_value import PolicyValue
from offers.model.conditions.fact import DAY_MS
from offers.model.errors import InvalidProgramme
from offers.model.experiments.ranked_decision import Reward
from offers.model.ranking.ranking_policy import POLICY, parse_ranking_policy
from rtls.model.units import UnixMs

DAYS_MAX: Final = 396
EXAMPLE: Final[dict[str, JsonValue]] = {
    "policy": POLICY,
    "weights": {"own": [0.3, 0.05]},
    "appeal": {"dowels-2-off": 0.12},
}

ranking_routes = APIRouter(prefix="/operator/ranking", tags=["experiments"])


class RankingWishBody(Body):
    """The ranking that is thought of, and which decisions it is tried on."""

    ranking: dict[str, JsonValue] = Field(
        description="as `settings.ranking` of a programme", examples=[EXAMPLE]
    )
    reward: Reward = Reward.REDEEMED
    days: Annotated[StrictInt, Field(ge=1, le=DAYS_MAX)] = 28
    settled_days: Annotated[StrictInt, Field(ge=0, le=DAYS_MAX)] = Field(
        default=1, description="decisions younger than that are left out: rewards take time"
    )


class PolicyValueBody(Body):
    """What a ranking is worth for each decision, by one way of estimating."""

    estimator: str = Field(examples=["doubly robust"])
    value: float
    standard_error: float
    effective_decisions: float = Field(
        description="how many decisions of the ranking itself would say as much"
    )

    @classmethod
    def of(cls, value: PolicyValue) -> "PolicyValueBody":
        """Render a value."""
        return cls(
            estimator=value.estimator,
            value=value.value,
            standard_error=value.standard_error,
            effective_decisions=value.effective_decisions,
        )


class RankingEvaluationBody(Body):
    """What the log says of the ranking."""

    reward: Reward
    decisions: int
    is_cut: bool = Field(description="whether only the newest were looked at")
    is_thin: bool = Field(
        description="whether too few decisions speak about it: explore more, or test it on shoppers"
    )
    logged: PolicyValueBody = Field(description="what was earned as it was")
    values: tuple[PolicyValueBody, ...] = Field(
        description="what the other ranking would have earned: where they differ much, trust none"
    )

    @classmethod
    def of(cls, found: RankingEvaluation) -> "RankingEvaluationBody":
        """Render an evaluation."""
        return cls(
            reward=found.reward,
            decisions=found.decisions,
            is_cut=found.is_cut,
            is_thin=found.is_thin,
            logged=PolicyValueBody.of(found.logged),
            values=tuple(map(PolicyValueBody.of, found.values)),
        )


@ranking_routes.post("/evaluation", operation_id="evaluateRanking", responses=problems())
async def evaluate(
    body: RankingWishBody, site: SiteDep, services: ServicesDep
) -> RankingEvaluationBody:
    """Say what another ranking would have earned at the decisions that were taken.

    Raises
    ------
    InvalidProgramme
        If there is no ranking in the document.
    """
    policy = parse_ranking_policy(body.ranking)
    if policy is None:
        raise InvalidProgramme("ranking is missing; expected a document. See settings.ranking.")
    until_ms = UnixMs(services.now_ms() - body.settled_days * DAY_MS)
    found = await services.read(
        lambda work: evaluate_ranking(
            policy,
            body.reward,
            site=site,
            from_ms=UnixMs(until_ms - body.days * DAY_MS),
            until_ms=until_ms,
            work=work,
        )
    )
    return RankingEvaluationBody.of(found)
