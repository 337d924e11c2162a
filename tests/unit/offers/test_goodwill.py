"""Goodwill: points on the spot for who shows the card, bounded a grant and a day, and audited."""

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.people.issue_credential import issue_credential
from offers.handlers.till.grant_goodwill import grant_goodwill
from offers.model.audit import AuditAction
from offers.model.errors import InvalidShopper
from offers.model.loyalty.goodwill import Goodwill, GoodwillLimits, GoodwillReason, GoodwillRefusal
from offers.model.loyalty.ledger import POINTS
from offers.model.loyalty.points import Earned
from offers.model.people.shopper import Credential, Role
from rtls.model.units import UnixMs
from tests.unit.offers.shop import SITE, Shop
from tests.unit.offers.till import NOON_MS, Till

LIMITS = GoodwillLimits(points_a_grant_max=60, points_a_day_max=100)
HALF_A_MINUTE_MS = 30_000
DAY_MS = 86_400_000


def staff(shop: Shop) -> Credential:
    issued = issue_credential(
        Role.STORE_ADMIN, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets, site=SITE
    )
    return issued.credential


def grant(till: Till, card: str, points: int, *, by: Credential, day: str = "2023-11-14"):
    return grant_goodwill(
        Goodwill(card=card, points=points, reason=GoodwillReason.LONG_WAIT, site=SITE),
        by=by,
        day=day,
        work=till.shop.work,
        now_ms=UnixMs(till.now_ms),
        secrets=till.shop.secrets,
        limits=LIMITS,
    )


def test_points_can_be_spent_at_once_and_the_audit_says_who_granted_them(shop: Shop) -> None:
    """A cashier who apologises must be able to do so now, and to answer for it later."""
    till, anna, cashier = Till(shop=shop), shop.shopper(tag=None), staff(shop)
    granted = grant(till, till.scan(anna), 50, by=cashier)
    assert isinstance(granted, Earned)
    wallet = shop.work.ledger.wallet_of(anna, POINTS)
    assert wallet is not None
    [lot] = shop.work.ledger.begin_change(wallet).lots
    assert (lot.open_minor, lot.active_at_ms) == (50, NOON_MS)
    entry = shop.work.audit.head()
    assert entry is not None
    assert (entry.action, entry.actor_ref) == (AuditAction.GOODWILL_GRANTED, cashier.credential)
    assert anna not in (entry.subject, entry.details)


def test_a_code_is_taken_once(shop: Shop) -> None:
    """A photograph of somebody's card is worth nothing after its owner has shown it."""
    till, cashier = Till(shop=shop), staff(shop)
    code = till.scan(shop.shopper(tag=None))
    assert isinstance(grant(till, code, 10, by=cashier), Earned)
    assert grant(till, code, 10, by=cashier) is GoodwillRefusal.CARD_NOT_VALID
    assert grant(till, "nonsense", 10, by=cashier) is GoodwillRefusal.CARD_NOT_VALID


def test_a_key_grants_so_much_a_day_and_no_more(shop: Shop) -> None:
    """Friends of the cashier come every day; the till next door has a limit of its own."""
    till, anna = Till(shop=shop), shop.shopper(tag=None)
    cashier, other = staff(shop), staff(shop)

    def try_it(points: int, by: Credential, day: str = "2023-11-14"):
        till.now_ms += HALF_A_MINUTE_MS
        return grant(till, till.scan(anna), points, by=by, day=day)

    assert try_it(61, cashier) is GoodwillRefusal.ABOVE_GRANT_LIMIT
    assert isinstance(try_it(60, cashier), Earned)
    assert try_it(41, cashier) is GoodwillRefusal.DAY_LIMIT_REACHED
    assert isinstance(try_it(40, cashier), Earned)
    assert try_it(1, cashier) is GoodwillRefusal.DAY_LIMIT_REACHED
    assert isinstance(try_it(60, other), Earned)
    assert isinstance(try_it(60, cashier, day="2023-11-15"), Earned)


def test_old_days_are_forgotten(shop: Shop) -> None:
    """What grows for ever fills every disk."""
    till, cashier = Till(shop=shop), staff(shop)
    assert isinstance(grant(till, till.scan(shop.shopper(tag=None)), 60, by=cashier), Earned)
    expire_overdue(work=shop.work, now_ms=UnixMs(NOON_MS + 399 * DAY_MS))
    assert not shop.work.goodwill.take(
        cashier.credential, day="2023-11-14", points=41, points_max=100
    )
    expire_overdue(work=shop.work, now_ms=UnixMs(NOON_MS + 402 * DAY_MS))
    assert shop.work.goodwill.take(cashier.credential, day="2023-11-14", points=41, points_max=100)


@pytest.mark.parametrize("points", [0, -1, True, 1_000_001])
def test_points_are_a_sound_number(points: int) -> None:
    """A negative goodwill would be a theft."""
    with pytest.raises(InvalidShopper, match="points is"):
        Goodwill(card="c", points=points, reason=GoodwillReason.THANKS, site=SITE)


def test_limits_that_contradict_themselves_are_refused() -> None:
    """A grant above the day's limit could never be made."""
    with pytest.raises(InvalidShopper, match="a grant <= a day"):
        GoodwillLimits(points_a_grant_max=10, points_a_day_max=9)
