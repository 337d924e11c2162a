"""Share out what was paid over pieces that come back, to the minor unit.

Layer: rules. Takes: a `Purchase`, its earlier returns and the pieces. Gives: `ReturnedLine`s, and
which redemptions are undone by them, to the handler return_purchase.

Pieces of one line cost the same but were not paid for in whole cents each: three for 10.00 less
1.00. What comes back now gets its share of what has **not come back yet**, split over the payment
and each discount by largest remainder, so that the shares of the pieces sum to their price. So no
share is ever below zero, and when the last piece is back, everything is: partial returns sum to the
full one, in whatever order they come.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from offers.checkout.discount import split_by_largest_remainder
from offers.model.offering.refusal import TillRefusal
from offers.model.till.purchase import (
    PointsMove,
    Purchase,
    PurchaseLine,
    PurchasePoints,
    PurchaseReturn,
    ReturnedLine,
)


def returned_lines(
    purchase: Purchase, earlier: Sequence[PurchaseReturn], pieces: Mapping[int, int]
) -> tuple[ReturnedLine, ...] | TillRefusal:
    """Return the shares of the pieces, or the reason why they cannot come back.

    Parameters
    ----------
    purchase
        With what has been returned of each line.
    earlier
        All returns of the purchase so far.
    pieces
        Place of a line, from 0 → how many pieces of it; at least 1 each.
    """
    shares: list[ReturnedLine] = []
    for place, quantity in sorted(pieces.items()):
        is_line = 0 <= place < len(purchase.lines)
        if not is_line or quantity > _left(purchase.lines[place]):
            return TillRefusal.RETURN_TOO_LARGE
        before = [done for returned in earlier for done in returned.lines if done.line == place]
        shares.append(_share(purchase, place, before, quantity))
    return tuple(shares)


def undone_redemptions(
    purchase: Purchase, earlier: Sequence[PurchaseReturn], now: Sequence[ReturnedLine]
) -> tuple[int, ...]:
    """Return the places of the redemptions whose discount comes back in full with ``now``."""
    given = _discounts_of(purchase, purchase_lines(purchase))
    before = _discounts_of(purchase, (line for back in earlier for line in back.lines))
    after = _discounts_of(purchase, now)
    return tuple(
        place
        for place, (whole, old, new) in enumerate(zip(given, before, after, strict=True))
        if new > 0 and old + new == whole
    )


def purchase_lines(purchase: Purchase) -> Iterable[ReturnedLine]:
    """Return the lines as if all of them came back at once."""
    for place, line in enumerate(purchase.lines):
        yield ReturnedLine(
            line=place,
            quantity=line.item.quantity,
            refund_minor=line.money_minor,
            tender_minor=line.tender_minor,
            discounts_minor=line.discounts_minor,
            points_minor=tuple(moved.lines_minor[place] for moved in purchase.points),
        )


def _left(line: PurchaseLine) -> int:
    return line.item.quantity - line.returned


def _share(
    purchase: Purchase, place: int, before: Sequence[ReturnedLine], quantity: int
) -> ReturnedLine:
    line = purchase.lines[place]
    parts_left = [line.money_minor, line.tender_minor, *line.discounts_minor]
    for done in before:
        parts_done = (done.refund_minor, done.tender_minor, *done.discounts_minor)
        parts_left = [left - part for left, part in zip(parts_left, parts_done, strict=True)]
    price_minor = quantity * line.item.unit_price_minor
    # Nothing can be split over nothing: what was free comes back for nothing.
    shares = split_by_largest_remainder(price_minor, parts_left) if price_minor else parts_left
    refund_minor, tender_minor, *discounts_minor = shares
    return ReturnedLine(
        line=place,
        quantity=quantity,
        refund_minor=refund_minor,
        tender_minor=tender_minor,
        discounts_minor=tuple(discounts_minor),
        points_minor=tuple(
            _points_share(moved, line, place, before, quantity=quantity, tender_minor=tender_minor)
            for moved in purchase.points
        ),
    )


def _points_share(
    moved: PurchasePoints,
    line: PurchaseLine,
    place: int,
    before: Sequence[ReturnedLine],
    *,
    quantity: int,
    tender_minor: int,
) -> int:
    whole = moved.lines_minor[place]
    match moved.move:
        case PointsMove.EARNED:
            gone, now, of = line.returned, quantity, line.item.quantity
        case PointsMove.SPENT:
            # As much as the money's worth of it that comes back: cashback cent by cent.
            gone, now, of = sum(x.tender_minor for x in before), tender_minor, line.tender_minor
        case _:
            assert_never(moved.move)
    return whole * (gone + now) // of - whole * gone // of if of else 0


def _discounts_of(purchase: Purchase, lines: Iterable[ReturnedLine]) -> list[int]:
    sums = [0] * len(purchase.redemptions)
    for line in lines:
        sums = [a + b for a, b in zip(sums, line.discounts_minor, strict=True)]
    return sums
