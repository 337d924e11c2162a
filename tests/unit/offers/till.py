"""A till of the small shop: the steps that tests of the till share, each a public handler."""

from dataclasses import dataclass

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.till.commit_basket import cancel_basket, commit_basket
from offers.handlers.till.hold_basket import Held, hold_basket
from offers.handlers.till.return_purchase import ReturnRequest, return_purchase
from offers.handlers.till.reveal_card import make_card, reveal_card
from offers.handlers.till.settle_basket import Settled
from offers.model.ids import BasketId, PurchaseId, ShopperId, TillId
from offers.model.people.card import CardCodeForm
from offers.model.till.held_basket import BasketRequest
from offers.model.till.purchase import Purchase, PurchaseReturn
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, TILL, Shop, asked

NOON_MS = UnixMs(START_MS + 10 * MINUTE_MS)


@dataclass
class Till:
    """One till; its clock is the test's."""

    shop: Shop
    till: TillId = TILL
    site: SiteId = SITE
    now_ms: int = NOON_MS

    def ask(self, request: BasketRequest):
        return hold_basket(
            request, work=self.shop.work, now_ms=UnixMs(self.now_ms), secrets=self.shop.secrets
        )

    def hold(self, *codes: str, prices_minor: tuple[int, ...] = (1_000,)) -> BasketId:
        held = self.ask(asked(*codes, prices_minor=prices_minor, site=self.site))
        assert isinstance(held, Held), held
        return held.held.held

    def scan(self, shopper: ShopperId, form: CardCodeForm = CardCodeForm.QR) -> str:
        """Return what the shopper's screen shows now."""
        make_card(shopper, work=self.shop.work, secrets=self.shop.secrets)
        shown = reveal_card(
            shopper,
            form,
            work=self.shop.work,
            now_ms=UnixMs(self.now_ms),
            secrets=self.shop.secrets,
        )
        assert shown is not None
        return shown.code

    def commit(self, basket: BasketId):
        return commit_basket(
            basket,
            till=self.till,
            site=self.site,
            work=self.shop.work,
            now_ms=UnixMs(self.now_ms),
            secrets=self.shop.secrets,
        )

    def cancel(self, basket: BasketId):
        return cancel_basket(
            basket, site=self.site, work=self.shop.work, now_ms=UnixMs(self.now_ms)
        )

    def pay(self, *codes: str, prices_minor: tuple[int, ...] = (1_000,)) -> Purchase:
        settled = self.commit(self.hold(*codes, prices_minor=prices_minor))
        assert isinstance(settled, Settled), settled
        return settled.purchase

    def bring_back(self, purchase: PurchaseId, pieces: dict[int, int]):
        request = ReturnRequest(purchase=purchase, till=self.till, site=self.site, pieces=pieces)
        return return_purchase(
            request, work=self.shop.work, now_ms=UnixMs(self.now_ms), secrets=self.shop.secrets
        )

    def take_back(self, purchase: PurchaseId, pieces: dict[int, int]) -> PurchaseReturn:
        returned = self.bring_back(purchase, pieces)
        assert isinstance(returned, PurchaseReturn), returned
        return returned

    def wait(self, ms: int) -> None:
        """Let time pass, and the sweep come by."""
        self.now_ms += ms
        expire_overdue(work=self.shop.work, now_ms=UnixMs(self.now_ms))


def pieces_left(purchase: Purchase) -> dict[int, int]:
    """Return how many pieces of each line the customer still has."""
    return {
        place: line.item.quantity - line.returned
        for place, line in enumerate(purchase.lines)
        if line.item.quantity > line.returned
    }
