"""Make columns that say what kind of data they hold.

Layer: edges. Takes: nothing. Gives: `METADATA`, `DataClass` and column functions to the tables.
Every column says in ``info["data"]`` what it is, so that export and erasure can be generated from
the tables and a column without a class fails a test.
"""

from enum import StrEnum
from typing import Final

import sqlalchemy as sa


class DataClass(StrEnum):
    """What a column says about a person; decides export, erasure and logging."""

    KEY = "key"
    """names a row, and through it perhaps a person: a pseudonym"""
    BEHAVIOUR = "behaviour"
    """what a person did, wished or was told: exported, and erased with the person"""
    SECRET = "secret"  # noqa: S105 - the name of a class, not a secret
    """fingerprint of a secret: erased with the person, never exported, never logged"""
    BUSINESS = "business"
    """says nothing of a person"""


METADATA: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts by itself in INTEGER columns only.
SEQUENCE: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def key(
    name: str, *parts: sa.schema.SchemaItem, nullable: bool = False, primary: bool = False
) -> sa.Column[str]:
    """Return a column that names a row of this or another table."""
    return sa.Column(
        name,
        sa.Text(),
        *parts,
        nullable=nullable,
        primary_key=primary,
        info={"data": DataClass.KEY},
    )


def text(
    name: str, data: DataClass, *, nullable: bool = False, primary: bool = False
) -> sa.Column[str]:
    """Return a column of text."""
    return sa.Column(name, sa.Text(), nullable=nullable, primary_key=primary, info={"data": data})


def number(
    name: str, data: DataClass, *, nullable: bool = False, primary: bool = False
) -> sa.Column[int]:
    """Return a column of 64-bit integers: times, amounts, counts."""
    return sa.Column(
        name,
        sa.BigInteger(),
        nullable=nullable,
        primary_key=primary,
        autoincrement=False,
        info={"data": data},
    )


def claim(name: str, data: DataClass, *, nullable: bool = False) -> sa.Column[bool]:
    """Return a column that is true or false."""
    return sa.Column(name, sa.Boolean(), nullable=nullable, info={"data": data})


def sequence() -> sa.Column[int]:
    """Return a primary key that the database counts up."""
    return sa.Column("sequence", SEQUENCE, primary_key=True, info={"data": DataClass.BUSINESS})
