"""Find the way from where a shopper is to a shelf.

Layer: doors. Takes: the site map, and the live state of locating. Gives: `ShopWays` to the routes
of shoppers. The ground is laid out in a thread when the service starts, which takes a second or
two, and a first way is walked there, so that no shopper waits for it.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import structlog

from rtls.model.errors import InaisleError, NoRoute
from rtls.model.place import Place
from rtls.model.route import Route
from rtls.model.site_map import SiteMap
from rtls.model.units import Metre, TagId, UnixMs, ZoneId
from rtls.navigation.route_finder import RouteFinder, standing_place
from rtls.ports import LiveStateReader

log = structlog.get_logger("inaisle.ways")
FIX_AGE_MS_MAX: Final = 30_000
"""In half a minute somebody walks thirty metres: an older fix is of another aisle."""


class ShopWays:
    """Where tags are, and how people walk (`offers.api.products.ShopWays`).

    Parameters
    ----------
    live
        The latest fixes; None where nobody locates.
    now_ms
        The clock.
    """

    def __init__(
        self, site_map: SiteMap, *, live: LiveStateReader | None, now_ms: Callable[[], UnixMs]
    ) -> None:
        self._site_map = site_map
        self._live = live
        self._now_ms = now_ms
        self._zones = {zone.zone: zone for zone in site_map.zones}
        self._finder: RouteFinder | None = None
        self._trouble: str | None = "starting"
        self._thread = threading.Thread(target=self._lay_out, name="offers-ways", daemon=True)

    @property
    def is_ready(self) -> bool:
        """Whether ways are found by now."""
        return self._finder is not None

    def start(self) -> None:
        """Begin to lay out the ground."""
        self._thread.start()

    def trouble(self) -> str | None:
        """Return what is wrong, for `Health`."""
        return self._trouble

    def latest_place(self, tags: Mapping[TagId, UnixMs]) -> Place | None:
        """Return the place of the newest fix of some tags, each since an instant; else None."""
        if self._live is None or not tags:
            return None
        fixes = self._live.latest_of(tuple(tags), max_age_ms=FIX_AGE_MS_MAX, now_ms=self._now_ms())
        at_ms = [
            at if at >= tags[tag] else -1
            for tag, at in zip(fixes.tags, fixes.at_ms.tolist(), strict=True)
        ]
        if not at_ms or max(at_ms) < 0:
            return None
        row = fixes.rows[int(np.argmax(at_ms))]
        return Place(
            floor=int(row["floor"]), x_m=Metre(float(row["x_m"])), y_m=Metre(float(row["y_m"]))
        )

    def place_of(self, zone: ZoneId) -> Place:
        """Return where somebody stands who is at a zone.

        Raises
        ------
        NoRoute
            If the map has no such zone.
        """
        if zone not in self._zones:
            raise NoRoute(f"zone {zone!r} is not on the map; expected one of its zones.")
        return standing_place(self._zones[zone])

    def to_nearest(self, start: Place, zones: Sequence[ZoneId], *, is_step_free: bool) -> Route:
        """Return the way to the zone that is quickest to get to; `NoRoute` if there is none."""
        assert self._finder is not None  # the routes ask `is_ready`
        return self._finder.to_nearest_zone(start, zones, is_step_free=is_step_free)

    def _lay_out(self) -> None:
        try:
            finder = RouteFinder.of_map(self._site_map)
            self._walk_once(finder)
        except InaisleError as error:
            self._trouble = f"no ways are found on this map: {error}"
            log.warning("no ways are found on this map", error=str(error))
            return
        self._finder, self._trouble = finder, None

    def _walk_once(self, finder: RouteFinder) -> None:
        """Have the kernels compiled by nobody's request."""
        corners = finder.grid.node_xy[[0, -1]].tolist()
        floor = int(finder.grid.node_floor[0])
        ends = [Place(floor=floor, x_m=Metre(x), y_m=Metre(y)) for x, y in corners]
        try:
            finder.to_place(*ends)
        except NoRoute:
            return  # the compiled parts have been reached, or are not needed on such a map
