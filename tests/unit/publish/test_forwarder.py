"""Forwarder: what a store has spooled reaches the chain in order and without a gap."""

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.model.errors import NotDurable
from rtls.model.units import UnixMs
from rtls.publish.event_journal import EventJournal, JournalSettings
from rtls.publish.forwarder import NO_HEADERS, Forwarder, Lane
from rtls.publish.sent_position import SentPosition
from tests.waiting import wait_until

SETTINGS = JournalSettings(segment_bytes=200, bytes_max=1_000_000, keep_events=1, keep_ms=0)
AT_ONCE = 5


class Brokers:
    """What the chain has got, by topic, and whether it can be reached."""

    def __init__(self) -> None:
        self.got: dict[str, list[bytes]] = {"events": [], "fixes": []}
        self.headers: list[Mapping[str, bytes]] = []
        self.is_away = False
        self.takes = 10**9
        """so many messages more, and then the line breaks"""
        self.refuses_next = False

    def first_copies(self, topic: str = "events") -> list[bytes]:
        return list(dict.fromkeys(self.got[topic]))


class Line:
    """Keeps the order, and what was handed over until the brokers have it, as the real one does."""

    def __init__(self, brokers: Brokers) -> None:
        if brokers.is_away:
            raise NotDurable("nobody answers")
        self.brokers = brokers
        self.queue: list[tuple[str, bytes]] = []
        self.refusal: str | None = None

    def send(
        self, topic: str, *, key: str, value: bytes, headers: Mapping[str, bytes] = NO_HEADERS
    ) -> None:
        assert key == "demo/0"
        assert self.refusal is None
        self.queue.append((topic, value))
        self.brokers.headers.append(headers)

    def flush(self, timeout_s: float) -> None:
        assert timeout_s > 0
        while self.queue:
            if self.brokers.refuses_next:
                self.brokers.refuses_next = False
                self.refusal = "too large"
            if self.refusal is not None:
                raise NotDurable("refused for good")
            if self.brokers.is_away or self.brokers.takes <= 0:
                raise NotDurable("the line is broken")
            topic, value = self.queue.pop(0)
            self.brokers.got[topic].append(value)
            self.brokers.takes -= 1

    def close(self, timeout_s: float = 0.0) -> None:
        assert timeout_s == 0.0
        self.queue.clear()


class Store:
    """Journals in a folder and a forwarder of them, which may be killed and started again."""

    def __init__(self, folder: Path, brokers: Brokers) -> None:
        self.folder = folder
        self.brokers = brokers
        self.names = (f"journal-{number}" for number in count(1))
        self.reports: list[str] = []
        self.open()

    def open(self) -> None:
        self.journals = {name: self._journal(name) for name in ("events", "fixes")}
        lanes = [
            Lane(
                topic=name,
                spool=journal,
                position=SentPosition(
                    self.folder / name / "sent.json",
                    journal_id=journal.journal_id,
                    report=self.reports.append,
                ),
                at_once=AT_ONCE,
                headers=lambda content: {"event": content},
            )
            for name, journal in self.journals.items()
        ]
        self.events, self.fixes = lanes
        self.forwarder = Forwarder(lanes, key="demo/0", open_line=lambda: Line(self.brokers))

    def _journal(self, name: str) -> EventJournal:
        return EventJournal(
            self.folder / name,
            new_id=lambda: next(self.names),
            report=self.reports.append,
            settings=SETTINGS,
        )

    def add(self, contents: Sequence[bytes], *, to: str = "events") -> None:
        self.journals[to].append([(UnixMs(1), content) for content in contents])

    def turn(self) -> bool:
        """Whether the turn went well."""
        try:
            self.forwarder.turn()
        except NotDurable:
            return False
        return True

    def kill(self) -> None:
        """Nothing is saved; the line in the process is gone with what it held."""
        for journal in self.journals.values():
            journal.close()
        self.open()


@pytest.fixture
def brokers() -> Brokers:
    return Brokers()


@pytest.fixture
def store(tmp_path: Path, brokers: Brokers) -> Store:
    return Store(tmp_path, brokers)


def numbered(first: int, last: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, last + 1)]


def test_what_was_spooled_arrives_in_order_with_its_headers(store: Store, brokers: Brokers) -> None:
    """Entered after left would keep a visit open for ever."""
    store.add(numbered(1, 7))
    assert store.turn()
    assert store.turn()
    assert brokers.got["events"] == numbered(1, 7)
    assert brokers.headers == [{"event": content} for content in numbered(1, 7)]
    assert (store.events.waiting, store.forwarder.counters["sent"]) == (0, 7)


def test_events_go_first_and_a_day_of_fixes_keeps_none_waiting(
    store: Store, brokers: Brokers
) -> None:
    """After an outage the offer of now must not stand behind yesterday's ways."""
    store.add(numbered(1, 100), to="fixes")
    for number in range(1, 6):
        store.add(numbered(number, number))
        assert store.turn()
        assert brokers.got["events"] == numbered(1, number)
        assert len(brokers.got["fixes"]) == AT_ONCE * number


def test_while_the_line_is_broken_nothing_is_handed_over_twice(
    store: Store, brokers: Brokers
) -> None:
    """The client keeps what it was given: a copy each second would fill it for a day."""
    store.add(numbered(1, 9))
    brokers.takes = 2
    assert [store.turn() for _ in range(3)] == [False, False, False]
    brokers.takes = 100
    assert store.turn()
    assert store.turn()
    assert brokers.got["events"] == numbered(1, 9)


def test_a_kill_before_the_position_was_written_costs_copies_and_no_gap(
    store: Store, brokers: Brokers
) -> None:
    """The brokers have three of five, and nobody is left who knows it."""
    store.add(numbered(1, 5))
    brokers.takes = 3
    assert not store.turn()
    store.kill()
    brokers.takes = 100
    assert store.turn()
    assert brokers.got["events"] == numbered(1, 3) + numbered(1, 5)


def test_a_restart_sends_nothing_that_the_brokers_have(store: Store, brokers: Brokers) -> None:
    """An update of three thousand stores in one night must not be three thousand days of copies."""
    store.add(numbered(1, 5))
    assert store.turn()
    store.kill()
    store.add(numbered(6, 6))
    assert store.turn()
    assert brokers.got["events"] == numbered(1, 6)


def test_after_a_refusal_all_that_was_not_durable_goes_over_a_new_line(
    store: Store, brokers: Brokers
) -> None:
    """A topic that an account may not write to yet: once it may, nothing is missing."""
    store.add(numbered(1, 5))
    brokers.refuses_next = True
    assert not store.turn()
    assert store.turn()
    assert brokers.got["events"] == numbered(1, 5)
    assert store.forwarder.counters["lines_opened"] == 2


def test_what_was_sent_leaves_the_disk(store: Store) -> None:
    """Tag ids lie about no longer than the line is away."""
    for first in range(1, 50, AT_ONCE):
        store.add(numbered(first, first + AT_ONCE - 1))
        assert store.turn()
    assert store.journals["events"].size < 3 * SETTINGS.segment_bytes
    assert len(list((store.folder / "events").glob("*.events"))) <= 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b'{"sent": 3}', b'{"journal":"x","sent":3}']
)
def test_a_position_that_cannot_be_believed_sends_all_once_more(
    store: Store, brokers: Brokers, content: bytes
) -> None:
    """A spoiled file must not become a gap; copies are known by their ids."""
    store.add(numbered(1, 5))
    assert store.turn()
    (store.folder / "events" / "sent.json").write_bytes(content)
    store.kill()
    assert store.turn()
    assert brokers.first_copies() == numbered(1, 5)
    assert len(brokers.got["events"]) == 10


def test_a_disk_that_takes_no_position_does_not_stop_the_line(
    store: Store, brokers: Brokers
) -> None:
    """Sending on is what gives a full disk its room back; and the operator is told."""
    (store.folder / "events" / "sent.writing").mkdir()
    store.add(numbered(1, 9))
    assert store.turn()
    assert store.turn()
    assert brokers.got["events"] == numbered(1, 9)
    store.forwarder.start()
    assert "sent.json" in (store.forwarder.trouble() or "")
    store.forwarder.close()
    assert brokers.got["events"] == numbered(1, 9)


def test_the_thread_says_why_nothing_arrives_and_goes_on_when_it_may(
    store: Store, brokers: Brokers
) -> None:
    """Nobody restarts a store because a cable was out."""
    brokers.is_away = True
    store.add(numbered(1, 12))
    store.forwarder.start()
    wait_until(lambda: "nobody answers" in (store.forwarder.trouble() or ""))
    assert store.events.waiting == 12
    brokers.is_away = False
    wait_until(lambda: brokers.got["events"] == numbered(1, 12))
    wait_until(lambda: store.forwarder.trouble() is None)
    store.forwarder.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 12)),
        st.tuples(st.just("turn"), st.integers(0, 8)),
        st.tuples(st.just("refuse"), st.just(0)),
        st.tuples(st.just("kill"), st.just(0)),
    ),
    max_size=40,
)


def play(steps: Sequence[tuple[str, int]], folder: Path) -> tuple[list[bytes], list[bytes]]:
    """What was spooled, and the first copies of what has arrived when the line held in the end."""
    brokers = Brokers()
    store = Store(folder, brokers)
    spooled: list[bytes] = []
    for kind, number in steps:
        if kind == "add":
            added = numbered(len(spooled) + 1, len(spooled) + number)
            spooled += added
            store.add(added)
        elif kind == "turn":
            brokers.takes = number  # and no more before the line breaks
            store.turn()
        elif kind == "refuse":
            brokers.refuses_next = True
        else:
            store.kill()
    brokers.takes = 10**9
    for _ in range(len(spooled) + 2):
        store.turn()
    return spooled, brokers.first_copies()


@settings(max_examples=30)
@given(STEPS)
def test_whatever_breaks_and_whenever_all_arrives_and_in_order(
    steps: list[tuple[str, int]],
) -> None:
    """Cut lines, refusals and kills in any order: at least once, first copies in order."""
    with TemporaryDirectory() as folder:
        spooled, arrived = play(steps, Path(folder))
    assert arrived == spooled


def test_a_position_written_before_the_delivery_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law above would be worth nothing if it passed with the bug that it is there for."""

    def confirm_first(self: Forwarder, line: Line) -> None:
        for lane in self._lanes:
            if lane.under_way:
                lane.sent, lane.under_way = lane.handed, 0
                lane.position.save(lane.sent)
        line.flush(1.0)

    monkeypatch.setattr(Forwarder, "_confirm", confirm_first)
    spooled, arrived = play([("add", 5), ("turn", 2), ("kill", 0)], tmp_path)
    assert arrived != spooled
