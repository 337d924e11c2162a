"""Decide up to which instant all readings can be taken to have come.

Layer: rules. Takes: arrival times and now. Gives: the watermark to rtls.ingest.epoch. Normally it
is now less the lateness. When nothing at all arrives, the line is down rather than the shop empty:
the watermark stands still, and for a little longer after the first message, so that what the
gateways held back in their spools still comes in order. A restart of the broker or of this process
then costs no second of anybody's dwell.
"""

from dataclasses import dataclass

from rtls.ingest.reception_settings import ReceptionSettings
from rtls.model.units import UnixMs


@dataclass(slots=True)
class Hold:
    """A stretch during which the watermark stands still."""

    value_ms: int
    since_ms: int
    resumed_at_ms: int | None = None
    """arrival of the first message"""


class Watermark:
    """The instant up to which epochs may close; it never goes back.

    Examples
    --------
    >>> watermark = Watermark(ReceptionSettings(lateness_ms=500))
    >>> watermark.arrived(10_000)
    >>> watermark.at(10_100), watermark.at(11_900), watermark.at(12_100), watermark.at(15_000)
    (9600, 11400, 11500, 11500)
    >>> watermark.arrived(15_100)  # the line is back: 2.5 s for the spools
    >>> watermark.at(17_500), watermark.at(17_600)
    (11500, 17100)
    """

    def __init__(self, settings: ReceptionSettings) -> None:
        self._settings = settings
        self._value_ms: int | None = None
        self._arrival_ms: int | None = None
        self._hold: Hold | None = None
        self._was_away = False

    @property
    def is_held(self) -> bool:
        """Say whether the watermark stands still at present."""
        return self._hold is not None

    def arrived(self, received_at_ms: UnixMs) -> None:
        """Note that a message came."""
        self._begin_hold(received_at_ms)
        if self._hold is not None and self._hold.resumed_at_ms is None:
            self._hold.resumed_at_ms = received_at_ms
        self._arrival_ms = max(received_at_ms, self._arrival_ms or 0)

    def at(self, now_ms: UnixMs, *, may_hold: bool = True) -> UnixMs:
        """Return the watermark at ``now_ms``; ``may_hold`` False ends a hold (there is no room)."""
        self._begin_hold(now_ms)
        if self._hold is not None:
            if may_hold and now_ms < self._end_ms(self._hold):
                return self._rise_to(self._hold.value_ms)
            if self._hold.resumed_at_ms is None:
                self._arrival_ms = None  # no second hold before something has come again
            self._hold = None
        return self._rise_to(now_ms - self._settings.lateness_ms)

    def restore(self, value_ms: UnixMs) -> None:
        """Go on from a snapshot: hold at its watermark until the gateways are heard again."""
        self._value_ms = value_ms
        self._arrival_ms = None
        self._hold = None
        self._was_away = True

    def _begin_hold(self, now_ms: int) -> None:
        if self._hold is not None or not self._settings.hold_ms_max:
            return
        if self._was_away:
            assert self._value_ms is not None
            self._hold = Hold(self._value_ms, now_ms)
            self._was_away = False
        elif self._arrival_ms is not None:
            silent_from_ms = self._arrival_ms + self._settings.silence_hold_after_ms
            if now_ms > silent_from_ms:
                self._hold = Hold(silent_from_ms - self._settings.lateness_ms, silent_from_ms)

    def _end_ms(self, hold: Hold) -> int:
        latest_ms = hold.since_ms + self._settings.hold_ms_max
        if hold.resumed_at_ms is None:
            return latest_ms
        return min(latest_ms, hold.resumed_at_ms + self._settings.recovery_hold_ms)

    def _rise_to(self, value_ms: int) -> UnixMs:
        self._value_ms = max(value_ms, self._value_ms if self._value_ms is not None else value_ms)
        return UnixMs(self._value_ms)
