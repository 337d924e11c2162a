"""Turn the names in a retailer's tables into codes.

Layer: doors. Takes: `Tables`. Gives: the `Panel` to the rules of ranking, and `Keys` by which
requests are asked in the same codes. A name that is asked about but never seen gets a code as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from inaisle.ranking.rank_tables import OPTIONAL, Tables
from offers.model.errors import InvalidPanel
from offers.model.ranking.panel import (
    MISSING,
    Addressed,
    Campaigns,
    Codes,
    Items,
    Numbers,
    OfferItems,
    Panel,
    Purchases,
    Redeemed,
    Sizes,
)

KEY_COLUMNS = (
    "customer_id",
    "store_id",
    "basket_id",
    "item_id",
    "campaign_id",
    "offer_id",
    "category",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The columns of requests and candidates, in the codes of the panel."""

    codes: Mapping[str, Codes]
    """of requests, by column"""
    candidates: Mapping[str, Codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankInput:
    """A panel, what is asked of it, and the books that its codes come from."""

    panel: Panel
    asked: Asked
    books: Mapping[str, pa.Array]
    """the values of each kind of key; the index is the code"""


def rank_input(tables: Tables) -> RankInput:
    """Return the panel of the tables, and what is asked; a number that is none is refused."""
    frames = dict(tables.tables)
    if tables.requests is not None:
        frames["requests"] = tables.requests
    if tables.candidates is not None:
        frames["candidates"] = tables.candidates
    coded, books = _coded(frames)
    codes = {
        name: _CodedTable(name=name, table=frame, codes=coded[name])
        for name, frame in frames.items()
    }
    sizes = Sizes(
        customers=len(books["customer_id"]),
        stores=len(books["store_id"]),
        items=len(books["item_id"]) + 1,  # the last: items that no table names
        campaigns=len(books["campaign_id"]),
        offers=len(books["offer_id"]),
    )
    panel = Panel(
        sizes=sizes,
        purchases=_purchases(codes["purchases"]),
        items=_items(codes["items"], sizes.items),
        traits=_traits(codes["customers"], sizes.customers),
        campaigns=_campaigns(codes["campaigns"], sizes.campaigns),
        addressed=_addressed(codes["assignments"]),
        offer_items=_offer_items(codes["offer_items"]),
        redeemed=_redeemed(codes["redemptions"]),
    )
    asked = Asked(codes=coded.get("requests", {}), candidates=coded.get("candidates", {}))
    return RankInput(panel=panel, asked=asked, books=books)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CodedTable:
    name: str
    table: pa.Table
    codes: Mapping[str, Codes]

    def numbers(self, column: str, default: float | None = None) -> Numbers:
        """Return a column of numbers; what is not told is ``default``.

        Raises
        ------
        InvalidPanel
            If something is not told and there is no default, or the column holds no numbers.
        """
        if column not in self.table.column_names:
            return np.full(self.table.num_rows, np.nan if default is None else default)
        try:
            values = pc.cast(self.table.column(column), pa.float64())
        except pa.ArrowException as error:
            raise InvalidPanel(
                f"{self.name}.{column} is no column of numbers ({error}). Write it as such."
            ) from error
        numbers = np.array(values.to_numpy(zero_copy_only=False), np.float64)
        unknown = ~np.isfinite(numbers)
        if default is not None:
            numbers[unknown] = default
        elif unknown.any():
            row = int(np.flatnonzero(unknown)[0])
            raise InvalidPanel(
                f"{self.name}.{column} is {numbers[row]} in row {row}; expected a finite number. "
                "Leave the row out, or write what it should be."
            )
        return numbers

    def ages(self, column: str) -> Numbers:
        """Return a column of days before the instant; NaN where it is not told."""
        if column not in self.table.column_names:
            return np.full(self.table.num_rows, np.nan)
        return np.array(self.table.column(column).to_numpy(zero_copy_only=False), np.float64)

    def words(self, column: str) -> Codes:
        """Return the codes of a column of words that no other table refers to."""
        if column in self.codes:
            return self.codes[column]
        if column not in self.table.column_names:
            return np.full(self.table.num_rows, MISSING, np.int64)
        return _encoded(self.table.column(column))[0]


def _coded(
    frames: Mapping[str, pa.Table],
) -> tuple[dict[str, dict[str, Codes]], dict[str, pa.Array]]:
    """Give the values of each kind of key one book of codes over all tables."""
    coded: dict[str, dict[str, Codes]] = {name: {} for name in frames}
    books = {}
    for key in KEY_COLUMNS:
        holders = [name for name, frame in frames.items() if key in frame.column_names]
        codes, books[key] = _encoded(_joined(frames[name].column(key) for name in holders))
        first = 0
        for name in holders:
            rows = frames[name].num_rows
            coded[name][key] = codes[first : first + rows]
            first += rows
    return coded, books


def _joined(columns: Iterable[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Put columns one behind the other; as words, where some are words and others numbers."""
    held = [_plain(column) for column in columns]
    kinds = {column.type for column in held}
    if len(kinds) > 1:
        held = [pc.cast(column, pa.string()) for column in held]
    chunks = [chunk for column in held for chunk in column.chunks]
    return pa.chunked_array(chunks, type=held[0].type if held else pa.string())


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_integer(column.type):
        return pc.cast(column, pa.int64())
    if pa.types.is_large_string(column.type):
        return pc.cast(column, pa.string())
    return column


def _encoded(column: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    if not len(column):
        return np.empty(0, np.int64), pa.array([], column.type)
    encoded = _plain(column).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = pc.fill_null(encoded.indices, MISSING).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), encoded.dictionary


def _purchases(rows: _CodedTable) -> Purchases:
    coupon = np.abs(rows.numbers("coupon_discount", 0.0))
    return Purchases(
        customer=rows.codes["customer_id"],
        store=rows.codes["store_id"],
        basket=rows.codes["basket_id"],
        item=rows.codes["item_id"],
        quantity=rows.numbers("quantity", 1.0),
        sales=rows.numbers("net_sales"),
        discount=np.abs(rows.numbers("retail_discount", 0.0)) + coupon,
        coupon=coupon,
        age_days=rows.ages("ts"),
    )


def _items(rows: _CodedTable, count: int) -> Items:
    held: dict[str, npt.NDArray[np.int64]] = {}
    for column in OPTIONAL["items"]:
        held[column] = np.full(count, MISSING, np.int64)
        held[column][rows.codes["item_id"]] = rows.words(column)
    return Items(
        manufacturer=held["manufacturer_id"],
        department=held["department"],
        brand_kind=held["brand_kind"],
        category=held["category"],
        subcategory=held["subcategory"],
        size=held["size"],
    )


def _traits(rows: _CodedTable, count: int) -> dict[str, Codes]:
    traits = {}
    for column in rows.table.column_names:
        if column != "customer_id":
            traits[column] = np.full(count, MISSING, np.int64)
            traits[column][rows.codes["customer_id"]] = rows.words(column)
    return traits


def _campaigns(rows: _CodedTable, count: int) -> Campaigns:
    kind = np.full(count, MISSING, np.int64)
    start, end = np.full(count, np.nan), np.full(count, np.nan)
    codes = rows.codes["campaign_id"]
    kind[codes], start[codes], end[codes] = rows.words("kind"), rows.ages("start"), rows.ages("end")
    return Campaigns(kind=kind, start_age_days=start, end_age_days=end)


def _addressed(rows: _CodedTable) -> Addressed:
    return Addressed(campaign=rows.codes["campaign_id"], customer=rows.codes["customer_id"])


def _offer_items(rows: _CodedTable) -> OfferItems:
    return OfferItems(
        campaign=rows.codes["campaign_id"], offer=rows.codes["offer_id"], item=rows.codes["item_id"]
    )


def _redeemed(rows: _CodedTable) -> Redeemed:
    return Redeemed(
        customer=rows.codes["customer_id"],
        campaign=rows.codes["campaign_id"],
        offer=rows.codes["offer_id"],
        age_days=rows.ages("ts"),
    )
