"""Know which parts of the service work, which do not, why, and since when.

Layer: edges. Takes: what the parts say of themselves, from any thread. Gives: a `HealthReport` to
/readyz, to the operator and to `inaisle doctor`.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from rtls.model.units import UnixMs

PARTS_MAX: Final = 64
REASON_LENGTH_MAX: Final = 300
STARTING: Final = "starting"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    """One part: works, or is degraded for a reason."""

    part: str
    reason: str | None
    """None while the part works"""
    since_ms: UnixMs
    """when it last changed between working and degraded"""
    is_essential: bool = True
    """False: the service is of use without it (a live view), so it stays ready"""

    @property
    def is_ok(self) -> bool:
        """Return whether the part works."""
        return self.reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """All parts at one instant, by name."""

    parts: tuple[PartHealth, ...]

    @property
    def is_ready(self) -> bool:
        """Return whether every essential part works."""
        return all(part.is_ok for part in self.parts if part.is_essential)

    @property
    def degraded(self) -> tuple[PartHealth, ...]:
        """Return the parts that do not work."""
        return tuple(part for part in self.parts if not part.is_ok)


class Health:
    """What works and what does not; safe between threads.

    Parameters
    ----------
    now_ms
        The door's clock.
    parts
        Essential parts that are expected to report: degraded with "starting" until they do, so
        that a service is never ready before they have.
    """

    def __init__(self, *, now_ms: Callable[[], UnixMs], parts: Iterable[str] = ()) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._parts: dict[str, PartHealth] = {}
        self._checks: dict[str, Callable[[], str | None]] = {}
        for part in parts:
            self.expect(part)

    def expect(self, part: str, *, is_essential: bool = True) -> None:
        """Name a part before it reports; until then it is degraded with "starting".

        A `ValueError` says that there are too many: names must not come from outside.
        """
        self._put(part, STARTING, is_essential=is_essential)

    def ok(self, part: str) -> None:
        """Say that a part works."""
        self._put(part, None)

    def degraded(self, part: str, reason: str) -> None:
        """Say that a part does not work, and why."""
        self._put(part, reason[:REASON_LENGTH_MAX] or "no reason given")

    def watch(
        self, part: str, check: Callable[[], str | None], *, is_essential: bool = True
    ) -> None:
        """Ask a part at each report: ``check`` returns the reason it is degraded, or None.

        ``check`` must be quick and must not raise; it is called in the reporting thread.
        """
        self.expect(part, is_essential=is_essential)
        with self._lock:
            self._checks[part] = check

    def report(self) -> HealthReport:
        """Return all parts as they are now."""
        with self._lock:
            checks = tuple(self._checks.items())
        for part, check in checks:  # outside the lock: a check may take another lock
            self._put(part, check())
        with self._lock:
            return HealthReport(parts=tuple(self._parts[name] for name in sorted(self._parts)))

    def _put(self, part: str, reason: str | None, *, is_essential: bool | None = None) -> None:
        now_ms = self._now_ms()
        with self._lock:
            known = self._parts.get(part)
            if known is None:
                if len(self._parts) >= PARTS_MAX:
                    raise ValueError(
                        f"part {part!r} would be number {PARTS_MAX + 1}; expected few, fixed names."
                    )
                known = PartHealth(part=part, reason=reason, since_ms=now_ms)
            elif known.is_ok != (reason is None):
                known = replace(known, since_ms=now_ms)
            essential = known.is_essential if is_essential is None else is_essential
            self._parts[part] = replace(known, reason=reason, is_essential=essential)
