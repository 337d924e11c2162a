"""Know from the tables themselves where a person's data lies: what is exported is what is erased.

Layer: edges. Takes: the metadata of all tables. Gives: the plan of export and erasure to
`SqlPersonalData`. A table reaches a shopper by its foreign keys, straight or through other tables.
Whatever does so is exported and erased without anybody writing a line for it. What differs is
declared here with its reason, and a test refuses a table that is neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import sqlalchemy as sa

from offers.model.outbox import OutboxKind
from offers.storage.tables import (
    ANSWERS,
    AUDIT,
    CREDENTIALS,
    ERASURES,
    FUNDED_LINES,
    LEDGER_ACCOUNTS,
    LEDGER_ALLOCATIONS,
    LEDGER_LOTS,
    LEDGER_POSTINGS,
    LEDGER_TRANSACTIONS,
    METADATA,
    OUTBOX,
    PROCESSED_EVENTS,
    PURCHASE_LINES,
    PURCHASE_REDEMPTIONS,
    PURCHASE_RETURNS,
    PURCHASES,
    REDEMPTIONS,
    RETURN_LINES,
    REVERSALS,
    SHOPPERS,
    STAFF_USERS,
    WALLETS,
    WEBHOOK_EVENTS,
    DataClass,
)

Link = tuple[tuple[sa.Column[object], sa.Column[object]], ...]
"""columns of a table, each with the column of another table that it refers to"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Rows that stay when the shopper goes, cut off from the shopper."""

    reason: str
    links: tuple[sa.Column[object], ...]
    """columns that are emptied: all that lead to what is erased"""
    where: sa.ColumnElement[bool] | None = None
    """which rows stay, the shopper's others are erased; None: all stay"""


_BOOK: Final = Kept(
    reason="the book must add up for ever; once wallet and references are gone it names nobody",
    links=(),
)
_BILL: Final = Kept(
    reason="tax law: part of a purchase, which names nobody once its own link is cut", links=()
)
KEPT: Final[Mapping[sa.Table, Kept]] = {
    PURCHASES: Kept(
        reason="tax law: the till's books, ten years long", links=(PURCHASES.c.shopper_id,)
    ),
    PURCHASE_LINES: _BILL,
    PURCHASE_REDEMPTIONS: _BILL,
    FUNDED_LINES: _BILL,
    PURCHASE_RETURNS: _BILL,
    RETURN_LINES: _BILL,
    REVERSALS: Kept(
        reason="tax law: what a return took back must stay explained",
        links=(REVERSALS.c.coupon_id,),
    ),
    LEDGER_ACCOUNTS: _BOOK,
    LEDGER_TRANSACTIONS: _BOOK,
    LEDGER_POSTINGS: _BOOK,
    LEDGER_LOTS: _BOOK,
    LEDGER_ALLOCATIONS: _BOOK,
    REDEMPTIONS: Kept(
        reason="tax law: each discount of the till's books must be accounted for, ten years long",
        links=(REDEMPTIONS.c.coupon_id, REDEMPTIONS.c.offer_id, REDEMPTIONS.c.shopper_id),
    ),
    OUTBOX: Kept(
        reason="locating must be told to forget the tag; the row goes once it is told",
        links=(OUTBOX.c.shopper_id,),
        where=OUTBOX.c.kind == OutboxKind.TAG_WITHDRAWN.value,
    ),
}
# Where a column leads to another table although no foreign key says so.
MORE_LINKS: Final[Mapping[sa.Table, Link]] = {
    ANSWERS: ((ANSWERS.c.caller, CREDENTIALS.c.credential_id),),
    LEDGER_ACCOUNTS: ((LEDGER_ACCOUNTS.c.account_id, WALLETS.c.account_id),),
    WEBHOOK_EVENTS: ((WEBHOOK_EVENTS.c.shopper_id, SHOPPERS.c.shopper_id),),
}
APART: Final[Mapping[sa.Table, str]] = {
    AUDIT: "names a shopper by keyed fingerprint alone, and must verify after an erasure",
    ERASURES: "keyed fingerprints of who was erased, so that a restored backup can be cleaned",
    STAFF_USERS: "the staff's own names to sign in with; of no shopper",
    PROCESSED_EVENTS: "hashes of a tag and an instant, each 30 days, to know an event by",
}
PERSONAL: Final = frozenset({DataClass.BEHAVIOUR, DataClass.SECRET})


@cache
def links(metadata: sa.MetaData = METADATA) -> Mapping[sa.Table, tuple[Link, ...]]:
    """Return each table that reaches a shopper, with the links that lead there.

    A link straight to the shopper says whose the row is; only where there is none, those to other
    tables that reach a shopper count.
    """
    found: dict[sa.Table, tuple[Link, ...]] = {}
    is_growing = True
    while is_growing:
        before = len(found)
        for table in metadata.sorted_tables:
            # Once and for all: a link to what is found later could lead round in a circle.
            leading = () if table in found else _leading(table, found)
            if leading:
                found[table] = leading
        is_growing = len(found) > before
    return found


@cache
def personal_tables() -> tuple[sa.Table, ...]:
    """Return every table that holds rows of a shopper, those first that others lead to."""
    reaching = links()
    # What is deleted goes before all that leads from it to the shopper.
    more = [(to, table) for table in reaching if table not in KEPT for to in _ancestors(table)]
    in_order = sa.schema.sort_tables([*reaching, SHOPPERS], extra_dependencies=more)
    return tuple(table for table in in_order if table is SHOPPERS or table in reaching)


def unhandled(metadata: sa.MetaData = METADATA) -> tuple[str, ...]:
    """Return what stands against a complete export and erasure; empty when all is well."""
    reaching = links(metadata)
    faults = [
        f"{table.name}: holds data of persons and reaches no shopper. Give it a foreign key that "
        "leads to shoppers, or say in APART why it needs none."
        for table in metadata.sorted_tables
        if table not in reaching and table is not SHOPPERS and table not in APART and _is_of(table)
    ]
    for table, kept in KEPT.items():
        faults += [
            f"{table.name}.{column.name}: leads to {to.table.name}, which is erased. Let it be "
            "empty, and name it in KEPT."
            for column, to in _foreign(table)
            if (to.table in reaching or to.table is SHOPPERS)
            and to.table not in KEPT
            and (column not in kept.links or not column.nullable)
        ]
    return tuple(faults)


def belongs_to(
    table: sa.Table, shopper: sa.BindParameter[str], *, metadata: sa.MetaData = METADATA
) -> sa.ColumnElement[bool]:
    """Return the condition under which a row of ``table`` is the shopper's."""
    if table is SHOPPERS:
        return SHOPPERS.c.shopper_id == shopper
    return sa.or_(*(_leads_to(link, shopper, metadata) for link in links(metadata)[table]))


def exported_columns(table: sa.Table) -> Sequence[sa.Column[object]]:
    """Return all columns but those with fingerprints of secrets."""
    return [column for column in table.columns if column.info["data"] is not DataClass.SECRET]


def _ancestors(table: sa.Table) -> set[sa.Table]:
    parents = {link[0][1].table for link in links().get(table, ())}
    above = {to for parent in parents for to in _ancestors(parent)}
    return (parents | above) - {SHOPPERS}


def _leading(table: sa.Table, reaching: Mapping[sa.Table, tuple[Link, ...]]) -> tuple[Link, ...]:
    pairs = [
        tuple((element.parent, element.column) for element in key.elements)
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
    ]
    if table in MORE_LINKS:
        pairs.append(MORE_LINKS[table])
    direct = tuple(pair for pair in pairs if pair[0][1].table is SHOPPERS)
    return direct or tuple(pair for pair in pairs if pair[0][1].table in reaching)


def _leads_to(
    link: Link, shopper: sa.BindParameter[str], metadata: sa.MetaData
) -> sa.ColumnElement[bool]:
    to = link[0][1].table
    assert isinstance(to, sa.Table)
    if to is SHOPPERS:
        return link[0][0] == shopper
    columns = sa.tuple_(*(column for column, _ in link)) if len(link) > 1 else link[0][0]
    targets = sa.select(*(target for _, target in link)).where(
        belongs_to(to, shopper, metadata=metadata)
    )
    return columns.in_(targets)


def _foreign(table: sa.Table) -> list[tuple[sa.Column[object], sa.Column[object]]]:
    return [
        (element.parent, element.column)
        for key in table.foreign_key_constraints
        for element in key.elements
    ]


def _is_of(table: sa.Table) -> bool:
    return any(column.info.get("data") in PERSONAL for column in table.columns)
