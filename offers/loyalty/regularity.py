"""Tell who buys something regularly, so that a subscription can be proposed.

Layer: rules. Takes: when a shopper bought of each category. Gives: `Regularity` to the handler that
proposes. Nothing is fitted: four purchases and the spread of the gaps between them decide, since a
shopper of a shop has seldom more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from offers.model.conditions.fact import DAY_MS, Fact
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class RegularitySettings:
    """What counts as regular."""

    purchases_min: int = 4
    every_days_min: int = 5
    """more often is not a subscription but a daily need"""
    every_days_max: int = 120
    spread_percent_max: int = 15
    """how far the gaps may be from their median, on average"""
    late_percent_max: int = 150
    """of the median since the last purchase: later than that the habit has ended"""


DEFAULT_SETTINGS: Final = RegularitySettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Regularity:
    """A habit: so far apart, and when the next purchase is to be expected."""

    every_ms: int
    next_at_ms: UnixMs


def regularity_of(
    bought_at_ms: Iterable[UnixMs],
    *,
    now_ms: UnixMs,
    settings: RegularitySettings = DEFAULT_SETTINGS,
) -> Regularity | None:
    """Return the habit that the instants show, or None.

    Purchases within a day of each other are one: who comes back for what he forgot has no habit of
    coming twice.

    Examples
    --------
    >>> fortnightly = [UnixMs(day * DAY_MS) for day in (0, 14, 29, 42)]
    >>> regularity_of(fortnightly, now_ms=UnixMs(43 * DAY_MS)).next_at_ms // DAY_MS
    56
    """
    errands = _errands(bought_at_ms)
    if len(errands) < settings.purchases_min:
        return None
    gaps = [after - before for before, after in pairwise(errands)]
    every_ms = round(median(gaps))
    off_ms = sum(abs(gap - every_ms) for gap in gaps)
    is_usual = settings.every_days_min * DAY_MS <= every_ms <= settings.every_days_max * DAY_MS
    is_even = off_ms * 100 <= settings.spread_percent_max * every_ms * len(gaps)
    is_alive = (now_ms - errands[-1]) * 100 <= settings.late_percent_max * every_ms
    if not (is_usual and is_even and is_alive):
        return None
    return Regularity(every_ms=every_ms, next_at_ms=UnixMs(errands[-1] + every_ms))


def regular_categories(
    lines: Iterable[Fact], *, now_ms: UnixMs, settings: RegularitySettings = DEFAULT_SETTINGS
) -> Mapping[str, Regularity]:
    """Return the categories that are bought regularly, by name."""
    bought: dict[str, list[UnixMs]] = {}
    for line in lines:
        if line.category is not None:
            bought.setdefault(line.category, []).append(line.at_ms)
    found = {
        category: regularity_of(instants, now_ms=now_ms, settings=settings)
        for category, instants in sorted(bought.items())
    }
    return {category: habit for category, habit in found.items() if habit is not None}


def _errands(bought_at_ms: Iterable[UnixMs]) -> list[UnixMs]:
    errands: list[UnixMs] = []
    for at_ms in sorted(bought_at_ms):
        if not errands or at_ms - errands[-1] >= DAY_MS:
            errands.append(at_ms)
    return errands
