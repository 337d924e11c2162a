"""Keep a trolley going to the dowels for whoever tries the card of the demo.

Layer: doors. Takes: who is in the shop, from the simulator. Gives: one trolley after the other
under the same tag, so that a visitor who pairs it gets the offer on a card of his own.
"""

from collections.abc import Callable, Container
from typing import Final

from firmware_sim.trip import ScriptedShopper
from inaisle.demo.demo_story import STANDS_S, ZONE
from rtls.model.site_map import Radio
from rtls.model.units import TagId

TROLLEY: Final = TagId("tag:demo-2")


class VisitorTrolley:
    """One trolley that comes again when it has left; told of the shop once a simulated second."""

    def __init__(self, let_come: Callable[[ScriptedShopper], None]) -> None:
        self._let_come = let_come
        self._is_ordered = False
        self._is_inside = False

    def see(self, inside: Container[TagId]) -> None:
        """Take who is in the shop now."""
        was_inside, self._is_inside = self._is_inside, TROLLEY in inside
        has_left = was_inside and not self._is_inside
        if has_left or not self._is_ordered:
            # Ordered once until it has come and gone: the simulator refuses a tag that is there.
            self._is_ordered = True
            stands = ((ZONE, STANDS_S),)
            self._let_come(ScriptedShopper(tag=TROLLEY, radio=Radio.UWB, stands=stands))
