"""Keep who bears the cost of campaigns, and the settlements about it, in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Partners`. Entries
stand in the tables of the ledger, where the account of the campaign's cost takes the place of the
wallet; what a return may still take back is one conditional UPDATE there. A settlement counts what
the ledger says by its sequence numbers, and its number is the key that one of two at once gets.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from offers.model.campaigns.funding import PartnerId
from offers.model.campaigns.settlement import Settlement, SettlementLine
from offers.model.errors import Busy
from offers.model.ids import CampaignId, RedemptionId, TransactionId
from offers.model.loyalty.funding_entry import (
    Funded,
    FundedCost,
    FundingEntry,
    FundingKind,
    FundingReason,
)
from offers.model.loyalty.ledger import AccountId, AccountKind, LedgerUnit
from offers.storage.insert_once import insert_once
from offers.storage.ledger_rows import row_of_account
from offers.storage.settlement_rows import line_of_row, row_of_settlement, settlement_of_rows
from offers.storage.tables import (
    FUNDED_LINES,
    LEDGER_ACCOUNTS,
    LEDGER_POSTINGS,
    LEDGER_REFERENCES,
    LEDGER_TRANSACTIONS,
    PARTNER_SETTLEMENT_LINES,
    PARTNER_SETTLEMENTS,
)
from rtls.model.units import SiteId, UnixMs

_A = LEDGER_ACCOUNTS.c
_T = LEDGER_TRANSACTIONS.c
_P = LEDGER_POSTINGS.c
_R = LEDGER_REFERENCES.c
_S = PARTNER_SETTLEMENTS.c
_L = PARTNER_SETTLEMENT_LINES.c
_AMOUNT = sa.bindparam("amount", type_=sa.BigInteger)
_COUNT_REVERSED = (
    sa.update(LEDGER_REFERENCES)
    .where(_R.transaction_id == sa.bindparam("reversed"), _R.left_minor >= _AMOUNT)
    .values(left_minor=_R.left_minor - _AMOUNT)
)
_FUNDED = (
    sa.select(_T.transaction_id, _T.reason, _A.site, _A.campaign_id, _A.unit)
    .join_from(LEDGER_REFERENCES, LEDGER_TRANSACTIONS, _T.transaction_id == _R.transaction_id)
    .join(LEDGER_ACCOUNTS, _A.account_id == _T.wallet_id)
    .where(
        _R.kind == FundingKind.FUND.value,
        _R.unit == sa.bindparam("of_unit"),
        _R.reference == sa.bindparam("of_reference"),
    )
)
# What an entry put on each bearer, less what later ones have taken back.
_BORNE = (
    sa.select(_A.kind, _A.partner, sa.func.sum(_P.amount_minor).label("left_minor"))
    .join_from(LEDGER_POSTINGS, LEDGER_TRANSACTIONS, _T.transaction_id == _P.transaction_id)
    .join(LEDGER_ACCOUNTS, _A.account_id == _P.account_id)
    .where(
        sa.or_(
            _T.transaction_id == sa.bindparam("transaction"),
            _T.reverses == sa.bindparam("transaction"),
        ),
        _A.kind != AccountKind.CAMPAIGN.value,
    )
    .group_by(_A.account_id, _A.kind, _A.partner)
    .order_by(_A.account_id)
)
_BALANCE = sa.select(sa.func.coalesce(sa.func.sum(_P.amount_minor), 0)).where(
    _P.account_id == sa.bindparam("account")
)
_HEAD = sa.select(sa.func.coalesce(sa.func.max(_T.sequence), 0))
_IS_PARTNER = sa.and_(_A.site == sa.bindparam("at_site"), _A.partner == sa.bindparam("who"))
_KNOWN = sa.select(_A.account_id).where(_IS_PARTNER).limit(1)
_ZERO = sa.literal(0, sa.BigInteger)
_LINES = (
    sa.select(
        _A.campaign_id,
        _A.unit.label("currency"),
        sa.func.sum(sa.case((_P.amount_minor > 0, _P.amount_minor), else_=_ZERO)).label(
            "charged_minor"
        ),
        sa.func.sum(sa.case((_P.amount_minor < 0, -_P.amount_minor), else_=_ZERO)).label(
            "taken_back_minor"
        ),
    )
    .join_from(LEDGER_ACCOUNTS, LEDGER_POSTINGS, _P.account_id == _A.account_id)
    .join(LEDGER_TRANSACTIONS, _T.transaction_id == _P.transaction_id)
    .where(
        _IS_PARTNER,
        _T.kind.in_(sa.bindparam("kinds", expanding=True)),
        _T.at_ms >= sa.bindparam("from_ms"),
        _T.at_ms < sa.bindparam("until_ms"),
        _T.sequence > sa.bindparam("after"),
        _T.sequence <= sa.bindparam("through"),
    )
    .group_by(_A.campaign_id, _A.unit)
    .order_by(_A.campaign_id, _A.unit)
)
_MINE = sa.and_(_S.site == sa.bindparam("at_site"), _S.partner == sa.bindparam("who"))
_SETTLEMENTS = (
    sa.select(PARTNER_SETTLEMENTS)
    .where(_MINE, _S.number > sa.bindparam("after"))
    .order_by(_S.number)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_SETTLEMENT = sa.select(PARTNER_SETTLEMENTS).where(_MINE, _S.number == sa.bindparam("nth"))
_OVERLAPPING = (
    sa.select(PARTNER_SETTLEMENTS)
    .where(
        _MINE,
        _S.kind != "correction",
        _S.from_ms < sa.bindparam("until_ms"),
        _S.until_ms > sa.bindparam("from_ms"),
    )
    .order_by(_S.number)
)
_LAST = sa.select(sa.func.coalesce(sa.func.max(_S.number), 0)).where(_MINE)
_LINES_OF_SETTLEMENT = (
    sa.select(PARTNER_SETTLEMENT_LINES)
    .where(
        _L.site == sa.bindparam("at_site"),
        _L.partner == sa.bindparam("who"),
        _L.number == sa.bindparam("nth"),
    )
    .order_by(_L.campaign_id, _L.currency)
)
_SEQUENCE_OF: Final = sa.select(_T.sequence).where(_T.transaction_id == sa.bindparam("transaction"))
_WORTH = sa.select(FUNDED_LINES.c.line, FUNDED_LINES.c.worth_minor).where(
    FUNDED_LINES.c.redemption_id == sa.bindparam("redemption")
)


class SqlPartners:
    """What partners bear, and what they have been asked for."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        dialect = connection.dialect.name
        self._insert_account = insert_once(LEDGER_ACCOUNTS, dialect)
        self._insert_reference = insert_once(LEDGER_REFERENCES, dialect)
        self._insert_settlement = insert_once(PARTNER_SETTLEMENTS, dialect)

    def post(self, entry: FundingEntry) -> int:
        """Write an entry into the book; return its sequence number."""
        accounts = [entry.funded.whole, *(posting.account for posting in entry.postings)]
        self._connection.execute(self._insert_account, [row_of_account(one) for one in accounts])
        self._connection.execute(sa.insert(LEDGER_TRANSACTIONS), _row_of_entry(entry))
        if entry.reference is not None:
            row = {
                "kind": entry.kind.value,
                "unit": entry.funded.currency,
                "reference": entry.reference,
                "transaction_id": entry.transaction,
                "amount_minor": entry.amount_minor,
                "left_minor": entry.amount_minor,
            }
            self._check(self._insert_reference, row, what=f"the reference {entry.reference!r}")
        self._connection.execute(
            sa.insert(LEDGER_POSTINGS),
            [
                {
                    "transaction_id": entry.transaction,
                    "account_id": posting.account.account,
                    "amount_minor": posting.amount_minor,
                }
                for posting in entry.postings
            ],
        )
        if entry.reverses is not None:
            given = {"reversed": entry.reverses, "amount": entry.amount_minor}
            self._check(_COUNT_REVERSED, given, what=f"what is left of {entry.reverses}")
        given = {"transaction": entry.transaction}
        return int(self._connection.execute(_SEQUENCE_OF, given).scalar_one())

    def note_lines(self, redemption: RedemptionId, worth_minor: Sequence[int]) -> None:
        """Write what the points of each line of a redemption are worth."""
        rows = [
            {"redemption_id": redemption, "line": line, "worth_minor": minor}
            for line, minor in enumerate(worth_minor)
            if minor
        ]
        if rows:
            self._connection.execute(sa.insert(FUNDED_LINES), rows)

    def worth_of_lines(self, redemption: RedemptionId) -> Mapping[int, int]:
        """Return what points of lines were worth, by place; nothing where none were granted."""
        rows = self._connection.execute(_WORTH, {"redemption": redemption})
        return {row.line: row.worth_minor for row in rows}

    def cost_of(self, reference: str, currency: str) -> FundedCost | None:
        """Return what is left of the cost that the reference names, or None."""
        given = {"of_unit": currency, "of_reference": reference}
        row = self._connection.execute(_FUNDED, given).one_or_none()
        if row is None:
            return None
        borne = self._connection.execute(_BORNE, {"transaction": row.transaction_id}).all()
        return FundedCost(
            transaction=TransactionId(row.transaction_id),
            funded=Funded(
                site=SiteId(row.site),
                campaign=CampaignId(row.campaign_id),
                currency=LedgerUnit(row.unit),
            ),
            reason=FundingReason(row.reason),
            partners={
                PartnerId(one.partner): int(one.left_minor)
                for one in borne
                if one.partner is not None
            },
            retailer_minor=sum(int(one.left_minor) for one in borne if one.partner is None),
        )

    def balance_minor(self, account: AccountId) -> int:
        """Return the sum of all postings of an account."""
        return int(self._connection.execute(_BALANCE, {"account": account}).scalar_one())

    def is_known(self, site: SiteId, partner: PartnerId) -> bool:
        """Say whether the partner has ever borne anything at the site."""
        return self._connection.execute(_KNOWN, _of(site, partner)).one_or_none() is not None

    def head_sequence(self) -> int:
        """Return the number of the newest entry of the book, 0 where there is none."""
        return int(self._connection.execute(_HEAD).scalar_one())

    def lines_of(
        self,
        site: SiteId,
        partner: PartnerId,
        kinds: Sequence[FundingKind],
        *,
        from_ms: UnixMs,
        until_ms: UnixMs,
        after_sequence: int,
        through_sequence: int,
    ) -> tuple[SettlementLine, ...]:
        """Return what entries of these kinds put on the partner, by campaign and currency."""
        given = {
            **_of(site, partner),
            "kinds": [kind.value for kind in kinds],
            "from_ms": from_ms,
            "until_ms": until_ms,
            "after": after_sequence,
            "through": through_sequence,
        }
        return tuple(line_of_row(row) for row in self._connection.execute(_LINES, given))

    def add_settlement(self, settlement: Settlement) -> bool:
        """Write a document; False where its number has just been given to another."""
        row = row_of_settlement(settlement)
        if self._connection.execute(self._insert_settlement, row).rowcount == 0:
            return False
        lines = [
            {
                "site": settlement.site,
                "partner": settlement.partner,
                "number": settlement.number,
                "campaign_id": line.campaign,
                "currency": line.currency,
                "charged_minor": line.charged_minor,
                "taken_back_minor": line.taken_back_minor,
            }
            for line in settlement.lines
        ]
        if lines:
            self._connection.execute(sa.insert(PARTNER_SETTLEMENT_LINES), lines)
        return True

    def settlements(
        self, site: SiteId, partner: PartnerId, *, after: int, limit: int
    ) -> tuple[Settlement, ...]:
        """Return documents behind a number, the oldest first."""
        given = {**_of(site, partner), "after": after, "most": limit}
        return self._whole(self._connection.execute(_SETTLEMENTS, given).all())

    def settlement(self, site: SiteId, partner: PartnerId, number: int) -> Settlement | None:
        """Return one document, or None."""
        given = {**_of(site, partner), "nth": number}
        found = self._whole(self._connection.execute(_SETTLEMENT, given).all())
        return found[0] if found else None

    def overlapping(
        self, site: SiteId, partner: PartnerId, *, from_ms: UnixMs, until_ms: UnixMs
    ) -> tuple[Settlement, ...]:
        """Return the documents that count a part of a period, without those of agreed money."""
        given = {**_of(site, partner), "from_ms": from_ms, "until_ms": until_ms}
        return self._whole(self._connection.execute(_OVERLAPPING, given).all())

    def last_number(self, site: SiteId, partner: PartnerId) -> int:
        """Return the number of the newest document, 0 where there is none."""
        return int(self._connection.execute(_LAST, _of(site, partner)).scalar_one())

    def _whole(self, rows: Sequence[sa.Row[*tuple[object, ...]]]) -> tuple[Settlement, ...]:
        return tuple(
            settlement_of_rows(
                row,
                self._connection.execute(
                    _LINES_OF_SETTLEMENT,
                    {"at_site": row.site, "who": row.partner, "nth": row.number},
                ).all(),
            )
            for row in rows
        )

    def _check(
        self, step: sa.Update | sa.Insert, given: Mapping[str, object], *, what: str
    ) -> None:
        if self._connection.execute(step, given).rowcount != 1:
            raise Busy(f"{what} has just changed; expected what was read before. Try again.")


def _of(site: SiteId, partner: PartnerId) -> dict[str, object]:
    return {"at_site": site, "who": partner}


def _row_of_entry(entry: FundingEntry) -> dict[str, object]:
    return {
        "transaction_id": entry.transaction,
        "wallet_id": entry.funded.whole.account,
        "kind": entry.kind.value,
        "reason": entry.reason.value,
        "site": entry.funded.site,
        "amount_minor": entry.amount_minor,
        "debt_change_minor": 0,
        "at_ms": entry.at_ms,
        "reverses": entry.reverses,
    }
