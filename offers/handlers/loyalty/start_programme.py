"""Put a site's programme into force.

Layer: flow. Takes: a `Programme`. Gives: the number of its revision. What was earned under an
earlier one stays as it is.
"""

from typing import Final

from offers.handlers.profile.refresh_segment import renew_levels
from offers.model.campaigns.trigger import ManualTrigger
from offers.model.errors import InvalidProgramme
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.segment_settings import DEFAULT_SEGMENTS
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

REVISIONS_READ: Final = 1_000


def start_programme(programme: Programme, *, work: UnitOfWork, now_ms: UnixMs) -> int | None:
    """Write the programme as the newest revision; None where it is the newest already.

    Raises `InvalidProgramme` as `check_programme` does.
    """
    check_programme(programme, work=work)
    before = work.programmes.current(programme.site)
    if before == programme:
        return None
    settled = DEFAULT_SEGMENTS if before is None else before.settings.segments
    after = programme.settings.segments
    renew_levels(programme.site, settled, after, work=work, now_ms=now_ms)
    return work.programmes.add_revision(programme, at_ms=now_ms)


def start_filed_programme(programme: Programme, *, work: UnitOfWork, now_ms: UnixMs) -> int | None:
    """Put the programme of a file into force, unless it was in force before.

    A service reads its file at every start. What is in the history has had its time: it was put
    into force by an earlier start, and whatever came behind it was decided later.

    Raises `InvalidProgramme` as `check_programme` does.
    """
    earlier = work.programmes.revisions(programme.site, limit=REVISIONS_READ)
    if any(one.programme == programme for one in earlier):
        return None
    return start_programme(programme, work=work, now_ms=now_ms)


def _check_gs1(programme: Programme, *, work: UnitOfWork) -> None:
    for campaign in work.campaigns.of_site(programme.site):
        reference = campaign.revision.gs1
        misfit = None if reference is None else reference.misfit(programme.gs1_company_prefix)
        if misfit is not None:
            raise InvalidProgramme(f"campaign {campaign.campaign}: {misfit}")


def check_programme(programme: Programme, *, work: UnitOfWork) -> None:
    """Refuse a programme that could not keep its promises.

    Raises
    ------
    InvalidProgramme
        If a reward has no campaign that waits to be exchanged, or a campaign has a GS1 reference
        that does not fit the company prefix.
    """
    for reward in programme.rewards:
        campaign = work.campaigns.find(reward.campaign)
        if (
            campaign is None
            or campaign.site != programme.site
            or not isinstance(campaign.revision.trigger, ManualTrigger)
        ):
            raise InvalidProgramme(
                f"reward {reward.reward!r} is campaign {reward.campaign!r}; expected one of the "
                "site with the trigger 'manual'. Start the campaign first."
            )
    _check_gs1(programme, work=work)
