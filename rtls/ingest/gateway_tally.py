"""Know of each gateway when it was heard last, how often, and what it says of itself.

Layer: rules. Takes: names of gateways as reception meets them. Gives: `GatewayHeard` to the health
page, from any thread. Bounded: what strangers call themselves cannot grow memory.
"""

from typing import Final

from rtls.model.units import GatewayId, UnixMs
from rtls.ports import GatewayHeard

GATEWAYS_MAX: Final = 10_000


class GatewayTally:
    """Gateways whose messages were taken, and those that told their status."""

    def __init__(self) -> None:
        self._heard: dict[GatewayId, tuple[int, UnixMs]] = {}
        self._online: dict[GatewayId, bool] = {}

    def note(self, gateway: GatewayId, received_at_ms: UnixMs) -> None:
        """Count a message with readings."""
        known = self._heard.get(gateway)
        if known is not None:
            self._heard[gateway] = (known[0] + 1, received_at_ms)
        elif len(self._heard) < GATEWAYS_MAX:
            self._heard[gateway] = (1, received_at_ms)

    def note_status(self, gateway: GatewayId, *, is_online: bool) -> None:
        """Take what a gateway, or the broker for it, says of it."""
        if gateway in self._online or len(self._online) < GATEWAYS_MAX:
            self._online[gateway] = is_online

    def heard(self) -> tuple[GatewayHeard, ...]:
        """Return all of them, by name."""
        heard, online = self._heard.copy(), self._online.copy()
        return tuple(
            GatewayHeard(
                gateway=gateway,
                messages=heard[gateway][0] if gateway in heard else 0,
                last_heard_at_ms=heard[gateway][1] if gateway in heard else None,
                is_online=online.get(gateway),
            )
            for gateway in sorted(heard.keys() | online.keys())
        )
