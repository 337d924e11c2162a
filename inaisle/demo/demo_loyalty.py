"""Show the loyalty programme on the scripted shopper: earn, spend, climb a tier, bring goods back.

Layer: doors. Takes: the shopper's app and a till, both over the public API. Gives: `LoyaltyAct`,
what happened, each step told to the viewer. It plays after the coupon has been redeemed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from inaisle.errors import PartBroke
from inaisle.simulation.app_client import ApiClient, Json

SMALL_BASKET: Final = {
    "currency": "EUR",
    "lines": [
        {"sku": "4006209781234", "category": "dowels", "quantity": 4, "unit_price_minor": 449},
        {"sku": "4013307105116", "category": "paint", "quantity": 1, "unit_price_minor": 2_999},
    ],
}
LARGE_BASKET: Final = {
    "currency": "EUR",
    "lines": [
        {"sku": "4059952519753", "category": "tools", "quantity": 1, "unit_price_minor": 18_900},
        {"sku": "4002395292295", "category": "tools", "quantity": 1, "unit_price_minor": 5_900},
    ],
}
DRILL: Final = 0
"""place of what is brought back"""
CODE_S_MAX: Final = 60.0
OFFER_S_MAX: Final = 60.0
BIRTHDAY_CAMPAIGN: Final = "birthday-present"
LOOK_AGAIN_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoyaltyAct:
    """What the programme did for one shopper within a few minutes of the shop."""

    welcome_points: int
    earned_points: int
    spent_points: int
    spent_worth_minor: int
    """what points paid that had been earned a moment before"""
    tier: str
    clawed_back_points: int
    points_after: int
    tier_after: str | None
    birthday_campaign: str
    """whose offer came on the shopper's birthday"""


class Counter:
    """The shopper's app, and the till that its card is shown to."""

    def __init__(
        self,
        app: ApiClient,
        till: ApiClient,
        *,
        tell: Callable[[str], None],
        today: Callable[[], date],
    ) -> None:
        self.app = app
        self.till = till
        self.tell = tell
        self.today = today
        self._code = ""

    def buy(self, basket: Json, *, spend: Json | None = None) -> Json:
        """Show the card, pay for the basket, and return the purchase."""
        asked: dict[str, object] = {"basket": basket, "card": self._fresh_code()}
        if spend is not None:
            asked["spend"] = spend
        held = self.till.post("/v1/till/baskets", asked)
        return self.till.post(f"/v1/till/baskets/{held['held']}/commit", {})

    def points(self) -> int:
        """Return what the shopper can spend now."""
        balances = _list(self.app.get("/v1/me/points")["balances"])
        points = [one["available_minor"] for one in balances if one["unit"] == "points"]
        return sum(available for available in points if isinstance(available, int))

    def tier(self) -> str | None:
        """Return on which tier the shopper stands."""
        tier = self.app.get("/v1/me/tier")["tier"]
        return str(tier["tier"]) if isinstance(tier, Mapping) else None

    def offer_of(self, campaign: str) -> Json:
        """Wait until the app has an offer of the campaign, and return it.

        Raises
        ------
        PartBroke
            If none comes.
        """
        until = time.monotonic() + OFFER_S_MAX
        while time.monotonic() < until:
            offers = _list(self.app.get("/v1/me/offers")["offers"])
            found = [offer for offer in offers if offer["campaign"] == campaign]
            if found:
                return found[0]
            time.sleep(LOOK_AGAIN_S)
        raise PartBroke(f"no offer of {campaign} came within {OFFER_S_MAX:.0f} s.")

    def _fresh_code(self) -> str:
        # A till takes each code once; the app shows another every half minute of the shop's clock.
        until = time.monotonic() + CODE_S_MAX
        while time.monotonic() < until:
            shown = str(self.app.get("/v1/me/card/code")["code"])
            if shown != self._code:
                self._code = shown
                return shown
            time.sleep(LOOK_AGAIN_S)
        raise PartBroke(f"the card showed the same code for {CODE_S_MAX:.0f} s.")


def play_loyalty(counter: Counter) -> LoyaltyAct:
    """Play the act to its end.

    Raises
    ------
    PartBroke
        If no tier is reached, or no present comes on the birthday.
    """
    welcome = counter.points()
    counter.tell(f"has {welcome} points for enrolling")
    earned = _points(counter.buy(SMALL_BASKET), "earned")
    counter.tell(f"shows the card with the next basket and earns {earned} points")
    wallet = {"unit": "points", "amount_minor": counter.points()}
    large = counter.buy(LARGE_BASKET, spend=wallet)
    spent, worth_minor, tier = _points(large, "spent"), _minor(large["tender"]), counter.tier()
    if tier is None:
        raise PartBroke("no tier was reached by baskets of 290 EUR; expected the first.")
    counter.tell(f"pays {worth_minor / 100:.2f} EUR with {spent} points, and climbs to {tier}")
    back = {"lines": [{"line": DRILL, "quantity": 1}]}
    returned = counter.till.post(f"/v1/till/purchases/{large['purchase']}/returns", back)
    clawed_back = _taken_back(large, returned)
    tier_after = counter.tier()
    counter.tell(
        f"brings the drill back: {clawed_back} points are taken back, tier {tier_after or 'none'}"
    )
    day = counter.today()
    counter.app.put("/v1/me/birthday", {"month": day.month, "day": day.day})
    present = counter.offer_of(BIRTHDAY_CAMPAIGN)
    counter.tell(f"says that today is his birthday, and receives “{present['title']}”")
    return LoyaltyAct(
        welcome_points=welcome,
        earned_points=earned,
        spent_points=spent,
        spent_worth_minor=worth_minor,
        tier=tier,
        clawed_back_points=clawed_back,
        points_after=counter.points(),
        tier_after=tier_after,
        birthday_campaign=str(present["campaign"]),
    )


def _points(purchase: Json, move: str) -> int:
    return sum(_minor(one) for one in _list(purchase["points"]) if _is(one, move))


def _taken_back(purchase: Json, returned: Json) -> int:
    places = [n for n, one in enumerate(_list(purchase["points"])) if _is(one, "earned")]
    shares = [line["points_minor"] for line in _list(returned["lines"])]
    return sum(share[n] for share in shares if isinstance(share, list) for n in places)


def _is(entry: Mapping[str, object], move: str) -> bool:
    return (entry["move"], entry["unit"]) == (move, "points")


def _minor(money: object) -> int:
    assert isinstance(money, Mapping)
    return int(money["amount_minor"])


def _list(entries: object) -> Sequence[Mapping[str, object]]:
    assert isinstance(entries, Sequence)
    return entries
