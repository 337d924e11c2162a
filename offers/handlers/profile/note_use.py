"""Note that a shopper has opened the app, or scanned a product with it.

Layer: flow. Takes: a shopper, at a site. Gives: facts that conditions count, and what a scan earns.
Both stand on `personalise`. An app is open once a day, a product is scanned once a day, and of
products so many a day: a phone that repeats itself makes no profile of it.
"""

from dataclasses import dataclass
from typing import Final

from offers.decision.schedule import wall_time
from offers.handlers.loyalty.earn_points import earn_for_activity
from offers.handlers.offering.decide_moment import rules_of
from offers.handlers.profile.note_fact import note_facts
from offers.model.conditions.fact import Fact, FactKind
from offers.model.conditions.shopper_facts import FactNeeds
from offers.model.ids import ShopperId
from offers.model.loyalty.ledger import PostingReason
from offers.model.loyalty.points import Earned
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

PRODUCTS_A_DAY_MAX: Final = 50
_OF_TODAY: Final = FactNeeds(days={FactKind.SCAN: 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductScan:
    """What was scanned."""

    sku: str
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanNoted:
    """What came of a scan."""

    is_new: bool
    """False: known from today, too many today, or without `personalise`"""
    earned: tuple[Earned, ...] = ()


def note_app_opened(shopper: ShopperId, site: SiteId, *, work: UnitOfWork, now_ms: UnixMs) -> bool:
    """Note that the app was opened; True for the first time on this day of the site."""
    day = _day(site, work=work, now_ms=now_ms)
    fact = Fact(kind=FactKind.LOGIN, reference=f"{site}:{day}", at_ms=now_ms, site=site)
    return note_facts(shopper, (fact,), work=work, now_ms=now_ms) == 1


def note_product_scan(
    shopper: ShopperId,
    scan: ProductScan,
    site: SiteId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> ScanNoted:
    """Note that a product was scanned, and post what the programme grants for it.

    Parameters
    ----------
    shopper, scan, site
        Who scanned what where.
    work, now_ms, secrets
        The transaction, the time, the source of a new wallet's name.
    """
    day = _day(site, work=work, now_ms=now_ms)
    known = work.facts.of_shopper(shopper, _OF_TODAY, site=site, as_of_ms=now_ms)
    past = () if known is None else known.past.get(FactKind.SCAN, ())
    if sum(fact.reference.startswith(f"{day}:") for fact in past) >= PRODUCTS_A_DAY_MAX:
        return ScanNoted(is_new=False)
    fact = Fact(
        kind=FactKind.SCAN,
        reference=f"{day}:{site}:{scan.sku}",
        at_ms=now_ms,
        site=site,
        category=scan.category,
        sku=scan.sku,
    )
    if not note_facts(shopper, (fact,), work=work, now_ms=now_ms):
        return ScanNoted(is_new=False)
    earned = earn_for_activity(
        shopper,
        PostingReason.SCAN,
        subject=scan.sku,
        site=site,
        work=work,
        now_ms=now_ms,
        secrets=secrets,
    )
    return ScanNoted(is_new=True, earned=earned)


def _day(site: SiteId, *, work: UnitOfWork, now_ms: UnixMs) -> str:
    return wall_time(now_ms, rules_of(site, work=work).zone).day.isoformat()
