"""day_truth: who was in which zone when, from where everybody was in each second."""

import numpy as np

from firmware_sim.day_truth import AWAY_MS_MAX, DayTruth
from firmware_sim.truth import Truth
from tests.unit.firmware_sim.demo_shop import demo_shop

TAG = "tag:1"
IN_DOWELS = (12.7, 12.0)  # the strip runs from 12.2 to 13.2 m
IN_AISLE = (13.7, 12.0)


def truth_of(places: list[tuple[float, float] | None], *, standing: bool = True) -> DayTruth:
    """One shopper, a place a second; None: not in the shop."""
    truth = DayTruth(demo_shop())
    for second, place in enumerate(places):
        if place is not None:
            here = Truth(
                at_ms=1000 * second,
                tags=(TAG,),
                slots=np.zeros(1, np.intp),
                x_m=np.array([place[0]]),
                y_m=np.array([place[1]]),
                is_standing=np.array([standing]),
            )
            truth.take(here, {TAG: 7})
    return truth


def stays_in(truth: DayTruth, zone: str) -> list[tuple[int, int, int, float]]:
    return [
        (one.shopper, one.entered_at_ms, one.left_at_ms, one.dwell_s)
        for one in truth.stays()
        if one.zone == zone
    ]


def test_a_stay_lasts_from_the_first_second_inside_to_the_one_after_the_last() -> None:
    truth = truth_of([IN_AISLE] * 2 + [IN_DOWELS] * 5 + [IN_AISLE])
    assert stays_in(truth, "dowels") == [(7, 2000, 7000, 5.0)]


def test_nested_zones_each_tell_their_own() -> None:
    """A report of aisles and one of shelves are made of the same day."""
    truth = truth_of([IN_DOWELS] * 4)
    zones = {one.zone for one in truth.stays()}
    assert {"dowels", "pair-dowels-drill-bits", "aisle-2-front", "befestigung"} <= zones


def test_who_is_back_at_once_has_not_left() -> None:
    """Nor does the engine say so: `exit_delay_s` is five seconds, and six times that at rest."""
    short, long = AWAY_MS_MAX // 1000 - 2, AWAY_MS_MAX // 1000 + 2
    back = truth_of([IN_DOWELS] * 3 + [IN_AISLE] * short + [IN_DOWELS] * 3)
    gone = truth_of([IN_DOWELS] * 3 + [IN_AISLE] * long + [IN_DOWELS] * 3)
    assert [dwell_s for *_, dwell_s in stays_in(back, "dowels")] == [6.0]
    assert [dwell_s for *_, dwell_s in stays_in(gone, "dowels")] == [3.0, 3.0]


def test_walking_through_is_no_standing_and_an_empty_day_has_no_stays() -> None:
    walked = truth_of([IN_DOWELS] * 3, standing=False)
    assert {one.stood_s for one in walked.stays()} == {0.0}
    assert list(truth_of([None, None]).stays()) == []
