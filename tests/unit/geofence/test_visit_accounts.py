"""VisitAccounts: many visits of many tags, counted as one would by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtls.geofence.containment import ZoneProbabilities
from rtls.geofence.dwell import DwellSettings
from rtls.geofence.kernels.visit_account import ACCOUNTS_A_TAG
from rtls.geofence.visit_accounts import VisitAccounts
from rtls.model.fix import FIX_DTYPE
from tests.reference.shelf_site import START_MS, shelf_site
from tests.reference.visit_account import PlainAccount, weight_of

SITE = shelf_site()
PROBABILITY = st.sampled_from([0.0, 0.3, 0.5, 0.6, 0.7, 1.0])


def accounts() -> VisitAccounts:
    return VisitAccounts(SITE, DwellSettings())


def seen(slot: int, at_ms: int, p_of: dict[int, float], p_standing: float = 1.0):
    """Return one smoothed fix, its instant and its P(zone)."""
    fix = np.zeros(1, FIX_DTYPE)
    fix["tag"], fix["p_standing"] = slot, p_standing
    listed = sorted(p_of.items())
    places = ZoneProbabilities(
        row_start=np.array([0, len(listed)], np.int32),
        zone=np.array([zone for zone, _ in listed], np.int32),
        probability=np.array([p for _, p in listed], np.float64),
        left_out=0,
    )
    return fix, np.array([at_ms], np.int64), places


@given(st.lists(st.tuples(st.integers(1, 40_000), PROBABILITY, PROBABILITY, PROBABILITY)))
def test_two_visits_of_a_tag_are_counted_as_by_hand(
    steps: list[tuple[int, float, float, float]],
) -> None:
    """The kernel does them all at once; the twin one by one. One has an end, one has none."""
    ours = accounts()
    twins = [PlainAccount(START_MS), PlainAccount(START_MS + 500)]
    places = [
        ours.begin(3, zone=zone, entered_at_ms=twin.entered_at_ms)
        for zone, twin in enumerate(twins)
    ]
    ours.end(places[1], left_at_ms=START_MS + 60_000)
    twins[1].left_at_ms = START_MS + 60_000
    at_ms = START_MS
    for wait_ms, p_first, p_second, p_standing in steps:
        at_ms += wait_ms
        ours.count(*seen(3, at_ms, {0: p_first, 1: p_second}, p_standing))
        ours.count(*seen(4, at_ms, {0: 1.0}))  # somebody else
        for twin, p in zip(twins, (p_first, p_second), strict=True):
            twin.step(at_ms, weight_of(p, p_standing))
    assert [ours.close(place) for place in places] == [twin.dwell_ms / 1e3 for twin in twins]


def test_only_tags_on_a_visit_are_asked_for() -> None:
    """Nobody else is looked back at."""
    ours = accounts()
    place = ours.begin(5, zone=0, entered_at_ms=START_MS)
    slots = np.array([0, 5, 70], np.int32)
    assert ours.are_asked_for(slots).tolist() == [False, True, False]
    ours.close(place)
    assert not ours.are_asked_for(slots).any()


def test_a_tag_has_room_for_so_many_visits_and_no_more() -> None:
    """Memory has a bound; what does not fit keeps the dwell that was told live."""
    ours = accounts()
    places = [ours.begin(0, zone=0, entered_at_ms=START_MS) for _ in range(ACCOUNTS_A_TAG + 1)]
    assert None not in places[:-1]
    assert places[-1] is None
    assert ours.begin(1 << 20, zone=0, entered_at_ms=START_MS) is None
