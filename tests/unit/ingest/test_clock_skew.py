"""clock_skew: a wrong clock is put right, a slow line is not taken for one."""

from rtls.ingest.clock_skew import ClockSkew, is_sane
from rtls.model.units import GatewayId, UnixMs
from tests.unit.ingest.made_messages import NOW

G1 = GatewayId("g1")


def corrections(differences_ms: list[int], *, every_ms: int = 250) -> list[int]:
    """The correction after each message; a difference is arrival less sending."""
    skew = ClockSkew()
    return [
        skew.observe(G1, UnixMs(NOW + i * every_ms - difference), UnixMs(NOW + i * every_ms))
        for i, difference in enumerate(differences_ms)
    ]


def test_a_clock_that_is_ahead_is_put_right_at_once() -> None:
    """Nothing arrives before it was sent: one such message proves the clock wrong."""
    assert corrections([-4_970, -4_950]) == [-4_970, -4_970]


def test_a_clock_that_is_behind_is_put_right_when_it_has_been_steady() -> None:
    """One late message may have waited in a spool; eight seconds of the same delay are a clock."""
    found = corrections([5_030, 5_010, 5_090, 5_060] * 8)
    assert set(found[:28]) == {0}
    assert found[-1] == 5_010


def test_an_emptying_spool_is_not_taken_for_a_wrong_clock() -> None:
    """Else ten minutes old readings would be dated now and make offers to people long gone."""
    assert set(corrections([600_000 - 200 * i for i in range(200)])) == {0}


def test_a_spool_after_good_messages_changes_nothing() -> None:
    """A broker restart must not move the times of what was heard before it."""
    assert set(corrections([20, 30, 25, 40] * 5 + [8_000, 7_000, 6_000, 30])) == {0}


def test_small_errors_are_left_alone() -> None:
    """Below 200 ms a correction would only follow the jitter of the line."""
    assert set(corrections([-150, -120, 190, 180] * 20)) == {0}


def test_a_clock_set_forward_is_seen_at_once() -> None:
    """NTP wakes up while we listen: the old correction must not outlive it."""
    assert corrections([5_010] * 40 + [10] * 4)[39:] == [5_010, 0, 0, 0, 0]


def test_one_message_with_a_wrong_time_does_not_spoil_those_behind_it() -> None:
    """A flipped bit in one time must not date everybody's readings five minutes back."""
    assert corrections([20, -300_000, 30, 25]) == [0, -300_000, 0, 0]


def test_a_clock_that_is_set_back_is_believed_at_once() -> None:
    """It was five seconds ahead, NTP puts it right: the next reading is dated right again."""
    assert corrections([-4_980] * 40 + [20] * 3)[39:] == [-4_980, 0, 0, 0]


def test_the_correction_of_a_clock_slightly_ahead_does_not_flap() -> None:
    """The delay of the line hides part of the error from message to message."""
    assert set(corrections([-295, -150, -90, -280, -120, -170])) == {-295}


def test_a_clock_ten_minutes_off_is_no_clock() -> None:
    """1970 and 2100 are the two times of a gateway without a battery."""
    assert is_sane(UnixMs(NOW - 600_000), UnixMs(NOW))
    assert is_sane(UnixMs(NOW + 600_000), UnixMs(NOW))
    assert not is_sane(UnixMs(NOW - 600_001), UnixMs(NOW))
    assert not is_sane(UnixMs(0), UnixMs(NOW))
    assert not is_sane(UnixMs(4_102_444_800_000), UnixMs(NOW))


def test_clocks_of_two_gateways_do_not_mix() -> None:
    """One bad clock must not move the readings of the others."""
    skew = ClockSkew()
    skew.observe(G1, UnixMs(NOW + 9_000), UnixMs(NOW))
    assert skew.observe(GatewayId("g2"), UnixMs(NOW - 20), UnixMs(NOW)) == 0
    assert skew.corrections_ms() == {"g1": -9_000}
