"""The trolley of the demo's visitor: it comes, stands, leaves, and comes again."""

from firmware_sim.trip import ScriptedShopper
from inaisle.demo.demo_visitor import TROLLEY, VisitorTrolley


def test_the_trolley_comes_again_only_when_it_has_left() -> None:
    """The simulator refuses a tag that is in the shop already, and would end with it."""
    ordered: list[ScriptedShopper] = []
    visitor = VisitorTrolley(ordered.append)
    visitor.see(())
    visitor.see(())  # ordered, and on its way
    assert [one.tag for one in ordered] == [TROLLEY]
    visitor.see({TROLLEY})
    visitor.see({TROLLEY})
    assert len(ordered) == 1
    visitor.see(())
    assert len(ordered) == 2
