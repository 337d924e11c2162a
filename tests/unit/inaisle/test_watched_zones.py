"""Watched zones: what cannot matter to a campaign costs no transaction, and nothing that can."""

from dataclasses import dataclass
from typing import cast

from inaisle.service.watched_zones import WatchedZones
from offers.model.campaigns.campaign import CampaignState
from offers.model.campaigns.trigger import EnterTrigger, TripStartTrigger
from offers.ports import Reader
from rtls.model.units import Second, SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import DwellReached, LeftReason, Transition, TransitionKind

SITE = SiteId("s")


@dataclass
class Revision:
    trigger: EnterTrigger | TripStartTrigger


@dataclass
class Campaign:
    revision: Revision
    state: CampaignState = CampaignState.ACTIVE


class Campaigns:
    """The one repository that is asked, and its reader, in one."""

    def __init__(self) -> None:
        self.found: list[Campaign] = []

    @property
    def campaigns(self) -> "Campaigns":
        return self

    def of_site(self, _site: SiteId) -> list[Campaign]:
        return self.found

    def run(self, work) -> object:
        return work(self)


class Seconds:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def transition(zone: str, kind: TransitionKind, visit: str = "v") -> Transition:
    return Transition(
        event_id="e",
        visit_id=visit,
        site=SITE,
        tag=TagId("tag:1"),
        zone=ZoneId(zone),
        kind=kind,
        at_ms=UnixMs(1),
        decided_at_ms=UnixMs(2),
        probability=1.0,
        reason=LeftReason.WALKED_AWAY if kind is TransitionKind.LEFT else None,
    )


def dwell(zone: str, visit: str) -> DwellReached:
    return DwellReached(
        event_id="e",
        visit_id=visit,
        site=SITE,
        tag=TagId("tag:1"),
        zone=ZoneId(zone),
        entered_at_ms=UnixMs(1),
        reached_at_ms=UnixMs(300_001),
        evidence_at_ms=UnixMs(300_001),
        threshold_s=Second(300.0),
        dwell_s=Second(300.0),
        dwell_s_low=Second(299.0),
        dwell_s_high=Second(301.0),
        probability=0.9,
    )


def watched(campaigns: Campaigns, seconds: Seconds) -> WatchedZones:
    return WatchedZones(cast("Reader", campaigns), site=SITE, monotonic_s=seconds)


def test_who_passes_a_zone_that_no_campaign_watches_costs_nothing() -> None:
    """Hundreds of these come each second from a full shop."""
    campaigns = Campaigns()
    campaigns.found = [Campaign(Revision(EnterTrigger(zone="dowels"))), *paused("paint")]
    zones = watched(campaigns, Seconds())
    assert zones.concerns(transition("dowels", TransitionKind.ENTERED))
    assert not zones.concerns(transition("screws", TransitionKind.ENTERED))
    assert not zones.concerns(transition("paint", TransitionKind.LEFT))


def paused(zone: str) -> list[Campaign]:
    return [Campaign(Revision(EnterTrigger(zone=zone)), state=CampaignState.PAUSED)]


def test_the_end_of_a_stay_passes_once_its_dwell_has() -> None:
    """The campaign began a moment ago: whoever has an offer must be seen to leave."""
    zones = watched(Campaigns(), Seconds())
    assert zones.concerns(dwell("dowels", "v1"))
    assert zones.concerns(transition("dowels", TransitionKind.LEFT, "v1"))
    assert not zones.concerns(transition("dowels", TransitionKind.LEFT, "v2"))


def test_a_new_campaign_is_seen_within_a_second() -> None:
    """A merchandiser who starts a campaign watches the next shopper."""
    campaigns, seconds = Campaigns(), Seconds()
    zones = watched(campaigns, seconds)
    assert not zones.concerns(transition("dowels", TransitionKind.ENTERED))
    campaigns.found = [Campaign(Revision(EnterTrigger(zone="dowels")))]
    seconds.now_s = 1.0
    assert zones.concerns(transition("dowels", TransitionKind.ENTERED))


def test_a_trip_begins_anywhere_so_every_zone_matters_to_it() -> None:
    """Else a greeting would come only to who happens to pass a shelf with a campaign."""
    campaigns = Campaigns()
    campaigns.found = [Campaign(Revision(TripStartTrigger()))]
    zones = watched(campaigns, Seconds())
    assert zones.concerns(transition("nobodys-corner", TransitionKind.ENTERED))
