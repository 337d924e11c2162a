"""Make the document by which a partner is asked for its share, and correct one by another.

Layer: flow. Takes: a partner, whole days of the site; money that both agreed on. Gives: a
`Settlement`, or a `SettlementRefusal`. Nothing is counted twice: a period overlaps no other, the
same period again counts what lies behind the last entry that was counted, and two documents at
once would have the same number, which the key of the table gives to one.
"""

from collections.abc import Sequence

from offers.handlers.note_audit import note_audit
from offers.handlers.random_id import random_id
from offers.model.audit import Actor, AuditAction
from offers.model.campaigns.budget import BudgetKey
from offers.model.campaigns.funding import PartnerId
from offers.model.campaigns.settlement import (
    CorrectionLine,
    Period,
    Settlement,
    SettlementKind,
    SettlementLine,
    SettlementRefusal,
)
from offers.model.errors import Busy, InvalidCampaign, NotFound
from offers.model.ids import TransactionId
from offers.model.loyalty.funding_entry import (
    Funded,
    FundingEntry,
    FundingKind,
    FundingReason,
    postings_of,
)
from offers.model.loyalty.ledger import LedgerUnit
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

BY_ITSELF = (FundingKind.FUND, FundingKind.TAKE_BACK)


def settle_partner(
    partner: PartnerId,
    period: Period,
    *,
    site: SiteId,
    by: Actor,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> Settlement | SettlementRefusal:
    """Write down what the period brought; for one that is settled, what was posted late.

    Parameters
    ----------
    partner, period
        Whom it is for, and which days it counts.
    site, by
        Of whose campaigns, and who asks.
    work, now_ms
        The transaction and the time.

    Raises `NotFound` as `check_partner` does, and `Busy` if another document came between.
    """
    check_partner(partner, site=site, work=work)
    from_ms, until_ms = period.bounds_ms(work.sites.budgets(site).time_zone)
    if now_ms < until_ms:
        return SettlementRefusal.PERIOD_OPEN
    earlier = work.partners.overlapping(site, partner, from_ms=from_ms, until_ms=until_ms)
    if any((one.from_ms, one.until_ms) != (from_ms, until_ms) for one in earlier):
        return SettlementRefusal.PERIOD_OVERLAPS
    after = max((one.through_sequence for one in earlier), default=0)
    through = work.partners.head_sequence()
    lines = work.partners.lines_of(
        site,
        partner,
        BY_ITSELF,
        from_ms=from_ms,
        until_ms=until_ms,
        after_sequence=after,
        through_sequence=through,
    )
    if earlier and not lines:
        return SettlementRefusal.NOTHING_NEW
    settlement = Settlement(
        site=site,
        partner=partner,
        number=work.partners.last_number(site, partner) + 1,
        kind=SettlementKind.SUPPLEMENT if earlier else SettlementKind.PERIOD,
        corrects=earlier[0].number if earlier else None,
        period=period,
        from_ms=from_ms,
        until_ms=until_ms,
        after_sequence=after,
        through_sequence=through,
        made_at_ms=now_ms,
        lines=lines,
    )
    _add(settlement, by=by, work=work)
    return settlement


def correct_settlement(
    partner: PartnerId,
    number: int,
    lines: Sequence[CorrectionLine],
    *,
    site: SiteId,
    by: Actor,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Settlement:
    """Move the money that both agreed on, and write a document of it; the wrong one stays.

    Parameters
    ----------
    partner, number
        Which document was wrong.
    lines
        What is moved: one line for each campaign, of those that the partner pays for.
    site, by
        Of whose campaigns, and who asks.
    work, now_ms, secrets
        The transaction, the time, the source of names.

    Raises `Busy` if another document came between.

    Raises
    ------
    NotFound
        If there is no such document, or a campaign is none of the partner's.
    InvalidCampaign
        If a campaign is named twice.
    """
    named = [(line.campaign, line.currency) for line in lines]
    if len(set(named)) < len(named):
        raise InvalidCampaign("lines names a campaign twice; expected the sum of both, once.")
    wrong = work.partners.settlement(site, partner, number)
    if wrong is None:
        raise NotFound("no such settlement; expected one of the partner at the key's own site.")
    for line in lines:
        _check_paid_for(line, partner, site=site, work=work)
    before = work.partners.head_sequence()
    for line in lines:
        _move(line, partner, site=site, work=work, now_ms=now_ms, secrets=secrets)
    correction = Settlement(
        site=site,
        partner=partner,
        number=work.partners.last_number(site, partner) + 1,
        kind=SettlementKind.CORRECTION,
        corrects=number,
        period=wrong.period,
        from_ms=wrong.from_ms,
        until_ms=wrong.until_ms,
        after_sequence=before,
        through_sequence=work.partners.head_sequence(),
        made_at_ms=now_ms,
        lines=tuple(
            SettlementLine(
                campaign=line.campaign,
                currency=line.currency,
                charged_minor=max(line.amount_minor, 0),
                taken_back_minor=max(-line.amount_minor, 0),
            )
            for line in lines
        ),
    )
    _add(correction, by=by, work=work)
    return correction


def check_partner(partner: PartnerId, *, site: SiteId, work: UnitOfWork) -> None:
    """Refuse a partner that has nothing to do with the site.

    Raises
    ------
    NotFound
        If no campaign of the site names it, and none ever cost it anything.
    """
    if work.partners.is_known(site, partner):
        return
    fundings = [campaign.revision.funding for campaign in work.campaigns.of_site(site)]
    named = {one.partner for funding in fundings if funding for one in funding.partners}
    if partner not in named:
        raise NotFound("no such partner; expected one that a campaign of the key's site names.")


def _check_paid_for(
    line: CorrectionLine, partner: PartnerId, *, site: SiteId, work: UnitOfWork
) -> None:
    key = BudgetKey(site=site, campaign=line.campaign, partner=partner, unit=line.currency)
    if work.budgets.state_of(key) is None:
        raise NotFound(f"campaign {line.campaign}: the partner pays no {line.currency} for it.")


def _move(
    line: CorrectionLine,
    partner: PartnerId,
    *,
    site: SiteId,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> None:
    # The bound stays as it is: it counts what redemptions cost, and this is agreed on beside them.
    funded = Funded(site=site, campaign=line.campaign, currency=LedgerUnit(line.currency))
    entry = FundingEntry(
        transaction=TransactionId(random_id(secrets)),
        funded=funded,
        kind=FundingKind.CORRECT,
        reason=FundingReason.CORRECTION,
        postings=postings_of(funded, {partner: line.amount_minor}, -line.amount_minor),
        at_ms=now_ms,
    )
    work.partners.post(entry)


def _add(settlement: Settlement, *, by: Actor, work: UnitOfWork) -> None:
    if not work.partners.add_settlement(settlement):
        raise Busy(f"settlement {settlement.number} has just been made by another. Try again.")
    note_audit(
        AuditAction.PARTNER_SETTLED,
        subject=f"{settlement.site}/{settlement.partner}/{settlement.number}",
        by=by,
        details={"kind": settlement.kind.value, **settlement.totals_minor},
        work=work,
        now_ms=settlement.made_at_ms,
    )
