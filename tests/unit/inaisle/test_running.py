"""Going over to a published map: the newest that works, said where it does not, never nothing."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from inaisle.config_files import demo_site_map_file
from inaisle.errors import InvalidSettings, Unavailable
from inaisle.service.running import Running
from inaisle.service.service import Service
from inaisle.settings import Settings, load_settings
from inaisle.site.map_in_force import MapInForce, map_folder
from rtls.model.errors import InvalidCalibration
from rtls.model.map_draft import MapRevision
from rtls.model.units import UnixMs
from tests.waiting import wait_until

DEMO = demo_site_map_file().read_bytes()


class FakeService:
    """A service that answers which map it runs on."""

    def __init__(self, in_force: MapInForce) -> None:
        self.in_force = in_force
        self.is_draining = False

    def api_config(self) -> uvicorn.Config:
        app = FastAPI()

        @app.get("/map")
        def read() -> dict[str, object]:
            return {"revision": self.in_force.revision, "trouble": self.in_force.trouble()}

        return uvicorn.Config(app, log_config=None)

    def start(self) -> None:
        pass

    def stop_locating(self) -> None:
        self.is_draining = True

    def fatal(self) -> str | None:
        return None


Publish = Callable[[], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    flags = {("site", "data"): tmp_path / "data", ("api", "port"): 0}
    return load_settings(environment={}, flags=flags).settings


@contextmanager
def running(settings: Settings, *, refused: frozenset[int] = frozenset()) -> Iterator[Running]:
    @contextmanager
    def open_on(in_force: MapInForce) -> Iterator[Service]:
        if in_force.revision in refused:
            raise InvalidCalibration(f"map {in_force.revision} fits nothing.")
        service = FakeService(in_force)
        yield cast("Service", service)
        assert service.is_draining  # before its parts are closed

    found = Running(settings, open_on)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def publish(settings: Settings) -> None:
    about = MapRevision(revision=0, published_at_ms=UnixMs(1), published_by="c", note="")
    document = json.dumps(json.loads(DEMO)).encode()
    map_folder(settings.site).publish(document, about)


def told(found: Running) -> dict:
    """Ask which map it is; who had just connected as the server closed asks again.

    Nobody is refused: that would be a `ConnectError`.
    """
    try:
        answer = httpx2.get(f"http://127.0.0.1:{found.port}/map", timeout=10.0)
    except (httpx2.ReadError, httpx2.RemoteProtocolError):
        return told(found)
    return dict(answer.json())


def test_a_published_map_is_taken_up_on_the_same_port_and_nobody_is_refused(
    settings: Settings,
) -> None:
    """Whoever asks in between waits a moment, at the same address."""
    answers: list[object] = []
    with running(settings) as found:
        assert told(found) == {"revision": 0, "trouble": None}
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                answers.append(told(found)["revision"])

        asking = threading.Thread(target=ask)
        asking.start()
        publish(settings)
        wait_until(lambda: 1 in answers)
        done.set()
        asking.join(10.0)
        assert not asking.is_alive()  # no question of it was refused
        assert found.fatal() is None
    assert set(answers) == {0, 1}


def test_a_map_on_which_nothing_opens_leaves_the_one_before_in_force_and_says_so(
    settings: Settings,
) -> None:
    """The shop is open; what was wrong stands in health for the morning."""
    publish(settings)
    with running(settings, refused=frozenset({2})) as found:
        assert told(found)["revision"] == 1
        publish(settings)
        wait_until(lambda: found.service.in_force.trouble() is not None)
        wait_until(lambda: found.fatal() is None)
        now = told(found)
        assert now["revision"] == 1
        assert "map 2 fits nothing" in now["trouble"]
        publish(settings)
        wait_until(lambda: told(found)["revision"] == 3)
        assert told(found)["trouble"] is None


def test_where_it_opens_on_no_map_at_all_the_process_is_told_to_end(settings: Settings) -> None:
    """A supervisor starts it again; a process that serves nothing helps nobody."""
    refused = {1}
    with running(settings, refused=cast("frozenset[int]", refused)) as found:
        refused.add(0)
        publish(settings)
        wait_until(lambda: found.fatal() is not None)
        assert "did not come back" in str(found.fatal())


def test_without_published_maps_a_file_that_cannot_work_is_refused_as_ever(
    settings: Settings,
) -> None:
    with pytest.raises(InvalidCalibration), running(settings, refused=frozenset({0})):
        pass


def test_a_port_that_is_taken_is_said(settings: Settings) -> None:
    with running(settings) as found:
        api = settings.api.model_copy(update={"port": found.port})
        other = settings.model_copy(update={"api": api})
        with pytest.raises(Unavailable, match="cannot listen"), running(other):
            pass


def test_maps_of_another_site_are_no_reason_to_fall_back(settings: Settings) -> None:
    """Somebody has moved the folder: the newest good map would be another shop's."""
    document = json.loads(DEMO)
    document["inaisle"]["site"] = "other"
    about = MapRevision(revision=0, published_at_ms=UnixMs(1), published_by="c", note="")
    map_folder(settings.site).publish(json.dumps(document).encode(), about)
    with pytest.raises(InvalidSettings), running(settings):
        pass
