"""Let the staff start a campaign by hand, for its whole audience, some shoppers a call.

Layer: flow. Takes: a campaign with the trigger `manual` and a name for the wish. Gives: `ByHand`.
Each shopper is decided about once for each wish, as at every other moment: consent, caps, schedule
and budget are asked, and what stands against an offer is counted. A call that is repeated goes on
where the last one stopped.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from offers.handlers.offering.decide_moment import decide_moment
from offers.model.campaigns.campaign import Campaign, CampaignState
from offers.model.campaigns.trigger import ManualTrigger
from offers.model.errors import Conflict, InvalidCampaign, NotFound
from offers.model.ids import CampaignId, ShopperId, check_name
from offers.model.offering.occasion import Moment, Requested, moment_of
from offers.model.offering.refusal import Refusal
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

SHOPPERS_A_CALL_MAX: Final = 200  # some tenths of a second of the one writer
NOBODY: Final = ShopperId("0" * 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """What one call did."""

    issued: int
    withheld: Mapping[Refusal, int]
    """how many got none, by what stood against it first"""
    is_done: bool
    """nobody of the audience is left; else call again"""


def issue_by_hand(
    campaign: CampaignId,
    wish: str,
    *,
    site: SiteId,
    limit: int,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> ByHand:
    """Decide about the next shoppers of the campaign's audience.

    The audience are those with `personalise` whom its document means; who has not granted that is
    not looked at. An offer waits in the app: one of no place is never pushed, in quiet hours or
    out of them.

    Parameters
    ----------
    campaign
        One of the site that is active and no reward.
    wish
        Names what is wanted, so that asking twice is asking once: a new wish asks everybody anew.
    site
        The staff's own.
    limit
        How many shoppers, at most `SHOPPERS_A_CALL_MAX`.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.

    It raises `NotFound`, `Conflict` and `InvalidCampaign` as `_startable` does, and `Busy` if
    another writer took the rest of a limit; nothing is done then.
    """
    check_name("wish", wish, error=InvalidCampaign)
    started = _startable(campaign, site, work=work)
    requested = Requested(request=f"staff:{campaign}:{wish}")
    name = moment_of(requested, shopper=NOBODY, site=site, now_ms=now_ms).key
    most = min(limit, SHOPPERS_A_CALL_MAX)
    shoppers = work.facts.audience(
        started.revision.audience, site=site, as_of_ms=now_ms, undecided=name, limit=most
    )
    refusals: Counter[Refusal] = Counter()
    for shopper in shoppers:
        moment = moment_of(requested, shopper=shopper, site=site, now_ms=now_ms)
        refusal = _refusal(moment, campaign, work=work, secrets=secrets)
        if refusal is not None:
            refusals[refusal] += 1
    return ByHand(
        issued=len(shoppers) - refusals.total(),
        withheld=dict(refusals),
        is_done=len(shoppers) < most,
    )


def _refusal(
    moment: Moment, campaign: CampaignId, *, work: UnitOfWork, secrets: SecretSource
) -> Refusal | None:
    decision = decide_moment(moment, only=campaign, work=work, secrets=secrets)
    assert decision is not None  # a campaign waits, or `_startable` had said so
    return None if decision.chosen is not None else decision.passed_over[0].refusal


def _startable(campaign: CampaignId, site: SiteId, *, work: UnitOfWork) -> Campaign:
    """Return the campaign, if the staff may start it by hand.

    Raises
    ------
    NotFound
        If it is unknown or of another site: the two are told apart nowhere.
    InvalidCampaign
        If something else than the staff wakes it.
    Conflict
        If it is paused, or a reward: what costs points is not given away.
    """
    found = work.campaigns.find(campaign)
    if found is None or found.site != site:
        raise NotFound("no such campaign; expected one of the key's own site.")
    if not isinstance(found.revision.trigger, ManualTrigger):
        raise InvalidCampaign(
            f"campaign {campaign}: its trigger is not 'manual'; expected one that waits for the "
            "staff. Others start by themselves."
        )
    if found.state is not CampaignState.ACTIVE:
        raise Conflict(f"campaign {campaign} is {found.state}; expected it active.")
    programme = work.programmes.current(site)
    if programme is not None and any(entry.campaign == campaign for entry in programme.rewards):
        raise Conflict(
            f"campaign {campaign} is a reward of the programme; expected one that is no reward. "
            "Start a campaign of its own for what is given away."
        )
    return found
