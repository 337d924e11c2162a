"""A plain consumer group as the offers side has one, and a journal as the door opens it."""

import secrets
from pathlib import Path

import pytest
import redis
from redis.exceptions import RedisError, ResponseError

from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import parse_event
from rtls.publish.event_journal import EventJournal, JournalSettings
from tests.waiting import wait_until


def open_journal(folder: Path, settings: JournalSettings | None = None) -> EventJournal:
    def report(line: str) -> None:
        pytest.fail(f"a sound journal reported: {line}")

    return EventJournal(
        folder, new_id=lambda: secrets.token_hex(8), report=report, settings=settings
    )


class ConsumerGroup:
    """Reads, remembers, acknowledges; begins anew when Redis has forgotten it."""

    def __init__(self, url: str, *, stream: str = "inaisle:demo:visits") -> None:
        self.client = redis.Redis.from_url(url, socket_timeout=2.0)
        self.stream = stream
        self.events: list[ZoneEvent] = []

    def received(self, count: int) -> list[ZoneEvent]:
        """Waits until so many have come, then returns all."""
        wait_until(lambda: self.read() is None and len(self.events) >= count)
        return list(self.events)

    def read(self) -> None:
        """Takes what is there; does nothing while Redis is away."""
        try:
            self._read()
        except ResponseError as error:
            is_forgotten = "NOGROUP" in str(error)
            assert is_forgotten
            self.client.xgroup_create(self.stream, "offers", id="0", mkstream=True)
        except (RedisError, OSError):
            self.client.close()

    def _read(self) -> None:
        got = self.client.xreadgroup("offers", "one", {self.stream: ">"}, count=1000)
        for _, entries in got:
            self.events += [parse_event(fields[b"event"]) for _, fields in entries]
            self.client.xack(self.stream, "offers", *(entry for entry, _ in entries))
