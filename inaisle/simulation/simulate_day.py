"""Play a whole day of the shop into a data folder, faster than it passes, and tell how true it is.

Layer: doors. Takes: settings, a day, a seed. Gives: database and position history as of a day of
service, and beside the folder the truth (inaisle.simulation.day_files). Nothing reads a clock but
to say how long it took.
"""

import datetime as dt
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware_sim.day_plan import DayPlanner, DaySettings, DayShopper
from firmware_sim.day_truth import DayTruth
from inaisle.clock import SystemClock
from inaisle.demo.demo_settings import day_in_shop
from inaisle.errors import ExitStatus, InvalidSettings
from inaisle.reports.history_side import has_insight, open_history_reader
from inaisle.settings import Settings
from inaisle.simulation.day_agreement import DayAgreement, day_agreement
from inaisle.simulation.day_files import DayRecord, truth_folder, write_truth
from inaisle.simulation.day_people import DayPeople, products_by_shelf
from inaisle.simulation.day_radio import RadioOrder, radio_apart
from inaisle.simulation.day_store import DayStore
from inaisle.simulation.stepped_clock import SteppedClock
from inaisle.site.site_loading import load_site_map, read_campaigns
from offers.model.campaigns.campaign_json import parse_campaigns
from offers.model.campaigns.trigger import zone_of
from rtls.model.footfall import ReportWindow, site_clock
from rtls.model.site_map import SiteMap, ZoneKind
from rtls.model.units import UnixMs, ZoneId
from rtls.publish.kafka.connection import kafka_needed_for

if TYPE_CHECKING:
    from inaisle.chain.store_line import StoreLine

SHOPPERS: Final = 300
OPENS: Final = dt.time(9)
CLOSES: Final = dt.time(20)
PHONE_SHARE: Final = 0.2
SECOND_MS: Final = 1000
HOUR_MS: Final = 3_600_000
PART_MS: Final = 180_000
"""after leaving: what was seen of the last seconds has been written then"""
SETTLED_MS: Final = HOUR_MS + 60_000
"""after its day, salts are destroyed and files are made one"""
CHORES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOptions:
    """Which day.

    Parameters
    ----------
    opens, closes
        By the clocks of the site.
    phone_share
        Who comes with a phone; the others take a trolley with a tag.
    """

    day: dt.date
    shoppers: int = SHOPPERS
    opens: dt.time = OPENS
    closes: dt.time = CLOSES
    phone_share: float = PHONE_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySummary:
    """What a day has brought about."""

    day: str
    shoppers: int
    offers: int
    opened: int
    purchases: int
    redemptions: int
    fixes: int
    visits: int
    agreement: DayAgreement
    """of the visits with the truth"""
    seconds: float
    """that it took"""
    truth: str


def play_day(
    settings: Settings,
    options: DayOptions,
    *,
    today: dt.date,
    open_line: "Callable[[], AbstractContextManager[StoreLine | None]]" = nullcontext,
) -> tuple[DaySummary, DayRecord]:
    """Play a day; return what came of it, and what was true.

    Parameters
    ----------
    today
        What the calendar in the shop shows: only a day that is over can be told.
    open_line
        Opens what spools for the chain what the shop tells it, where it has one.

    A day that is not over is refused with `InvalidSettings`, one so old that its history would be
    removed at the next start, one before those in the folder, and a folder of something else.
    """
    begun_s = time.perf_counter()
    site_map = load_site_map(settings.site)
    _check(settings, options, today=today)
    day = _Day(settings, options, site_map)
    with radio_apart(day.radio_order()) as radio, open_line() as line:
        store = DayStore(day.settings, site_map=site_map, clock=day.clock, radio=radio, line=line)
        record = day.play(store)
    folder = truth_folder(settings.site.data, options.day)
    write_truth(folder, record)
    visits = open_history_reader(day.settings).visits(day_window(options.day, site_map))
    summary = DaySummary(
        day=options.day.isoformat(),
        shoppers=len(record.shoppers),
        offers=len(record.offers),
        opened=sum(seen.is_opened for seen in record.offers),
        purchases=len(record.purchases),
        redemptions=sum(paid.redemptions for paid in record.purchases),
        fixes=store.history.counters()["fixes"],
        visits=store.history.counters()["visits"],
        agreement=day_agreement(
            visits,
            record.counted_stays(),
            shelves=shelves_of(site_map),
            carriers=record.carriers(),
        ),
        seconds=round(time.perf_counter() - begun_s, 1),
        truth=str(folder),
    )
    return summary, record


class _Day:
    """One day under way."""

    def __init__(self, settings: Settings, options: DayOptions, site_map: SiteMap) -> None:
        self.settings = day_settings(settings)
        self._site_map = site_map
        clock = site_clock(site_map.time_zone)
        opens_ms, closes_ms, ends_ms = (
            UnixMs(round(dt.datetime.combine(day, time_, clock).timestamp() * 1000))
            for day, time_ in (
                (options.day, options.opens),
                (options.day, options.closes),
                (options.day + dt.timedelta(days=1), dt.time()),
            )
        )
        self._settled_ms = UnixMs(ends_ms + SETTLED_MS)
        self._seed = settings.simulator.seed
        self.clock = SteppedClock(UnixMs(opens_ms - 60 * SECOND_MS))
        self._plan = DayPlanner(
            site_map,
            settings=DaySettings(
                shoppers=options.shoppers,
                opens_ms=opens_ms,
                closes_ms=closes_ms,
                popular=watched_zones(settings),
                phone_share=options.phone_share,
            ),
            seed=self._seed,
        ).draw()
        self._coming = deque(self._plan)
        self._truth = DayTruth(site_map)

    def radio_order(self) -> RadioOrder:
        """Return what the radio has to play; from the instant that the clock shows."""
        return RadioOrder(
            site_map=self._site_map,
            shoppers=self._plan,
            seed=self._seed,
            starts_at_ms=self.clock.at_ms,
        )

    def play(self, store: DayStore) -> DayRecord:
        """Let everybody come and go, and return what was true."""
        with store.open() as address:
            people = DayPeople(
                address,
                till_key=store.offers.keys.till,
                products=products_by_shelf(store.products(self._site_map.site)),
            )
            store.watch("apps", people.hear)
            try:
                while self._coming or people.guests():
                    self._let_in(store, people)
                    store.step()
                    if self.clock.at_ms % SECOND_MS == 0:
                        self._second(store, people)
            finally:
                people.close()
            self._close(store)
        return DayRecord(
            shoppers=self._plan,
            stays=tuple(self._truth.stays()),
            walks=tuple(self._truth.walks()),
            offers=tuple(people.offers),
            purchases=tuple(people.purchases),
        )

    def _let_in(self, store: DayStore, people: DayPeople) -> None:
        while self._coming and self._coming[0].arrives_at_ms <= self.clock.at_ms:
            shopper: DayShopper = self._coming.popleft()
            people.welcome(shopper)
            store.await_admission(shopper.script.tag)

    def _second(self, store: DayStore, people: DayPeople) -> None:
        seen = store.seen
        assert seen is not None
        self._truth.take(seen.truth, people.carriers())
        people.look(now_ms=self.clock.at_ms)
        for guest in people.guests():
            tag = guest.shopper.script.tag
            if guest.left_at_ms is not None:
                if self.clock.at_ms >= guest.left_at_ms + PART_MS:
                    people.part(guest)
            elif tag not in seen.truth.tags:
                guest.left_at_ms = self.clock.at_ms
            elif not guest.has_paid and tag in seen.at_till:
                people.pay(guest, now_ms=self.clock.at_ms)

    def _close(self, store: DayStore) -> None:
        """Let the night pass: the day's salt goes, and each table becomes one file."""
        self.clock.at_ms = self._settled_ms
        for _ in range(CHORES):
            store.write_history()
            self.clock.at_ms = UnixMs(self.clock.at_ms + 2 * SECOND_MS)


def day_settings(settings: Settings) -> Settings:
    """Return the settings of a simulated day: a database of its own, and readings never late."""
    offers = settings.offers.model_copy(update={"database_url": None, "database": None})
    reception = settings.reception.model_copy(update={"revise_max_ms": 0})
    # Nobody kills it: files of a minute would only have to be put together again.
    history = settings.history.model_copy(update={"file_s": 3_600, "folder": None})
    return settings.model_copy(
        update={"offers": offers, "reception": reception, "history": history}
    )


def _shares_text(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{share:.1%} with a {kind}" for kind, share in shares.items())


def day_window(day: dt.date, site_map: SiteMap) -> ReportWindow:
    """Return the window of a day by the clocks of the site."""
    clock = site_clock(site_map.time_zone)
    begin, end = (
        UnixMs(round(dt.datetime.combine(one, dt.time(), clock).timestamp() * 1000))
        for one in (day, day + dt.timedelta(days=1))
    )
    return ReportWindow(
        site=site_map.site, time_zone=site_map.time_zone, start_ms=begin, end_ms=end
    )


def shelves_of(site_map: SiteMap) -> frozenset[ZoneId]:
    """Return the shelves of a site."""
    return frozenset(zone.zone for zone in site_map.zones if zone.kind is ZoneKind.SHELF)


def watched_zones(settings: Settings) -> tuple[ZoneId, ...]:
    """Return the zones that campaigns watch: a shop advertises where people stand."""
    found = read_campaigns(settings.site)
    if found is None:
        return ()
    content, path = found
    zones = (zone_of(one.trigger) for one in parse_campaigns(content, source=str(path)))
    return tuple(dict.fromkeys(zone for zone in zones if zone is not None))


def run_day(settings: Settings, *, day: str, shoppers: int | None, as_json: bool) -> ExitStatus:
    """Play the day that the command line names, and print what came of it."""
    site_map = load_site_map(settings.site)
    today = day_in_shop(SystemClock().now_ms(), site_map.time_zone)
    options = DayOptions(day=parse_day(day, today=today), shoppers=shoppers or SHOPPERS)
    open_line = partial(day_line, settings, site_map)
    summary, _ = play_day(settings, options, today=today, open_line=open_line)
    if as_json:
        sys.stdout.write(json.dumps(asdict(summary), indent=2) + "\n")
    else:
        sys.stdout.write(day_text(summary, data=settings.site.data))
    return ExitStatus.DONE


@contextmanager
def day_line(settings: Settings, site_map: SiteMap) -> "Iterator[StoreLine | None]":
    """Open what spools the day for the chain; `inaisle serve` on the folder forwards it then."""
    if not settings.chain.brokers:
        yield None
        return
    with kafka_needed_for("a store that reports to a chain"):
        from inaisle.chain.store_line import StoreLine
    with closing(StoreLine(settings, site=site_map.site)) as line:
        yield line


def parse_day(text: str, *, today: dt.date) -> dt.date:
    """Return the day that somebody named.

    Raises
    ------
    InvalidSettings
        If it is no day.

    Examples
    --------
    >>> parse_day("yesterday", today=dt.date(2026, 3, 2))
    datetime.date(2026, 3, 1)
    """
    if text == "yesterday":
        return today - dt.timedelta(days=1)
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidSettings(
            f"--day is {text!r}; expected a day as 2026-03-02, or yesterday."
        ) from error


def day_text(summary: DaySummary, *, data: Path) -> str:
    """Return what a person reads."""
    agreement = summary.agreement
    return (
        f"{summary.day}: {summary.shoppers} shoppers were offered {summary.offers} offers, opened "
        f"{summary.opened}, redeemed {summary.redemptions}, and made {summary.purchases} purchases "
        f"with the card.\n{summary.fixes:,} fixes and {summary.visits:,} visits are in the history "
        f"({summary.seconds:.0f} s).\n"
        f"Of the dwell that is told of shelves {agreement.right_share:.1%} is where and when that "
        f"shopper stood; it is {agreement.found_share:.1%} of all true dwell there "
        f"({agreement.stops} of {agreement.stops_true} stops): "
        f"{_shares_text(agreement.found_share_of)}.\n"
        f"Truth: {summary.truth}\n"
        f"Reports: inaisle serve --data {data}\n"
    )


def _check(settings: Settings, options: DayOptions, *, today: dt.date) -> None:
    oldest = today - dt.timedelta(days=settings.history.retention_days - 1)
    if not oldest <= options.day < today:
        raise InvalidSettings(
            f"--day is {options.day}; expected {oldest} to {today - dt.timedelta(days=1)}: a day "
            "that is over, and that the history still keeps (history.retention_days)."
        )
    if not has_insight():
        raise InvalidSettings(
            "a simulated day writes a history, whose libraries are not installed; expected the "
            'extra insight. Install it: pip install "inaisle[insight]".'
        )
    _check_folder(settings, options.day)


def _check_folder(settings: Settings, day: dt.date) -> None:
    data = settings.site.data
    simulated = truth_folder(data, day).parent
    if data.is_dir() and any(data.iterdir()) and not simulated.is_dir():
        raise InvalidSettings(
            f"site.data is {data}, which holds something and no simulated day; expected a new "
            "folder, for simulated shoppers do not belong among real ones. Give another --data."
        )
    newest = max((Path(known).name for known in simulated.glob("day=*")), default="")
    if newest >= f"day={day}":
        raise InvalidSettings(
            f"--day is {day}, and {simulated} holds {newest}; expected a later day, for a shop "
            "does not go back in time. Give a later --day, or a new --data."
        )
