"""Show a store admin what a shopper's card stands for, to help who stands at the service desk.

Layer: flow. Takes: a shopper's id, or the code of a card that is shown. Gives: a `ShopperView` to
the API, and an entry of the audit that it was looked at. No position, no purchase, nothing that was
said: a case is counted and not shown, since who answers it must not know who wrote it.
"""

from dataclasses import dataclass
from typing import Final

from offers.handlers.loyalty.review_tiers import standing_of
from offers.handlers.note_audit import note_audit, shopper_pseudonym
from offers.handlers.till.reveal_card import scanned_card
from offers.model.audit import Actor, AuditAction
from offers.model.errors import NotFound
from offers.model.ids import ShopperId
from offers.model.loyalty.ledger import Wallet
from offers.model.loyalty.segment import Membership
from offers.model.loyalty.tier import TierStanding
from offers.model.offering.refusal import TillRefusal
from offers.model.people.service_case import CaseState
from offers.model.people.shopper import Credential, Shopper
from offers.model.people.suspension import Suspension
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

LOOKED_AT_MAX: Final = 100
UNKNOWN: Final = "no such shopper; expected the id of one who has been to this site."


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ShopperView:
    """What a store admin may see of one shopper. Not printed by `repr`."""

    shopper: Shopper
    wallets: tuple[Wallet, ...]
    standing: TierStanding | None
    """None where the site has no tiers"""
    membership: Membership | None
    suspension: Suspension | None
    open_cases: int


def look_up_shopper(
    shopper: ShopperId,
    *,
    by: Credential,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> ShopperView:
    """Return what there is to see of a shopper who has been to the caller's site.

    Raises
    ------
    NotFound
        If there is none, or only elsewhere.
    """
    assert by.site is not None
    found = work.shoppers.find(shopper)
    if found is None or not _is_known_at(shopper, by.site, work=work):
        raise NotFound(UNKNOWN)
    return _view(found, how="id", by=by, work=work, now_ms=now_ms, secrets=secrets)


def look_up_card(
    code: str,
    *,
    by: Credential,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> ShopperView | TillRefusal:
    """Return the same of who shows the card; its code is taken, as each is once."""
    scanned = scanned_card(code, work=work, now_ms=now_ms, secrets=secrets)
    if scanned is None or not work.cards.take(scanned.shopper, scanned.step):
        return TillRefusal.CARD_NOT_VALID
    found = work.shoppers.find(scanned.shopper)
    assert found is not None
    return _view(found, how="card", by=by, work=work, now_ms=now_ms, secrets=secrets)


def _view(
    found: Shopper,
    *,
    how: str,
    by: Credential,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> ShopperView:
    site, shopper = by.site, found.shopper
    assert site is not None
    note_audit(
        AuditAction.SHOPPER_LOOKED_UP,
        subject=shopper_pseudonym(shopper, secrets=secrets),
        by=Actor.of(by),
        details={"site": site, "how": how},
        work=work,
        now_ms=now_ms,
    )
    cases = work.cases.of_shopper(shopper, limit=LOOKED_AT_MAX)
    return ShopperView(
        shopper=found,
        wallets=work.ledger.wallets_of(shopper),
        standing=standing_of(shopper, site, work=work, now_ms=now_ms),
        membership=work.memberships.current(shopper, site),
        suspension=work.suspensions.open_of(shopper),
        open_cases=sum(case.site == site and case.state is not CaseState.CLOSED for case in cases),
    )


def _is_known_at(shopper: ShopperId, site: SiteId, *, work: UnitOfWork) -> bool:
    """Say whether anything is stored of the shopper at this site; else he is another site's."""
    suspension = work.suspensions.open_of(shopper)
    return (
        work.segments.review_of(shopper, site) is not None
        or work.memberships.current(shopper, site) is not None
        or work.tiers.tier_of(shopper, site) is not None
        or (suspension is not None and suspension.site == site)
        or any(one.site == site for one in work.decisions.of_shopper(shopper, limit=LOOKED_AT_MAX))
        or any(one.site == site for one in work.cases.of_shopper(shopper, limit=LOOKED_AT_MAX))
    )
