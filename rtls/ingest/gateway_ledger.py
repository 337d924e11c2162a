"""Remember which messages of each gateway have come, and tell the gateways.

Layer: rules. Takes: the keys of messages. Gives: whether a message is new to rtls.ingest.reception,
and the `down` acknowledgements {"boot", "upto", "missing"} for the gateways. A broker's receipt is
no delivery (measured: 5,000 receipts, 1,000 messages), so a gateway keeps each message until this
ledger has said so; every claim must therefore be exact.
"""

import bisect
from collections import OrderedDict
from typing import Final

import msgspec

from rtls.ingest.formats.decoded import MessageKey
from rtls.model.units import GatewayId, UnixMs

MISSING_NAMED_MAX: Final = 256
GAPS_MAX: Final = 256
BOOTS_KEPT: Final = 4
GATEWAYS_MAX: Final = 10_000
PATIENCE_MS: Final = 180_000
"""three times the longest pause between two resends: what has not come by then does not exist"""
LOOK_AGAIN_AFTER_MS: Final = 1_000
SILENCE_COUNTED_MS_MAX: Final = 5_000


class Gap(msgspec.Struct, array_like=True):
    """Messages first..last have not come, though later ones have."""

    first: int
    last: int
    since_ms: int
    """on the boot's own clock, which stands still while the gateway is silent"""


class BootLedger(msgspec.Struct):
    """The messages of one start of one gateway."""

    highest: int = -1
    gaps: list[Gap] = msgspec.field(default_factory=list)
    active_ms: int = 0
    heard_at_ms: int = 0
    given_up: int = 0
    look_again_ms: int = 0
    """on the same clock: when to look for gaps that have waited too long"""

    def note(self, key: MessageKey, received_at_ms: int) -> bool:
        """Return whether the message is new."""
        silence_ms = received_at_ms - self.heard_at_ms if self.heard_at_ms else 0
        self.active_ms += max(0, min(silence_ms, SILENCE_COUNTED_MS_MAX))
        self.heard_at_ms = max(self.heard_at_ms, received_at_ms)
        is_new = self._note(key.seq)
        self._drop_oldest()
        if self.gaps and (key.low > self.gaps[0].first or self.active_ms >= self.look_again_ms):
            self.look_again_ms = self.active_ms + LOOK_AGAIN_AFTER_MS
            self._give_up(key.low)
        return is_new

    def _note(self, seq: int) -> bool:
        if seq > self.highest:
            if seq > self.highest + 1:
                self.gaps.append(Gap(self.highest + 1, seq - 1, self.active_ms))
            self.highest = seq
            return True
        position = bisect.bisect_right(self.gaps, seq, key=_first) - 1
        if position < 0 or seq > self.gaps[position].last:
            return False
        gap = self.gaps[position]
        # The part above begins its wait anew: a spool is being sent in order.
        rest = (Gap(gap.first, seq - 1, gap.since_ms), Gap(seq + 1, gap.last, self.active_ms))
        self.gaps[position : position + 1] = [one for one in rest if one.first <= one.last]
        return True

    def _give_up(self, low: int) -> None:
        """Stop asking for what cannot come any more."""
        kept = []
        for gap in self.gaps:
            if self.active_ms - gap.since_ms > PATIENCE_MS:
                self.given_up += gap.last - gap.first + 1
            elif gap.last >= low:
                kept.append(Gap(max(gap.first, low), gap.last, gap.since_ms))
        self.gaps = kept

    def _drop_oldest(self) -> None:
        while len(self.gaps) > GAPS_MAX:
            oldest = self.gaps.pop(0)
            self.given_up += oldest.last - oldest.first + 1

    def claim(self) -> tuple[int, list[int]]:
        """Return (upto, missing): all up to `upto` has come, except `missing`."""
        missing: list[int] = []
        for gap in self.gaps:
            room = MISSING_NAMED_MAX - len(missing)
            missing.extend(range(gap.first, min(gap.last + 1, gap.first + room)))
            if gap.last - gap.first + 1 > room:
                return gap.first + room - 1, missing
        return self.highest, missing


def _first(gap: Gap) -> int:
    return gap.first


class Acknowledgement(msgspec.Struct, frozen=True):
    """The `down` message."""

    boot: str
    upto: int
    missing: list[int]


class GatewayLedger:
    """The ledgers of all gateways, and which of them are owed an acknowledgement."""

    def __init__(self) -> None:
        self._boots: OrderedDict[str, OrderedDict[str, BootLedger]] = OrderedDict()
        self._owed: dict[tuple[str, str], None] = {}

    def note(self, gateway: GatewayId, key: MessageKey, received_at_ms: UnixMs) -> bool:
        """Remember a message; return whether it is new."""
        boots = self._boots.get(gateway)
        if boots is None:
            boots = self._boots[gateway] = OrderedDict()
            if len(self._boots) > GATEWAYS_MAX:
                self._boots.popitem(last=False)
        ledger = boots.get(key.boot)
        if ledger is None:
            ledger = boots[key.boot] = BootLedger()
        boots.move_to_end(key.boot)
        if len(boots) > BOOTS_KEPT:
            boots.popitem(last=False)
        # A duplicate is owed an answer too: the gateway cannot have got the first one.
        self._owed[gateway, key.boot] = None
        return ledger.note(key, received_at_ms)

    def acknowledgements(self) -> list[tuple[str, bytes]]:
        """Return (topic, payload) of the answers owed, and owe them no more."""
        owed, self._owed = self._owed, {}
        answers = []
        for gateway, boot in owed:
            boots = self._boots.get(gateway)
            ledger = boots.get(boot) if boots is not None else None
            if ledger is None:
                continue
            upto, missing = ledger.claim()
            if len(missing) <= upto:  # else nothing is claimed
                answer = Acknowledgement(boot, upto, missing)
                answers.append((f"inaisle/v1/gw/{gateway}/down", msgspec.json.encode(answer)))
        return answers

    @property
    def given_up(self) -> int:
        """Return how many messages of the gateways known will never come."""
        return sum(led.given_up for boots in self._boots.values() for led in boots.values())

    def state(self) -> dict[str, dict[str, BootLedger]]:
        """Return what a snapshot holds."""
        return {gateway: dict(boots) for gateway, boots in self._boots.items()}

    def restore(self, state: dict[str, dict[str, BootLedger]]) -> None:
        """Go on from a snapshot, and answer for it anew: the last answer may have been lost."""
        self._boots = OrderedDict((name, OrderedDict(boots)) for name, boots in state.items())
        self._owed = {(name, boot): None for name, boots in state.items() for boot in boots}
