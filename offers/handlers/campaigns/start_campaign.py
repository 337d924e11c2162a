"""Put a revision of a campaign into force, and pause or resume it.

Layer: flow. Takes: a `CampaignRevision`, the site's map, the time. Gives: the `Campaign`. One that
could never fire, or works against itself, is refused here, where somebody reads the error, and not
found out by silence in the shop.
"""

from dataclasses import replace

from offers.checkout.funding import partner_charge
from offers.decision.contradiction import check_makes_sense
from offers.model.campaigns.campaign import Campaign, CampaignRevision, CampaignState
from offers.model.campaigns.trigger import VisitTrigger, zone_of
from offers.model.errors import InvalidCampaign, NotFound
from offers.model.ids import CampaignId
from offers.model.visits.site_rules import SiteRules
from offers.ports import UnitOfWork
from rtls.model.site_map import SiteMap, Zone
from rtls.model.units import UnixMs


def start_campaign(
    revision: CampaignRevision, *, site_map: SiteMap, work: UnitOfWork, now_ms: UnixMs
) -> Campaign:
    """Write the revision as the campaign's next one and make it active.

    Its number is given here: whatever ``revision.revision`` says, it becomes one more than the
    last. A revision that says what the current one says is not written again, so a service may
    read its campaign file at each start.

    Raises `InvalidCampaign` as `check_can_start` does, and if a budget is below what is used
    already.
    """
    check_can_start(revision, site_map=site_map, work=work, now_ms=now_ms)
    found = work.campaigns.find(revision.campaign)
    number = 1 if found is None else found.revision.revision + 1
    work.sites.note(site_map.site, time_zone=site_map.time_zone)
    if found is None or replace(revision, revision=found.revision.revision) != found.revision:
        work.campaigns.add_revision(replace(revision, revision=number))
        _set_budget(revision, work=work)
    else:
        work.campaigns.set_state(revision.campaign, CampaignState.ACTIVE)
    started = work.campaigns.find(revision.campaign)
    assert started is not None
    return started


def check_can_start(
    revision: CampaignRevision, *, site_map: SiteMap, work: UnitOfWork, now_ms: UnixMs
) -> None:
    """Refuse a campaign that could not start; nothing is written here.

    Raises
    ------
    InvalidCampaign
        If zone or dwell do not fit the map, if it contradicts itself, its GS1 reference does not
        fit the company prefix, its experiment does not know the levels, or it began at another
        site.
    """
    check_against_map(revision, site_map)
    zone = SiteRules(time_zone=site_map.time_zone).zone
    check_makes_sense(revision, zone=zone, now_ms=now_ms)
    _check_gs1(revision, work=work)
    _check_part(revision, work=work)
    found = work.campaigns.find(revision.campaign)
    if found is not None and found.site != revision.site:
        raise InvalidCampaign(
            f"campaign {revision.campaign}: site is {revision.site!r}; expected {found.site!r}, "
            "where it began. Give a campaign of another site an id of its own."
        )


def pause_campaign(campaign: CampaignId, *, work: UnitOfWork) -> None:
    """Make no more offers of the campaign; coupons that are out stay good.

    Raises
    ------
    NotFound
        If there is no such campaign.
    """
    if not work.campaigns.set_state(campaign, CampaignState.PAUSED):
        raise NotFound(f"campaign {campaign} is unknown; expected the id of a started one.")


def check_against_map(revision: CampaignRevision, site_map: SiteMap) -> None:
    """Refuse a campaign that no visit on this map can wake.

    Raises
    ------
    InvalidCampaign
        If site, zone or dwell threshold are not the map's.
    """
    where = f"campaign {revision.campaign}"
    if revision.site != site_map.site:
        raise InvalidCampaign(f"{where}: site is {revision.site!r}; expected {site_map.site!r}.")
    watched = zone_of(revision.trigger)
    if watched is None:
        return
    zone = next((z for z in site_map.zones if z.zone == watched), None)
    if zone is None:
        raise InvalidCampaign(
            f"{where}: trigger.zone is {watched!r}; expected a zone of the site map "
            f"{site_map.site}."
        )
    if isinstance(revision.trigger, VisitTrigger):
        _check_dwell(revision.trigger, zone, where=where)


def _check_gs1(revision: CampaignRevision, *, work: UnitOfWork) -> None:
    # At the first start of a service its programme comes after the campaigns, and asks them.
    programme = work.programmes.current(revision.site)
    if revision.gs1 is None or programme is None:
        return
    misfit = revision.gs1.misfit(programme.gs1_company_prefix)
    if misfit is not None:
        raise InvalidCampaign(f"campaign {revision.campaign}: {misfit}")


def _check_part(revision: CampaignRevision, *, work: UnitOfWork) -> None:
    if revision.part is None:
        return
    run = work.experiments.find(revision.part.experiment)
    if run is None or run.site != revision.site:
        raise InvalidCampaign(
            f"campaign {revision.campaign}: experiment.experiment is "
            f"{revision.part.experiment!r}; expected one of the site. Start the experiment first."
        )
    misfit = revision.part.misfit(run.experiment)
    if misfit is not None:
        raise InvalidCampaign(f"campaign {revision.campaign}: {misfit}")


def _check_dwell(trigger: VisitTrigger, zone: Zone, *, where: str) -> None:
    if trigger.dwell_s not in zone.rules.dwell_thresholds_s:
        raise InvalidCampaign(
            f"{where}: trigger.dwell_s is {trigger.dwell_s}; expected one of "
            f"{[float(step) for step in zone.rules.dwell_thresholds_s]}, the dwell thresholds of "
            f"zone {zone.zone}. Add it to the zone's rules in the site map, or choose one of them."
        )


def _set_budget(revision: CampaignRevision, *, work: UnitOfWork) -> None:
    if not work.budgets.set_limits(revision.site, revision.campaign, revision.limits):
        raise InvalidCampaign(
            f"campaign {revision.campaign}: a budget is below what is used and set "
            "aside already; expected at least that much. Pause the campaign to stop it."
        )
    for partner in () if revision.funding is None else revision.funding.partners:
        bound = partner_charge(revision.site, revision.campaign, partner, 0)
        if not work.budgets.set_cap(bound.key, bound.cap):
            raise InvalidCampaign(
                f"campaign {revision.campaign}: amount_max of {partner.partner} is "
                f"{partner.amount_max.amount_minor}, less than it bears already; expected at "
                "least that much. Pause the campaign to stop it."
            )
