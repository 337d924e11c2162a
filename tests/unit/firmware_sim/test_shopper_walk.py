"""shopper_walk: positions step by step."""

import numpy as np
import pytest

from firmware_sim.shopper_walk import Gait, Walkers
from rtls.model.errors import InvalidSiteMap

STEP_MS = 100


def walk_to_the_end(walkers: Walkers, *, steps_max: int = 2_000) -> list[tuple[float, float]]:
    track = []
    for step in range(1, steps_max):
        end = walkers.advance(step * STEP_MS, step_ms=STEP_MS)
        track.append((float(walkers.x_m[0]), float(walkers.y_m[0])))
        if end.arrived.tolist() == [0]:
            return track
        assert not end.arrived.size
    pytest.fail("the shopper never arrived")


def one_walker(*way: tuple[float, float], pace_m_s: float = 1.0) -> Walkers:
    walkers = Walkers(3)
    walkers.appear(0, x_m=0.0, y_m=0.0, pace_m_s=pace_m_s)
    walkers.send(0, np.array(way))
    return walkers


def test_ten_metres_at_one_metre_a_second_take_ten_seconds_and_the_time_to_speed_up() -> None:
    """Speeding up at 1 m/s² costs 0.5 s, braking at 1.3 m/s² 0.4 s: about 10.9 s."""
    track = walk_to_the_end(one_walker((10.0, 0.0)))
    assert track[-1] == (10.0, 0.0)
    assert len(track) * STEP_MS / 1000.0 == pytest.approx(10.9, abs=0.4)


def test_nobody_is_faster_than_his_pace_nor_jumps_in_speed() -> None:
    """A filter that models people must see people."""
    track = np.array([(0.0, 0.0), *walk_to_the_end(one_walker((6.0, 0.0), (6.0, 8.0)))])
    speed = np.hypot(*np.diff(track, axis=0).T) / (STEP_MS / 1000.0)
    assert speed.max() <= 1.0 + 1e-9
    along = np.abs(np.diff(speed))
    # Where the way turns by a right angle within a step, the chord is shorter than the way.
    assert np.sort(along)[:-2].max() <= 0.25


def test_a_way_is_followed_corner_by_corner() -> None:
    """6 m right, then 8 m up; the corner is not cut by more than one step."""
    track = np.array(walk_to_the_end(one_walker((6.0, 0.0), (6.0, 8.0))))
    to_corner = np.hypot(track[:, 0] - 6.0, track[:, 1]).min()
    assert to_corner < 0.1
    assert track[:, 0].max() <= 6.0 + 1e-9
    assert np.all((track[:, 1] == 0.0) | (np.abs(track[:, 0] - 6.0) < 1e-9))


def test_corners_closer_than_a_step_do_not_stop_the_walk() -> None:
    """The grown corners of two racks may lie a centimetre apart."""
    track = walk_to_the_end(one_walker((1.0, 0.0), (1.01, 0.0), (1.02, 0.0), (5.0, 0.0)))
    assert track[-1] == (5.0, 0.0)


def test_whoever_is_sent_to_where_he_stands_arrives_at_once() -> None:
    """Two stops of a trip may fall on one spot."""
    assert len(walk_to_the_end(one_walker((0.0, 0.0)))) == 1


def test_a_standing_shopper_is_rested_when_his_time_is_over_and_not_before() -> None:
    """The truth of a dwell test stands and falls with this instant."""
    walkers = Walkers(2)
    walkers.appear(1, x_m=3.0, y_m=4.0, pace_m_s=1.0)
    walkers.stand(1, until_ms=500, heading_rad=0.0)
    rested = [walkers.advance(now, step_ms=STEP_MS).rested.tolist() for now in (300, 400, 500)]
    assert rested == [[], [], [1]]
    assert (walkers.x_m[1], walkers.y_m[1]) == (3.0, 4.0)


def test_who_has_vanished_moves_no_more() -> None:
    """A slot without a shopper must not be heard."""
    walkers = one_walker((10.0, 0.0))
    walkers.vanish(0)
    end = walkers.advance(100, step_ms=STEP_MS)
    assert walkers.gait[0] == Gait.ABSENT
    assert not end.arrived.size
    assert walkers.x_m[0] == 0.0


def test_a_way_with_too_many_corners_is_refused() -> None:
    """The columns have a bound; a map of a thousand corners must say so."""
    with pytest.raises(InvalidSiteMap, match="33 corners"):
        one_walker(*((float(x), 0.0) for x in range(33)))
