"""Be the apps of the simulated crowd: enrol, pair a tag when a trip begins, unpair when it ends.

Layer: doors. Takes: which tags are in the shop, from the simulator's truth. Gives: pairings over
the public API, as the shoppers' own apps make them; without them nobody would be located.
"""

import queue
import threading
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import structlog

from inaisle.simulation.app_client import ApiAddress, ApiClient, RefusedByApi
from rtls.model.units import TagId

log = structlog.get_logger("inaisle.demo.demo")
CONSENT_TEXT: Final = "2026-11"
PURPOSES: Final = ("locate", "personalise", "notify")
COUNTED: Final = "analytics"
"""the crowd's own: without it heatmap, flows and playback of a demo would be empty"""
NEWS_MAX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedApp:
    """An app that carries a tag now."""

    token: str
    pairing: str


class Crowd:
    """One thread that keeps the crowd's pairings in step with who is in the shop."""

    def __init__(self, address: ApiAddress) -> None:
        self._client = ApiClient(address)
        self._news: queue.Queue[AbstractSet[TagId] | None] = queue.Queue(NEWS_MAX)
        self._idle_tokens: list[str] = []
        self._apps: dict[TagId, PairedApp] = {}
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def see(self, tags: AbstractSet[TagId]) -> None:
        """Take who is in the shop now; the latest word counts, so an old one may be left out."""
        try:
            self._news.put_nowait(tags)
        except queue.Full:
            return

    def stop(self) -> None:
        """End after what is in hand."""
        self._news.put(None)
        self._thread.join(5.0)

    def __len__(self) -> int:
        """Return how many tags are paired."""
        return len(self._apps)

    def _run(self) -> None:
        with self._client:
            while (tags := self._latest()) is not None:
                try:
                    self._follow(tags)
                except (RefusedByApi, OSError) as error:
                    log.warning("the crowd's apps try again", error=str(error))

    def _latest(self) -> AbstractSet[TagId] | None:
        news = self._news.get()
        while news is not None and not self._news.empty():
            news = self._news.get()
        return news

    def _follow(self, tags: AbstractSet[TagId]) -> None:
        for tag in sorted(self._apps.keys() - tags):
            app = self._apps.pop(tag)
            self._client.token = app.token
            self._client.delete(f"/v1/me/pairings/{app.pairing}")
            self._idle_tokens.append(app.token)
        for tag in sorted(tags - self._apps.keys()):
            token = self._idle_tokens.pop() if self._idle_tokens else enrol(self._client)
            self._client.token = token
            pairing = self._client.post("/v1/me/pairings", {"tag": tag})
            self._apps[tag] = PairedApp(token=token, pairing=str(pairing["pairing"]))


def enrol(client: ApiClient) -> str:
    """Become a shopper who agrees to all that offers and reports need; return the app's token."""
    client.token = None
    wishes = [
        {"purpose": purpose, "is_granted": True, "text_version": CONSENT_TEXT}
        for purpose in (*PURPOSES, COUNTED)
    ]
    return str(client.post("/v1/enrolments", {"locale": "de", "consents": wishes})["token"])
