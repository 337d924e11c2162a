"""Tills without a line: what they can check by themselves, and how their deeds are booked later."""

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.checkout.offline_coupon import (
    CLOCK_AHEAD_MS_MAX,
    key_id_of,
    parse_offline_coupon,
    public_key_of,
    render_offline_coupon,
)
from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.till.book_offline import book_offline
from offers.handlers.till.offline_keys import offline_keys, sign_coupon
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.campaigns.benefit import MoneyOff, PercentOff, Scope
from offers.model.campaigns.budget import BudgetKey
from offers.model.campaigns.campaign import Budget
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import InvalidBasket, InvalidCode, NotFound, WrongState
from offers.model.money import Money
from offers.model.offering.coupon import CouponState
from offers.model.till.offline_coupon import (
    OfflineCoupon,
    OfflineItem,
    OfflineOutcome,
    OfflineReason,
)
from offers.model.till.redemption import Discount, Redemption
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import (
    MINUTE_MS,
    SITE,
    START_MS,
    TILL,
    TWO_EURO,
    Shop,
    basket,
    campaign,
    checkout,
)

SEED = bytes(range(32))
KEY = public_key_of(SEED)
KEYS = {key_id_of(KEY): KEY}
NOON_MS = UnixMs(START_MS + 10 * MINUTE_MS)
LATER_MS = UnixMs(NOON_MS + 60 * MINUTE_MS)
COUPON = OfflineCoupon(
    coupon="a" * 32,
    campaign="dowels",
    site=SITE,
    benefit=TWO_EURO,
    stacking=StackingClass.COMBINABLE,
    issued_at_ms=START_MS,
    expires_at_ms=LATER_MS,
)
SIGNED = render_offline_coupon(COUPON, seed=SEED)


def test_a_till_reads_what_we_have_signed_and_nothing_else() -> None:
    """With the public key alone; it can sign nothing itself."""
    assert parse_offline_coupon(SIGNED, keys=KEYS) == COUPON
    forged = render_offline_coupon(COUPON, seed=bytes(32)).split(".")
    forged[1] = key_id_of(KEY)
    with pytest.raises(InvalidCode, match="signature is not good"):
        parse_offline_coupon(".".join(forged), keys=KEYS)
    with pytest.raises(InvalidCode, match="one of the keys"):
        parse_offline_coupon(SIGNED, keys={})


def test_a_coupon_made_worth_more_is_not_taken() -> None:
    """Whoever changes 2 to 200 euro changes what is signed."""
    parts = SIGNED.split(".")
    payload = json.loads(base64.urlsafe_b64decode(parts[2] + "=="))
    payload["b"]["amount"]["amount_minor"] = 20_000
    parts[2] = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidCode, match="signature is not good"):
        parse_offline_coupon(".".join(parts), keys=KEYS)


def test_a_benefit_too_long_for_a_qr_code_is_refused_when_it_is_signed() -> None:
    """A code that no scanner reads would be found out at the till."""
    many = Scope(skus=frozenset(f"400000000{n:04d}" for n in range(200)))
    long = OfflineCoupon(
        **{f: getattr(COUPON, f) for f in OfflineCoupon.__slots__ if f != "benefit"},
        benefit=PercentOff(percent=5, applies_to=many),
    )
    with pytest.raises(WrongState, match="too many items"):
        render_offline_coupon(long, seed=SEED)


@given(st.data())
def test_whatever_is_scanned_gives_a_coupon_or_our_error(data) -> None:
    """No other exception leaves the parser, however the text is damaged."""
    start = data.draw(st.integers(0, len(SIGNED)))
    end = data.draw(st.integers(start, len(SIGNED)))
    damage = data.draw(st.text("IC1.-_=aZ0é", max_size=6))
    text = SIGNED[:start] + damage + SIGNED[end:]
    with suppress(InvalidCode):
        assert parse_offline_coupon(text, keys=KEYS) == COUPON


class Offline:
    """A shopper with a signed coupon, and tills that take it."""

    def __init__(self, shop: Shop, **changes) -> None:
        self.shop = shop
        shop.start(campaign(**changes))
        self.code = shop.code_in_hand()
        pairing = shop.work.pairings.open_of_tag("tag:1")
        assert pairing is not None
        self.shopper = pairing.shopper
        card = shop.offer_of(self.shopper)
        assert card is not None
        assert card.coupon is not None
        self.coupon = card.coupon
        self.text, _ = sign_coupon(
            self.shopper,
            self.coupon.coupon,
            work=shop.work,
            now_ms=NOON_MS,
            secrets=shop.secrets,
        )

    def book(
        self,
        reference: str = "r1",
        *,
        text: str | None = None,
        off_minor: int = 200,
        redeemed_at_ms: int = NOON_MS,
        now_ms: int = LATER_MS,
        till: str = TILL,
        site: SiteId = SITE,
    ) -> OfflineOutcome:
        item = OfflineItem(
            reference=reference,
            signed=self.text if text is None else text,
            redeemed_at_ms=UnixMs(redeemed_at_ms),
            basket=basket(1_000),
            discount=Discount(currency="EUR", lines_minor=(off_minor,)),
        )
        return book_offline(
            item,
            site=site,
            till=till,
            work=self.shop.work,
            now_ms=UnixMs(now_ms),
            secrets=self.shop.secrets,
        )


def test_what_a_till_took_is_booked_once_however_often_it_is_told(shop: Shop) -> None:
    """The line comes back in the middle of the batch, and the batch comes again."""
    offline = Offline(shop)
    assert parse_offline_coupon(offline.text, keys=offline_keys(shop.secrets)).benefit == TWO_EURO
    outcome = offline.book()
    assert outcome.redemption is not None
    assert outcome.reasons == ()
    assert offline.book() == outcome
    assert shop.used(offline.coupon.campaign) == 1
    found = shop.work.coupons.find(offline.coupon.coupon)
    assert found is not None
    assert found.state is CouponState.REDEEMED


def test_the_second_till_is_told_of_the_first(shop: Shop) -> None:
    """A screenshot at two tills without a line: first come wins, the other names both."""
    offline = Offline(shop)
    first = offline.book("r1", till="till-1")
    second = offline.book("r2", till="till-2", redeemed_at_ms=NOON_MS - 1)
    assert (second.redemption, second.reasons) == (None, (OfflineReason.COUPON_USED,))
    assert second.first is not None
    assert (second.first.redemption, second.first.till) == (first.redemption, "till-1")
    assert (second.reference, second.first.reference) == ("r2", "r1")
    assert shop.used(offline.coupon.campaign) == 1
    report = shop.work.offline_items.conflicts(SITE, after=0, limit=9)
    assert [(till, outcome) for _, till, outcome in report] == [("till-2", second)]


def test_a_coupon_used_on_line_before_is_a_conflict_and_after_is_refused(shop: Shop) -> None:
    """Both ways round, one redemption."""
    offline = Offline(shop)
    used = redeem_coupon(
        checkout(offline.code), work=shop.work, now_ms=NOON_MS, secrets=shop.secrets
    )
    assert isinstance(used, Redemption)
    outcome = offline.book()
    assert outcome.reasons == (OfflineReason.COUPON_USED,)
    assert outcome.first is not None
    assert (outcome.first.redemption, outcome.first.reference) == (used.redemption, None)


def test_a_budget_that_does_not_suffice_is_overdrawn_and_told_so(shop: Shop) -> None:
    """The goods are gone: refusing would only hide it. The cap itself stays true."""
    offline = Offline(shop, budget=Budget(redemptions_max=1, is_reserved=False))
    other = shop.code_in_hand("tag:2", at_ms=NOON_MS + MINUTE_MS)
    redeem_coupon(checkout(other), work=shop.work, now_ms=LATER_MS, secrets=shop.secrets)
    outcome = offline.book()
    assert outcome.redemption is not None
    assert outcome.reasons == (OfflineReason.BUDGET_OVERDRAWN,)
    state = shop.work.budgets.state_of(BudgetKey(site=SITE, campaign=offline.coupon.campaign))
    assert state is not None
    assert (state.cap, state.used, state.overdrawn) == (1, 1, 1)


def test_what_was_used_in_time_is_booked_although_it_has_expired_since(shop: Shop) -> None:
    """The batch comes a day later, and the sweep was faster."""
    offline = Offline(shop)
    tomorrow = UnixMs(offline.coupon.expires_at_ms + 1)
    expire_overdue(work=shop.work, now_ms=tomorrow)
    assert offline.book(now_ms=tomorrow).redemption is not None
    assert shop.used(offline.coupon.campaign) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"redeemed_at_ms": LATER_MS + CLOCK_AHEAD_MS_MAX + 1}, OfflineReason.CLOCK_AHEAD),
        ({"redeemed_at_ms": START_MS}, OfflineReason.OUTSIDE_VALIDITY),
        ({"redeemed_at_ms": NOON_MS + 86_400_000, "now_ms": NOON_MS + 10**9}, None),
        ({"site": SiteId("elsewhere")}, OfflineReason.COUPON_FOREIGN),
        ({"text": SIGNED}, OfflineReason.SIGNATURE_INVALID),
        ({"text": "a tin of paint"}, OfflineReason.SIGNATURE_INVALID),
    ],
)
def test_what_should_not_have_been_taken_is_written_down_with_its_reason(
    shop: Shop, changes, reason: OfflineReason | None
) -> None:
    """Nothing is booked, nothing is lost, and somebody can ask the till why."""
    outcome = Offline(shop).book(**changes)
    assert outcome.redemption is None
    assert outcome.reasons == (reason or OfflineReason.OUTSIDE_VALIDITY,)
    site = changes.get("site", SITE)
    assert len(shop.work.offline_items.conflicts(site, after=0, limit=9)) == 1


def test_a_till_that_gave_more_than_the_coupon_grants_is_told_so(shop: Shop) -> None:
    """A bug in the till's own reckoning is found on the first evening."""
    outcome = Offline(shop, benefit=MoneyOff(amount=Money(amount_minor=150, currency="EUR"))).book()
    assert outcome.redemption is not None
    assert outcome.reasons == (OfflineReason.DISCOUNT_TOO_HIGH,)


def test_a_discount_above_the_price_is_refused_by_name(shop: Shop) -> None:
    """No till can have given it; the batch is malformed."""
    with pytest.raises(InvalidBasket, match="item r1: discount_lines_minor"):
        Offline(shop).book(off_minor=1_001)


def test_a_coupon_of_another_is_not_signed(shop: Shop) -> None:
    """An id is no right."""
    offline = Offline(shop)
    ben = shop.shopper(tag="tag:9")
    with pytest.raises(NotFound):
        sign_coupon(
            ben, offline.coupon.coupon, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets
        )
