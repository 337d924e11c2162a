"""Be the apps and the till of a simulated day: enrol, agree, pair, look at offers, pay.

Layer: doors. Takes: who comes (firmware_sim.day_plan), and what is told of his tag. Gives: calls of
the public API as any app or till makes them, and what came of them to inaisle.day_files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from firmware_sim.day_plan import DayShopper
from inaisle.app_client import ApiAddress, ApiClient, Json, RefusedByApi
from inaisle.demo_crowd import CONSENT_TEXT
from rtls.model.units import TagId, UnixMs, ZoneId
from rtls.model.visit import DwellReached, ZoneEvent

PURPOSES: Final = ("locate", "personalise", "notify")
COUNTED: Final = "analytics"
PRICES_MINOR: Final = (299, 449, 599, 899, 1_299, 1_999, 2_999)
SHELF_PRODUCTS: Final = 5
CURRENCY: Final = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSeen:
    """An offer that came into an app."""

    shopper: int
    campaign: str
    zone: str
    at_ms: UnixMs
    is_opened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What was paid for at the till with the card."""

    shopper: int
    at_ms: UnixMs
    zones: tuple[ZoneId, ...]
    total_minor: int
    discount_minor: int
    redemptions: int


@dataclass(slots=True, kw_only=True)
class Guest:
    """A shopper whose app is in the shop."""

    shopper: DayShopper
    token: str
    pairing: str
    known_offers: set[str] = field(default_factory=set)
    has_paid: bool = False
    left_at_ms: UnixMs | None = None


class DayPeople:
    """The apps in the shop, and the till.

    Attributes
    ----------
    offers, purchases
        What came of it.
    """

    def __init__(self, address: ApiAddress, *, till_key: str, day_seed: int) -> None:
        self._app = ApiClient(address)
        self._till = ApiClient(address, token=till_key)
        self._seed = day_seed
        self._guests: dict[TagId, Guest] = {}
        self._called: dict[TagId, None] = {}
        self.offers: list[OfferSeen] = []
        self.purchases: list[Paid] = []

    def close(self) -> None:
        """Give the connections back."""
        for client in (self._app, self._till):
            client.__exit__(None, None, None)

    def carriers(self) -> Mapping[TagId, int]:
        """Return who carries which tag."""
        return {tag: guest.shopper.number for tag, guest in self._guests.items()}

    def guests(self) -> Sequence[Guest]:
        """Return who is in the shop, or has just left."""
        return tuple(self._guests.values())

    def welcome(self, shopper: DayShopper) -> None:
        """Enrol, agree, and pair the tag."""
        purposes = (*PURPOSES, COUNTED) if shopper.is_counted else PURPOSES
        wishes = [
            {"purpose": purpose, "is_granted": True, "text_version": CONSENT_TEXT}
            for purpose in purposes
        ]
        self._app.token = None
        enrolled = self._app.post("/v1/enrolments", {"locale": "de", "consents": wishes})
        token = self._app.token = str(enrolled["token"])
        pairing = self._app.post("/v1/me/pairings", {"tag": shopper.script.tag})
        self._guests[shopper.script.tag] = Guest(
            shopper=shopper, token=token, pairing=str(pairing["pairing"])
        )

    def part(self, guest: Guest) -> None:
        """Let the tag go."""
        self._app.token = guest.token
        self._app.delete(f"/v1/me/pairings/{guest.pairing}")
        del self._guests[guest.shopper.script.tag]

    def hear(self, events: Sequence[ZoneEvent]) -> None:
        """Note whose app has been called: who dwells may have an offer."""
        self._called |= {one.tag: None for one in events if isinstance(one, DwellReached)}

    def look(self, *, now_ms: UnixMs) -> None:
        """Let who was called look at his offers."""
        called, self._called = self._called, {}
        for tag in called:
            if tag in self._guests:
                self._look_at_offers(self._guests[tag], now_ms)

    def pay(self, guest: Guest, *, now_ms: UnixMs) -> None:
        """Pay with the card for what is in the trolley; who pays without is nobody to the shop."""
        guest.has_paid = True
        shopper = guest.shopper
        if shopper.buys and shopper.shows_card:
            self._app.token = guest.token
            code = self._app.get("/v1/me/card/code")["code"]
            asked = {"basket": self._basket(shopper), "card": code}
            held = self._till.post("/v1/till/baskets", asked)
            paid = self._till.post(f"/v1/till/baskets/{held['held']}/commit", {})
            redemptions = paid["redemptions"]
            assert isinstance(redemptions, list)
            self.purchases.append(
                Paid(
                    shopper=shopper.number,
                    at_ms=now_ms,
                    zones=shopper.buys,
                    total_minor=_minor(paid["basket_total"]),
                    discount_minor=_minor(paid["discount"]),
                    redemptions=len(redemptions),
                )
            )

    def _look_at_offers(self, guest: Guest, now_ms: UnixMs) -> None:
        self._app.token = guest.token
        page = self._app.get("/v1/me/offers")["offers"]
        assert isinstance(page, list)
        for offer in page:
            if offer["offer"] not in guest.known_offers:
                guest.known_offers.add(offer["offer"])
                self.offers.append(
                    OfferSeen(
                        shopper=guest.shopper.number,
                        campaign=str(offer["campaign"]),
                        zone=str(offer["zone"] or ""),
                        at_ms=now_ms,
                        is_opened=guest.shopper.opens_offers and self._open(str(offer["offer"])),
                    )
                )

    def _open(self, offer: str) -> bool:
        try:
            self._app.post(f"/v1/me/offers/{offer}/opened", {})
        except RefusedByApi:  # it has ended meanwhile
            return False
        return True

    def _basket(self, shopper: DayShopper) -> Json:
        lines = []
        for place, zone in enumerate(shopper.buys):
            product = (self._seed + 7 * shopper.number + place) % SHELF_PRODUCTS
            price = PRICES_MINOR[(len(zone) + product) % len(PRICES_MINOR)]
            lines.append(
                {
                    "sku": f"{zone}-{product + 1}",
                    "category": zone,
                    "quantity": 1 + (shopper.number + place) % 3,
                    "unit_price_minor": price,
                }
            )
        return {"currency": CURRENCY, "lines": lines}


def _minor(money: object) -> int:
    assert isinstance(money, Mapping)
    return int(money["amount_minor"])
