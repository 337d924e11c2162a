"""Show the running demo: a live table on a terminal, plain lines where there is none.

Layer: doors. Takes: `DemoFigures`, refreshed by inaisle.demo.demo. Gives: what the viewer sees on
standard error, so that standard output stays free for the summary.
"""

import sys
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

STORY_LINES_MAX: Final = 12
PLAIN_EVERY_S: Final = 5.0


@dataclass(slots=True, kw_only=True)
class DemoFigures:
    """What is going on right now; written by one thread, shown by the same."""

    doors: tuple[tuple[str, str], ...] = ()
    """addresses of the pages, and names and passwords to sign in with"""
    simulated_clock: str = ""
    speed: float = 1.0
    shoppers: int = 0
    readings_a_s: float = 0.0
    fixes_a_s: float = 0.0
    uwb_error_m: tuple[float, float] | None = None
    """p50 and p90 of trolleys"""
    ble_error_m: tuple[float, float] | None = None
    """p50 and p90 of phones"""
    uwb_inside: float | None = None
    """share of fixes whose 90 % ellipse held the truth, of trolleys"""
    ble_inside: float | None = None
    """the same of phones"""
    zones: tuple[tuple[str, float], ...] = ()
    """where the scripted shopper probably is: zone and P, the most probable first"""
    visits: int = 0
    offers: int = 0
    redemptions: int = 0
    tick_p99_ms: float | None = None
    behind_ms: int = 0
    story: deque[str] = field(default_factory=lambda: deque(maxlen=STORY_LINES_MAX))


class DemoView:
    """A context in which the figures are on the screen."""

    def __init__(self, title: str) -> None:
        self._console = Console(file=sys.stderr, soft_wrap=True)
        self._title = title
        self._live: Live | None = None
        self._plain_after_s = 0.0
        self._told = 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, transient=False)
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def tell(self, figures: DemoFigures, line: str) -> None:
        """Add a line to the story: something happened to the scripted shopper."""
        figures.story.append(f"{figures.simulated_clock}  {line}")
        if self._live is None:
            self._console.print(figures.story[-1], highlight=False)

    def show_doors(self, figures: DemoFigures, doors: tuple[tuple[str, str], ...]) -> None:
        """Keep addresses and logins on the screen."""
        figures.doors = doors
        if self._live is None:
            for name, value in doors:
                self._console.print(f"{name:18}  {value}", highlight=False, markup=False)

    def show(self, figures: DemoFigures, *, at_s: float) -> None:
        """Refresh the screen; without a terminal, print one line now and then."""
        if self._live is not None:
            self._live.update(self._panel(figures))
        elif at_s >= self._plain_after_s:
            self._plain_after_s = at_s + PLAIN_EVERY_S
            self._console.print(plain_line(figures), highlight=False)

    def _panel(self, figures: DemoFigures) -> Panel:
        table = Table.grid(padding=(0, 3))
        for name, value in rows(figures):
            table.add_row(f"[dim]{name}[/]", value)
        return Panel(Group(table, "", *figures.story), title=self._title)


def rows(figures: DemoFigures) -> tuple[tuple[str, str], ...]:
    """Return the named figures as text."""
    return (
        *figures.doors,
        ("simulated time", f"{figures.simulated_clock}  ({figures.speed:g} × life)"),
        ("shoppers", str(figures.shoppers)),
        ("readings / s", f"{figures.readings_a_s:,.0f}"),
        ("fixes / s", f"{figures.fixes_a_s:,.0f}"),
        ("error, UWB trolleys", error_text(figures.uwb_error_m)),
        ("error, BLE phones", error_text(figures.ble_error_m)),
        ("truth in 90 % ellipse", inside_text(figures)),
        ("P(zone) of the shopper", zones_text(figures.zones)),
        ("visits", str(figures.visits)),
        ("offers", str(figures.offers)),
        ("redemptions", str(figures.redemptions)),
        ("tick", "–" if figures.tick_p99_ms is None else f"{figures.tick_p99_ms:.1f} ms p99"),
        ("simulator behind", f"{figures.behind_ms} ms simulated"),
    )


def plain_line(figures: DemoFigures) -> str:
    """Return all figures in one line.

    Examples
    --------
    >>> figures = DemoFigures(simulated_clock="10:00:00", shoppers=3, uwb_error_m=(0.1, 0.4))
    >>> plain_line(figures)[:66]
    '10:00:00  3 shoppers, 0 fixes/s, UWB error 0.10 m p50, 0.40 m p90,'
    """
    return (
        f"{figures.simulated_clock}  {figures.shoppers} shoppers, {figures.fixes_a_s:,.0f} fixes/s,"
        f" UWB error {error_text(figures.uwb_error_m)}, P(zone) {zones_text(figures.zones)}, "
        f"{figures.visits} visits, "
        f"{figures.offers} offers"
    )


def error_text(error_m: tuple[float, float] | None) -> str:
    """Return p50 and p90 for a person."""
    return "–" if error_m is None else f"{error_m[0]:.2f} m p50, {error_m[1]:.2f} m p90"


def inside_text(figures: DemoFigures) -> str:
    """Return how often the 90 % ellipse held the truth; an honest one does nine times of ten."""
    shares = (("UWB", figures.uwb_inside), ("BLE", figures.ble_inside))
    known = [f"{radio} {share:.0%}" for radio, share in shares if share is not None]
    return ", ".join(known) or "–"


def zones_text(zones: tuple[tuple[str, float], ...]) -> str:
    """Return zones with their P.

    Examples
    --------
    >>> zones_text((("dowels", 0.973), ("fixings", 1.0)))
    'dowels 0.97, fixings 1.00'
    """
    return ", ".join(f"{zone} {p:.2f}" for zone, p in zones) or "–"
