"""Be the scripted shopper and his till: enrol, agree, pair, stand, receive, redeem.

Layer: doors. Takes: the address of the API, a till's key, and the truth of where he stands.
Gives: the `Story` that happened, step by step told to the viewer. Everything goes over the public
API: an app and a till of anybody could do the same.
"""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from firmware_sim.trip import ScriptedShopper
from firmware_sim.truth import Stay
from inaisle.clock import Clock
from inaisle.demo.demo_crowd import CONSENT_TEXT, PURPOSES
from inaisle.demo.demo_loyalty import Counter, LoyaltyAct, play_loyalty
from inaisle.errors import PartBroke
from inaisle.simulation.app_client import ApiAddress, ApiClient, Json, RefusedByApi
from rtls.model.site_map import Radio
from rtls.model.units import Second, TagId, UnixMs, ZoneId

TAG: Final = TagId("tag:demo-1")
ZONE: Final = ZoneId("dowels")
STANDS_S: Final = Second(400.0)
OFFER_WITHIN_MS: Final = 600_000  # simulated, from his coming in: he walks, stands, and is gone
LOOK_AGAIN_S: Final = 0.5
BASKET: Final = {
    "currency": "EUR",
    "lines": [
        {"sku": "4006209781234", "category": "dowels", "quantity": 2, "unit_price_minor": 449},
        {"sku": "4006209505013", "category": "screws", "quantity": 1, "unit_price_minor": 599},
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the story plays on."""

    address: ApiAddress
    till_key: str
    clock: Clock
    let_come: Callable[[ScriptedShopper], None]
    stay_until: Callable[[TagId, UnixMs], Stay]
    """what he really did up to an instant; waits until the truth of that instant is known"""
    tell: Callable[[str], None]
    today: Callable[[], date]
    """what the calendar in the shop shows"""
    is_stopped: Callable[[], bool]
    """whether the viewer has seen enough"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The offer as it came into the app."""

    offer: Json
    zone: str
    stood_s: float
    """simulated seconds from coming to rest at the shelf to the offer in the app"""
    offer_after_s: float
    """simulated seconds from entering the zone to the offer in the app"""
    is_still_there: bool
    delivery_ms: float
    """real milliseconds from the decision to the app's socket"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """What the coupon took off at the till."""

    amount_minor: int
    currency: str
    is_refused_twice: bool
    """whether the till refused the same coupon a second time"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """How it ended."""

    receipt: Receipt
    redeemed: Redeemed
    loyalty: LoyaltyAct


def play(stage: Stage) -> Story:
    """Play the story to its end; `PartBroke` says that no offer came."""
    with ApiClient(stage.address) as app:
        app.token = str(app.post("/v1/enrolments", {"locale": "de"})["token"])
        stage.tell("a shopper enrols in the app")
        for purpose in PURPOSES:
            wish = {"is_granted": True, "text_version": CONSENT_TEXT}
            app.put(f"/v1/me/consents/{purpose}", wish)
        stage.tell(f"grants {', '.join(PURPOSES)}")
        app.post("/v1/me/pairings", {"tag": TAG})
        stage.tell("pairs the trolley by its code and walks to the fischer dowels")
        receipt = _receive(stage, app)
        stage.tell(
            f"receives “{receipt.offer['title']}” after standing {receipt.stood_s:.1f} s, "
            f"{'still there' if receipt.is_still_there else 'already gone'}"
        )
        with ApiClient(stage.address, token=stage.till_key) as till:
            redeemed = _redeem(stage, app, till, receipt)
            return Story(
                receipt=receipt,
                redeemed=redeemed,
                loyalty=play_loyalty(Counter(app, till, tell=stage.tell, today=stage.today)),
            )


def _receive(stage: Stage, app: ApiClient) -> Receipt:
    offer, at_ms = _await_offer(stage, app)
    stay = stage.stay_until(TAG, at_ms)
    if stay.entered_at_ms is None or stay.stood_from_ms is None:
        raise PartBroke(f"an offer for {offer['zone']} came to a shopper who never stood there.")
    issued_ms = datetime.fromisoformat(str(offer["issued_at"])).timestamp() * 1000.0
    return Receipt(
        offer=offer,
        zone=str(offer["zone"]),
        stood_s=(at_ms - stay.stood_from_ms) / 1000.0,
        offer_after_s=(at_ms - stay.entered_at_ms) / 1000.0,
        is_still_there=stay.left_at_ms is None or stay.left_at_ms > at_ms,
        delivery_ms=round((at_ms - issued_ms) / stage.clock.speed, 1),
    )


def _await_offer(stage: Stage, app: ApiClient) -> tuple[Json, UnixMs]:
    headers = {"Authorization": f"Bearer {app.token}"}
    try:
        with connect(stage.address.stream_url, additional_headers=headers) as socket:
            stage.let_come(ScriptedShopper(tag=TAG, radio=Radio.UWB, stands=((ZONE, STANDS_S),)))
            until_ms = stage.clock.now_ms() + OFFER_WITHIN_MS
            while stage.clock.now_ms() < until_ms and not stage.is_stopped():
                with contextlib.suppress(TimeoutError):
                    frame = json.loads(socket.recv(timeout=LOOK_AGAIN_S))
                    if frame["type"] == "offer" and frame["offer"]["coupon"] is not None:
                        return frame["offer"], stage.clock.now_ms()
    except (OSError, WebSocketException) as error:
        raise PartBroke(f"the app's stream broke: {error}.") from error
    raise PartBroke(f"no offer within {OFFER_WITHIN_MS / 1000:.0f} simulated seconds.")


def _redeem(stage: Stage, app: ApiClient, till: ApiClient, receipt: Receipt) -> Redeemed:
    coupon = receipt.offer["coupon"]
    assert isinstance(coupon, dict)
    code = app.get(f"/v1/me/coupons/{coupon['coupon']}/code")["code"]
    stage.tell("shows the coupon at the till")
    request = {"code": code, "basket": BASKET}
    till.post("/v1/till/baskets/quote", {"codes": [code], "basket": BASKET})
    discount = till.post("/v1/till/redemptions", request)["discount"]
    assert isinstance(discount, dict)
    amount, currency = int(discount["amount_minor"]), str(discount["currency"])
    stage.tell(f"redeems {amount / 100:.2f} {currency}")
    try:
        till.post("/v1/till/redemptions", request)
    except RefusedByApi as refusal:
        stage.tell(f"a second try is refused ({refusal.code})")
        is_refused_twice = True
    else:
        is_refused_twice = False
    return Redeemed(amount_minor=amount, currency=currency, is_refused_twice=is_refused_twice)
