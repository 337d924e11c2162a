"""Say which zone events can matter to offers, so that the others cost no transaction.

Layer: doors. Takes: zone events, the campaigns in the database. Gives: a yes or no to
offers.visit_feed. A full shop enters and leaves hundreds of zones a second; campaigns watch a few.

Nothing is lost by a set of zones that is a second old: a dwell event always passes, it proves the
stay by itself, and the end of a stay that had one always passes too.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from offers.model.campaigns.campaign import CampaignState
from offers.model.campaigns.trigger import TripTrigger, zone_of
from offers.ports import Reader
from rtls.model.units import SiteId, ZoneId
from rtls.model.visit import DwellReached, Transition, TransitionKind, Visit, ZoneEvent

REFRESH_S: Final = 1.0
DWELT_MAX: Final = 50_000


class WatchedZones:
    """The zones that active campaigns watch; asked by one thread.

    Parameters
    ----------
    reader, site
        Whose campaigns.
    monotonic_s
        Real time, for the age of the set.
    """

    def __init__(
        self, reader: Reader, *, site: SiteId, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader = reader
        self._site = site
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._zones: frozenset[ZoneId] = frozenset()
        self._is_every_zone = False
        self._read_at_s = float("-inf")
        self._dwelt: OrderedDict[str, None] = OrderedDict()

    def concerns(self, event: ZoneEvent) -> bool:
        """Return whether offers have to hear of an event."""
        with self._lock:
            match event:
                case DwellReached():
                    self._dwelt[event.visit_id] = None
                    while len(self._dwelt) > DWELT_MAX:
                        self._dwelt.popitem(last=False)
                    return True
                case Transition(kind=TransitionKind.ENTERED):
                    is_known = event.is_withdrawn and event.visit_id in self._dwelt
                    return is_known or self._is_watched(event.zone)
                case Transition():
                    return event.visit_id in self._dwelt or self._is_watched(event.zone)
                case Visit():
                    return False  # its transition `left`, just before, has said all offers need

    def _is_watched(self, zone: ZoneId) -> bool:
        now_s = self._monotonic_s()
        if now_s - self._read_at_s >= REFRESH_S:
            campaigns = self._reader.run(lambda work: work.campaigns.of_site(self._site))
            triggers = [
                campaign.revision.trigger
                for campaign in campaigns
                if campaign.state is CampaignState.ACTIVE
            ]
            zones = (zone_of(trigger) for trigger in triggers)
            self._zones = frozenset(watched for watched in zones if watched is not None)
            # A trip begins and ends anywhere.
            self._is_every_zone = any(isinstance(trigger, TripTrigger) for trigger in triggers)
            self._read_at_s = now_s
        return self._is_every_zone or zone in self._zones
