"""Say what the routes of shoppers need from locating.

Layer: edges. Takes: nothing. Gives: the shape of `ShopWays` to the routes and to the door that
implements it. What is asked of it names tags, never a person.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from rtls.model.place import Place
from rtls.model.route import Route
from rtls.model.units import TagId, UnixMs, ZoneId


class ShopWays(Protocol):
    """Where tags are, and how people walk (`inaisle.service.shop_ways`). Blocks: for a thread."""

    @property
    def is_ready(self) -> bool:
        """Whether the site's ground has been laid out since the start."""
        ...

    def latest_place(self, tags: Mapping[TagId, UnixMs]) -> Place | None:
        """Return the place of the newest fix of some tags, each since an instant; None without one.

        Raises `LiveStateAway` where nobody can say.
        """
        ...

    def place_of(self, zone: ZoneId) -> Place:
        """Return where somebody stands who is at a zone of the map; `NoRoute` if it is on none."""
        ...

    def to_nearest(self, start: Place, zones: Sequence[ZoneId], *, is_step_free: bool) -> Route:
        """Return the way to that of some zones which is the quickest; `NoRoute` if there is none.

        ``zones`` are of the map, one or more; ``is_step_free`` changes floors by lifts only.
        """
        ...
