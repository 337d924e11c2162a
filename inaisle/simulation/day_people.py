"""Be the apps and the till of a simulated day: enrol, agree, pair, look at offers, pay.

Layer: doors. Takes: who comes (firmware_sim.day_plan), and what is told of his tag. Gives: calls of
the public API as any app or till makes them, and what came of them to inaisle.simulation.day_files.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from firmware_sim.day_plan import DayShopper
from inaisle.demo.demo_crowd import CONSENT_TEXT
from inaisle.simulation.app_client import ApiAddress, ApiClient, Json, RefusedByApi
from offers.model.catalogue.product import Product
from rtls.model.units import TagId, UnixMs, ZoneId
from rtls.model.visit import DwellReached, ZoneEvent

PURPOSES: Final = ("locate", "personalise", "notify")
COUNTED: Final = "analytics"
QUANTITY_MAX: Final = 3
UNPRICED_MINOR: Final = 599
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

    Parameters
    ----------
    products
        What can be taken from each shelf; of a shelf that is not in it, something without a name.
    """

    def __init__(
        self, address: ApiAddress, *, till_key: str, products: Mapping[ZoneId, Sequence[Product]]
    ) -> None:
        self._app = ApiClient(address)
        self._till = ApiClient(address, token=till_key)
        self._products = products
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
        return {
            "currency": CURRENCY,
            "lines": [
                self._line(zone, choice=7 * shopper.number + place)
                for place, zone in enumerate(shopper.buys)
            ],
        }

    def _line(self, zone: ZoneId, *, choice: int) -> Json:
        on_shelf = self._products.get(zone)
        product = on_shelf[choice % len(on_shelf)] if on_shelf else None
        price = None if product is None else product.price
        return {
            "sku": zone if product is None else product.sku,
            "category": zone if product is None else product.category or zone,
            "quantity": 1 + choice % QUANTITY_MAX,
            "unit_price_minor": UNPRICED_MINOR if price is None else price.amount_minor,
        }


def products_by_shelf(products: Iterable[Product]) -> Mapping[ZoneId, Sequence[Product]]:
    """Return what stands at each shelf."""
    found: dict[ZoneId, list[Product]] = {}
    for product in products:
        for zone in product.zones:
            found.setdefault(zone, []).append(product)
    return found


def _minor(money: object) -> int:
    assert isinstance(money, Mapping)
    return int(money["amount_minor"])
