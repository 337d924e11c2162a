"""A statement on paper: what the app shows, on a sheet that says nothing else."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.api.loyalty.statement_page import Paper, page_headers, page_of
from offers.api.loyalty.statement_sheet import Part, Sheet, sheet_of
from offers.api.loyalty.statement_slip import COLUMNS, slip_of
from offers.handlers.loyalty.post_points import earn
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.loyalty.write_statement import (
    statement_after_purchase,
    statement_for_card,
    write_statement,
)
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.settle_basket import Settled
from offers.model.errors import Expired, NotFound
from offers.model.ids import PurchaseId, ShopperId
from offers.model.loyalty.earning_rule import EarningTerms
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.points import Earning
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.statement import AFTER_PURCHASE_MS_MAX, Statement
from offers.model.loyalty.tier import Tier, TierLadder, TierWindow
from offers.model.money import Money
from offers.model.offering.offer import OfferState
from offers.model.offering.refusal import TillRefusal
from offers.model.people.shopper import Locale
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop, asked, campaign
from tests.unit.offers.till import NOON_MS, Till

DAY_MS = 86_400_000
PROGRAMME = Programme(
    site=SITE,
    time_zone="Europe/Berlin",
    terms=(EarningTerms(unit=POINTS),),
    tiers=TierLadder(
        currency="EUR",
        window=TierWindow.ROLLING,
        time_zone="Europe/Berlin",
        tiers=(Tier(tier="silver", name="Silber", threshold_minor=20_000),),
    ),
)


def write(shop: Shop, shopper: ShopperId, *, now_ms: int = NOON_MS) -> Statement:
    return write_statement(
        shopper, SITE, work=shop.work, now_ms=UnixMs(now_ms), secrets=shop.secrets
    )


def give(shop: Shop, shopper: ShopperId, amount: int, *, days: int) -> None:
    earning = Earning(
        unit=POINTS,
        amount_minor=amount,
        reason=PostingReason.WELCOME,
        reference=f"gift of {days} days",
        active_at_ms=START_MS,
        expires_at_ms=UnixMs(START_MS + days * DAY_MS),
    )
    earn(shopper, earning, work=shop.work, now_ms=START_MS, secrets=shop.secrets)


def with_coupon(shop: Shop) -> ShopperId:
    """Return a shopper who has a coupon in the app."""
    shop.start(campaign())
    anna = shop.shopper()
    shop.stand(at_ms=NOON_MS)
    card = shop.offer_of(anna)
    assert card is not None
    shop.deliver(card.offer.offer, now_ms=NOON_MS)
    return anna


def printed(statement: Statement) -> str:
    return slip_of(sheet_of(statement, site_name="Markt", time_zone="Europe/Berlin"))


def test_the_sheet_says_what_is_there_what_goes_and_what_is_missing(shop: Shop) -> None:
    """C27: who has no phone at hand must be able to read what the app would show."""
    start_programme(PROGRAMME, work=shop.work, now_ms=START_MS)
    anna = with_coupon(shop)
    give(shop, anna, 1_200, days=30)
    give(shop, anna, 34, days=300)
    statement = write(shop, anna)
    assert [wallet.balance_minor for wallet in statement.wallets] == [1_234]
    assert [(one.amount_minor, one.expires_at_ms) for one in statement.expiring] == [
        (1_200, START_MS + 30 * DAY_MS)
    ]
    lines = printed(statement).splitlines()
    assert "Punkte" + "1.234".rjust(COLUMNS - len("Punkte")) in lines
    assert "14.12.2023, 23:13" + "1.200 Punkte".rjust(COLUMNS - 17) in lines
    assert "Bis Silber fehlen" + "200,00 €".rjust(COLUMNS - 17) in lines
    assert "Sie erhalten 2,00 € Rabatt." in lines
    assert "?" not in printed(statement)  # the printer has every letter of our own sentences
    english = printed(replace(statement, locale=Locale.EN)).splitlines()
    assert "Missing to Silber" + "€200.00".rjust(COLUMNS - 17) in english


def test_a_code_on_paper_is_good_at_the_till(shop: Shop) -> None:
    """A sheet with a code that no till takes would be worse than none."""
    anna = with_coupon(shop)
    [code] = re.findall(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", printed(write(shop, anna)))
    purchase = Till(shop=shop, now_ms=NOON_MS + 1).pay(code)
    assert purchase.discount == Money(amount_minor=200, currency="EUR")
    assert write(shop, anna).coupons == ()
    card = shop.offer_of(anna)
    assert card is not None
    assert card.offer.state is OfferState.REDEEMED


def test_what_was_saved_is_what_coupons_took_off_and_returns_left(shop: Shop) -> None:
    """Whoever brings half of it back has saved half of it."""
    anna = with_coupon(shop)
    assert write(shop, anna).saved == ()
    [coupon] = write(shop, anna).coupons
    till = Till(shop=shop, now_ms=NOON_MS + 1)
    purchase = till.pay(coupon.code.code, prices_minor=(1_000, 1_000))
    assert write(shop, anna).saved == (Money(amount_minor=200, currency="EUR"),)
    till.take_back(purchase.purchase, {0: 1})
    assert write(shop, anna).saved == (Money(amount_minor=100, currency="EUR"),)
    till.take_back(purchase.purchase, {1: 1})
    assert write(shop, anna).saved == ()


def test_a_coupon_that_a_basket_holds_is_not_printed(shop: Shop) -> None:
    """It is being paid with at this moment; a second code for it would be refused at the next."""
    anna = with_coupon(shop)
    till = Till(shop=shop, now_ms=NOON_MS + 1)
    held = till.ask(replace(asked(), card=till.scan(anna)))
    assert isinstance(held, Held)
    assert write(shop, anna).coupons == ()


def test_a_card_is_shown_once_for_a_statement(shop: Shop) -> None:
    """A photograph of somebody's card must not tell what its owner has."""
    till, anna = Till(shop=shop), shop.shopper(tag=None)
    code = till.scan(anna)

    def ask(card: str) -> Statement | TillRefusal:
        return statement_for_card(card, SITE, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)

    assert isinstance(ask(code), Statement)
    assert ask(code) is TillRefusal.CARD_NOT_VALID
    assert ask("nonsense") is TillRefusal.CARD_NOT_VALID


def test_the_till_may_ask_for_it_directly_after_the_purchase(shop: Shop) -> None:
    """A receipt that is found next day tells nobody what its owner has."""
    till, anna = Till(shop=shop), shop.shopper(tag=None)
    held = till.ask(replace(asked(), card=till.scan(anna)))
    assert isinstance(held, Held)
    settled = till.commit(held.held.held)
    assert isinstance(settled, Settled)
    purchase = settled.purchase.purchase

    def ask(after_ms: int, site: SiteId = SITE, bought: PurchaseId = purchase) -> Statement:
        now_ms = UnixMs(NOON_MS + after_ms)
        return statement_after_purchase(
            bought, site, work=shop.work, now_ms=now_ms, secrets=shop.secrets
        )

    assert ask(AFTER_PURCHASE_MS_MAX).card_ending is not None
    with pytest.raises(Expired, match="Scan the card"):
        ask(AFTER_PURCHASE_MS_MAX + 1)
    with pytest.raises(NotFound, match="no such purchase"):
        ask(0, site=SiteId("elsewhere"))
    with pytest.raises(NotFound, match="no such purchase"):
        ask(0, bought=PurchaseId("f" * 32))


def test_a_purchase_without_a_card_has_no_statement(shop: Shop) -> None:
    """Whoever handed a coupon on must not learn by it what its owner has."""
    [coupon] = write(shop, with_coupon(shop)).coupons
    purchase = Till(shop=shop, now_ms=NOON_MS + 1).pay(coupon.code.code).purchase
    with pytest.raises(NotFound, match="no card was shown"):
        statement_after_purchase(
            purchase, SITE, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets
        )


class Read(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


WRITTEN = st.text(min_size=1, max_size=200) | st.sampled_from(
    ["</style><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\x1b@\x1dV0", "&lt;"]
)


@given(WRITTEN, WRITTEN, WRITTEN)
def test_whatever_anybody_wrote_stays_text(title: str, said: str, sentence: str) -> None:
    """No title runs in the browser of a service desk, and none commands its printer."""
    part = Part(heading=title, rows=((title, said),), sentences=(sentence,), code=said)
    sheet = Sheet(
        language="de", title="t", place=title, rows=((said, title),), parts=(part,), foot=sentence
    )
    harmless = Sheet(
        language="de",
        title="t",
        place="p",
        rows=(("r", "s"),),
        parts=(Part(heading="h", rows=(("r", "s"),), sentences=("x",), code="c"),),
        foot="f",
    )
    for paper in Paper:
        assert Read(page_of(sheet, paper)).tags == Read(page_of(harmless, paper)).tags
    for line in slip_of(sheet).removesuffix("\n").split("\n"):
        assert len(line) <= COLUMNS
        assert line.isprintable()
        assert line.encode("cp858").decode("cp858") == line


@pytest.mark.parametrize("paper", Paper)
def test_the_page_may_load_and_run_nothing(paper: Paper) -> None:
    """Its own style is named by hash; everything else is forbidden, also without the headers."""
    sheet = Sheet(language="en", title="t", place="p", rows=(), parts=(), foot="f")
    policy = page_headers(paper)["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    page = page_of(sheet, paper)
    assert policy.split(";")[1].strip().split("'")[1] in page
    assert "script" not in page
    assert "src=" not in page
