"""Serve the catalogue of rewards, and exchange points for one.

Layer: edges. Takes: requests of the app. Gives: what each reward costs and whether the shopper can
have it; the offer with its coupon. An exchange needs an Idempotency-Key: a phone that lost the
answer must not pay twice.
"""

from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Response, status
from pydantic import Field

from offers.api.auth import ShopperDep
from offers.api.campaigns.benefit_schema import BenefitBody
from offers.api.offering.offer_routes import locale_of
from offers.api.people.shopper_schema import OfferBody
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, Id
from offers.api.services import ServicesDep
from offers.api.till.till_answers import ONCE, Outcome, TillRequestDep, answer_till
from offers.decision.terms import reward_terms
from offers.handlers.loyalty.exchange_reward import exchange_reward
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.ids import ShopperId
from offers.model.loyalty.ledger import Wallet
from offers.model.loyalty.reward import Reward, RewardRefusal
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

EXCHANGE: Final = "exchangeReward"

reward_routes = APIRouter(tags=["app"])

RewardPath = Annotated[str, Path(max_length=63, examples=["mug"])]


class RewardBody(Body):
    """One reward of the catalogue."""

    reward: str = Field(examples=["mug"])
    title: str
    body: str
    benefit: BenefitBody
    unit: str = Field(examples=["points"])
    cost_minor: int = Field(examples=[500])
    missing_minor: int = Field(description="what is missing to it now; 0: it can be had")
    tiers: tuple[str, ...] = Field(description="for whom; empty: for everybody")
    terms: tuple[str, ...] = Field(
        description="what holds for it, also what becomes of the points if it is not used"
    )

    @classmethod
    def of(
        cls,
        reward: Reward,
        revision: CampaignRevision,
        *,
        available_minor: int,
        terms: tuple[str, ...],
        locale: Locale,
    ) -> Self:
        """Render a reward for a shopper."""
        text = revision.texts[locale]
        return cls(
            reward=reward.reward,
            title=text.title,
            body=text.body,
            benefit=BenefitBody.of(revision.benefit),
            unit=reward.unit,
            cost_minor=reward.cost_minor,
            missing_minor=max(0, reward.cost_minor - available_minor),
            tiers=tuple(sorted(reward.tiers)),
            terms=terms,
        )


class RewardsBody(Body):
    """The catalogue, as the retailer ordered it."""

    rewards: tuple[RewardBody, ...]


class ExchangedBody(Body):
    """Points that have become an offer with its coupon."""

    reward: str
    transaction: Id
    unit: str = Field(examples=["points"])
    cost_minor: int = Field(examples=[500])
    offer: OfferBody


@reward_routes.get("/me/rewards", operation_id="getRewards", responses=problems())
async def get_rewards(shopper: ShopperDep, services: ServicesDep) -> RewardsBody:
    """Return what points can be exchanged for, and what is missing to each."""
    now_ms, site = services.now_ms(), services.site_map.site
    return await services.read(lambda work: _catalogue(shopper, site, work, now_ms=now_ms))


def _catalogue(
    shopper: ShopperId, site: SiteId, work: UnitOfWork, *, now_ms: UnixMs
) -> RewardsBody:
    programme = work.programmes.current(site)
    wallets = {wallet.account.unit: wallet for wallet in work.ledger.wallets_of(shopper)}
    locale = locale_of(shopper, work)
    if programme is None:
        return RewardsBody(rewards=())
    zone = ZoneInfo(programme.time_zone)
    shown = []
    for reward in programme.rewards:
        campaign = work.campaigns.find(reward.campaign)
        assert campaign is not None  # start_programme has asked
        available_minor = _available_minor(wallets.get(reward.unit), now_ms)
        terms = reward_terms(campaign.revision, programme.unused_rewards, zone=zone, locale=locale)
        shown.append(
            RewardBody.of(
                reward,
                campaign.revision,
                available_minor=available_minor,
                terms=terms,
                locale=locale,
            )
        )
    return RewardsBody(rewards=tuple(shown))


def _available_minor(wallet: Wallet | None, now_ms: UnixMs) -> int:
    return 0 if wallet is None else wallet.available_minor(now_ms)


@reward_routes.post(
    "/me/rewards/{reward}/exchange",
    operation_id=EXCHANGE,
    status_code=status.HTTP_201_CREATED,
    response_model=ExchangedBody,
    responses=problems(*ONCE, ProblemCode.NOT_FOUND),
)
async def exchange(reward: RewardPath, shopper: ShopperDep, asked: TillRequestDep) -> Response:
    """Exchange points for a reward: both happen, or neither."""
    services = asked.services

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        done = exchange_reward(
            shopper,
            reward,
            site=services.site_map.site,
            work=work,
            now_ms=now_ms,
            secrets=services.secrets,
        )
        if isinstance(done, RewardRefusal):
            return Outcome(answer=done)
        body = ExchangedBody(
            reward=reward,
            transaction=done.transaction,
            unit=done.reward.unit,
            cost_minor=done.reward.cost_minor,
            offer=OfferBody.of(done.card, locale=locale_of(shopper, work)),
        )
        return Outcome(answer=body)

    return await answer_till(asked, deed, operation=EXCHANGE)
