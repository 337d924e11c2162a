"""clock_skew: a wrong clock is put right, a slow line is not taken for one."""

from rtls.ingest.clock_skew import ClockSkew, Dated
from rtls.model.reading import ReadingFlag
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


def dated(differences_ms: list[int], *, has_spool: bool, second_ms: int = 1) -> list[Dated]:
    """When each message was sent, relative to its arrival; times in steps of ``second_ms``."""
    skew = ClockSkew()
    found = []
    for i, difference in enumerate(differences_ms):
        at = NOW + i * 250
        sent = (at - difference) // second_ms * second_ms
        one = skew.date(G1, UnixMs(sent), UnixMs(at), has_spool=has_spool)
        found.append(Dated(one.sent_at_ms - at, one.flags))
    return found


def test_a_clock_that_was_never_set_is_not_believed() -> None:
    """1970 is the time of a gateway without a battery; what it hears was heard just now."""
    assert dated([NOW], has_spool=True) == [Dated(0, ReadingFlag.ARRIVAL_TIME)]


def test_an_old_message_of_a_gateway_with_a_spool_is_old() -> None:
    """Dated by its arrival, it would send an offer to somebody long gone."""
    assert dated([20, 400_000], has_spool=True)[1] == Dated(-400_000)


def test_an_old_message_of_a_gateway_without_a_spool_has_a_wrong_clock() -> None:
    """It cannot have waited: what comes, comes from now."""
    assert dated([400_000], has_spool=False) == [Dated(0, ReadingFlag.ARRIVAL_TIME)]
    assert dated([290_000], has_spool=False) == [Dated(-290_000)]


def test_a_clock_of_whole_seconds_costs_no_second() -> None:
    """Such firmware rounds down: each reading would be dated half a second back on average."""
    found = dated([40] * 20, has_spool=False, second_ms=1_000)
    assert {one.sent_at_ms for one in found[5:]} == {0}
    assert all(one.sent_at_ms < 0 for one in dated([40] * 20, has_spool=False))


def test_the_operator_hears_of_clocks_that_a_correction_cannot_heal() -> None:
    """Half a second is put right in silence; somebody must set the clock that is minutes off."""
    skew = ClockSkew()
    for name, sent in (("ahead", NOW + 2_500), ("nearly", NOW + 1_500), ("never", 0)):
        skew.date(GatewayId(name), UnixMs(sent), UnixMs(NOW), has_spool=True)
    assert skew.alarms_ms() == {"ahead": -2_500, "never": None}


def test_clocks_of_two_gateways_do_not_mix() -> None:
    """One bad clock must not move the readings of the others."""
    skew = ClockSkew()
    skew.observe(G1, UnixMs(NOW + 9_000), UnixMs(NOW))
    assert skew.observe(GatewayId("g2"), UnixMs(NOW - 20), UnixMs(NOW)) == 0
    assert skew.corrections_ms() == {"g1": -9_000}
