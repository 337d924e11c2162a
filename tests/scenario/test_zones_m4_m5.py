"""M4 and M5, thinned: the right bay or none, and peace for who stands.

The whole of it: `python -m benchmarks.accuracy zones_m4_m5`.
"""

from benchmarks.accuracy.zones_m4_m5 import dwell_shares, false_transitions, fence_shares
from tests.reference.fences import InstantFence, ToleranceFence


def test_at_half_a_metre_the_bay_is_named_and_no_other() -> None:
    """M4: 30 s of dwell at a bay of 2 m; the target is 99 % right and at most 0.5 % wrong."""
    ours = dwell_shares(40, sigma_m=0.5)
    assert (ours.right, ours.wrong) == (1.0, 0.0)


def test_at_one_metre_the_bay_is_rather_not_named_than_named_wrongly() -> None:
    """M4: at most 2 % wrong; the segment of 6 m is named to 98 %: backing off to the parent."""
    ours = dwell_shares(40, sigma_m=1.0)
    assert ours.wrong == 0.0
    assert ours.parent == 1.0


def test_the_usual_fences_miss_the_stand_or_name_the_neighbour() -> None:
    """The peers on the same ranges: why a probability is integrated instead of a point tested."""
    instant = fence_shares(40, sigma_m=0.5, kind=InstantFence)
    patient = fence_shares(40, sigma_m=1.0, kind=ToleranceFence)
    assert instant.right < 0.1
    assert patient.wrong > 0.1


def test_who_stands_is_left_in_peace() -> None:
    """M5: at most 0.05 false transitions a minute."""
    assert false_transitions(6, sigma_m=0.5, on_edge=False) <= 0.05


def test_on_the_edge_of_two_bays_flapping_is_rare() -> None:
    """There either bay is as right; going over once is four transitions, of bays and pairs.

    The exit-tolerance fence makes six a minute of the same stands.
    """
    assert false_transitions(6, sigma_m=0.5, on_edge=True) <= 0.15
