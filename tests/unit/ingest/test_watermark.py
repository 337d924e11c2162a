"""watermark: it follows the clock, and stands still while a line is down."""

from rtls.ingest.reception_settings import ReceptionSettings
from rtls.ingest.watermark import Watermark
from rtls.model.units import UnixMs

SETTINGS = ReceptionSettings()  # 500 ms late, hold after 2 s, 2.5 s more, 15 s at most

FLUSH_MS = 250


def at(watermark: Watermark, *instants_ms: int) -> list[int]:
    return [watermark.at(UnixMs(instant)) for instant in instants_ms]


def started(at_ms: int = 100_000) -> Watermark:
    watermark = Watermark(SETTINGS)
    watermark.arrived(UnixMs(at_ms))
    return watermark


def test_it_follows_the_clock_while_messages_come() -> None:
    """Offers are only half a second late."""
    assert at(started(), 100_000, 100_050, 101_000) == [99_500, 99_550, 100_500]


def test_it_stands_still_after_two_seconds_of_silence() -> None:
    """Where it stands does not depend on how often it is asked."""
    assert at(started(), 102_000, 102_001, 109_000) == [101_500, 101_500, 101_500]
    assert at(started(), 109_000) == [101_500]


def test_what_gateways_held_when_the_line_broke_is_not_too_late() -> None:
    """They send every quarter of a second; what was under way is lost with the line as well."""
    oldest_ms = 100_000 - 2 * FLUSH_MS
    [stands_ms] = at(started(), 109_000)
    assert stands_ms - oldest_ms <= SETTINGS.late_max_ms


def test_after_the_first_message_it_waits_for_the_other_spools() -> None:
    """Two hundred gateways reconnect within a second or two, not in the same instant."""
    watermark = started()
    watermark.arrived(UnixMs(108_000))
    assert at(watermark, 108_000, 110_499, 110_500) == [101_500, 101_500, 110_000]


def test_it_never_stands_still_for_more_than_fifteen_seconds() -> None:
    """Timers of people who left must fire, broker or not."""
    assert at(started(), 116_999, 117_000, 130_000) == [101_500, 116_500, 129_500]


def test_a_hold_used_up_does_not_begin_again_before_something_came() -> None:
    """Else the time of a shop at night would move in jumps of fifteen seconds."""
    watermark = started()
    at(watermark, 118_000)
    assert at(watermark, 140_000) == [139_500]
    watermark.arrived(UnixMs(150_000))
    assert at(watermark, 150_100, 153_500) == [149_600, 151_500]


def test_messages_late_in_a_hold_do_not_prolong_it() -> None:
    """Fifteen seconds in all is what a dwell can stand."""
    watermark = started()
    watermark.arrived(UnixMs(116_000))
    assert at(watermark, 116_999, 117_000) == [101_500, 116_500]


def test_after_a_restart_it_waits_where_it_stood() -> None:
    """A process killed in the middle of a visit goes on with the visit."""
    watermark = Watermark(SETTINGS)
    watermark.restore(UnixMs(99_000))
    assert at(watermark, 104_000, 106_000) == [99_000, 99_000]
    watermark.arrived(UnixMs(106_100))
    assert at(watermark, 108_500, 108_600) == [99_000, 108_100]


def test_it_never_goes_back() -> None:
    """A clock that is set back must not reopen an epoch."""
    assert at(started(), 101_000, 100_200) == [100_500, 100_500]


def test_a_recording_is_never_held() -> None:
    """Sessions are minutes apart; waiting for a line would be waiting for nobody."""
    watermark = Watermark(ReceptionSettings.for_recordings())
    watermark.arrived(UnixMs(100_000))
    assert at(watermark, 100_000, 400_000) == [100_000, 400_000]


def test_without_room_there_is_no_hold() -> None:
    """A hold fills the memory; when it is full, time must go on."""
    assert started().at(UnixMs(109_000), may_hold=False) == 108_500
