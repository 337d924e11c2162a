"""Read coupons from GS1 element strings, and write them.

Layer: rules. Takes: what a scanner reads out of a GS1 DataBar, GS1-128, DataMatrix or QR code.
Gives: `Gs1Coupon` or `PositiveOffer` to the handlers of the till, and the string of one to whoever
prints it. Each error names the position and the remedy.

Of the application identifiers those are read that a coupon may have: 255 (Global Coupon Number)
with 17 (expiry), 390n (amount), 394n (percent) or 8111 (points); or 8112 (positive offer file)
alone. Any other belongs to goods, and is refused. Positions count from the first identifier, in
the form without brackets: people read ``(255)4012345000016123``, and somebody may type that.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from offers.checkout.check_digit import check_digit_of
from offers.model.errors import InvalidCode
from offers.model.till.gs1_coupon import (
    AMOUNT_DECIMALS_MAX,
    AMOUNT_DIGITS_MAX,
    FUNDER_DIGITS_MIN,
    GCN_DIGITS,
    OFFER_DIGITS,
    OFFER_SERIAL_DIGITS_MIN,
    PERCENT_DECIMALS_MAX,
    SERIAL_DIGITS_MAX,
    Gs1Coupon,
    Gs1Number,
    PositiveOffer,
)

# Ends a field of variable length; a scanner sends it for the symbol character FNC1.
FNC1: Final = "\x1d"
# Identifiers of symbologies (ISO/IEC 15424) with element strings; scanners may send them first.
SYMBOLOGIES: Final = ("]C1", "]e0", "]d2", "]Q3", "]J1")
CHARACTERS_MAX: Final = 100
EXPIRY: Final = "17"
GCN: Final = "255"
POINTS: Final = "8111"
POSITIVE_OFFER: Final = "8112"
YEARS_AHEAD_MAX: Final = 50
_BRACKETED: Final = re.compile(r"\(([0-9]{2,4})\)([^()]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """What a field must look like."""

    digits_min: int
    digits_max: int
    ends_by_itself: bool = False
    """its identifier is in the table of predefined lengths, so that no FNC1 need follow"""


_FIELDS: Final = {
    EXPIRY: _Field(digits_min=6, digits_max=6, ends_by_itself=True),
    GCN: _Field(digits_min=GCN_DIGITS, digits_max=GCN_DIGITS + SERIAL_DIGITS_MAX),
    **{
        f"390{n}": _Field(digits_min=1, digits_max=AMOUNT_DIGITS_MAX)
        for n in range(AMOUNT_DECIMALS_MAX + 1)
    },
    **{f"394{n}": _Field(digits_min=4, digits_max=4) for n in range(PERCENT_DECIMALS_MAX + 1)},
    POINTS: _Field(digits_min=4, digits_max=4),
    POSITIVE_OFFER: _Field(digits_min=21, digits_max=36),
}


def parse_gs1_coupon(scanned: str, *, today: date) -> Gs1Coupon | PositiveOffer:
    """Read a coupon.

    Parameters
    ----------
    scanned
        The element string, with FNC1 as `FNC1`, a symbology identifier in front or not; or as
        people read it, with brackets around the identifiers.
    today
        Decides the century of an expiry: 49 years back to 50 ahead.

    Raises
    ------
    InvalidCode
        If it is no coupon of GS1.

    Examples
    --------
    >>> parse_gs1_coupon("2554012345000016123", today=date(2026, 11, 22)).serial
    '123'
    """
    fields = _split(_body(scanned))
    if POSITIVE_OFFER in fields:
        if len(fields) > 1:
            raise InvalidCode(
                f"AI {POSITIVE_OFFER} stands with {sorted(set(fields) - {POSITIVE_OFFER})}; "
                "expected it alone. Scan one code at a time."
            )
        return _positive_offer(*fields[POSITIVE_OFFER])
    if GCN not in fields:
        raise InvalidCode(
            f"the code has AI {sorted(fields)}; expected a coupon, which has {GCN} or "
            f"{POSITIVE_OFFER}. Goods are scanned as goods."
        )
    return _coupon(fields, today)


def render_gs1_coupon(coupon: Gs1Coupon | PositiveOffer) -> str:
    r"""Return the element string; in a symbol, FNC1 goes in front and for each `FNC1`.

    Examples
    --------
    >>> render_gs1_coupon(Gs1Coupon(gcn="4012345000016", percent=Gs1Number(digits=10, decimals=0)))
    '2554012345000016\x1d39400010'
    """
    if isinstance(coupon, PositiveOffer):
        funder_vli = len(coupon.funder) - FUNDER_DIGITS_MIN
        serial_vli = len(coupon.serial) - OFFER_SERIAL_DIGITS_MIN
        return (
            f"{POSITIVE_OFFER}{coupon.format_code}{funder_vli}{coupon.funder}{coupon.offer}"
            f"{serial_vli}{coupon.serial}"
        )
    # Fields that end by themselves come first: it saves a character of the symbol.
    fields = [] if coupon.expires_on is None else [f"{EXPIRY}{coupon.expires_on:%y%m%d}"]
    parts = [f"{GCN}{coupon.gcn}{coupon.serial}"]
    if coupon.amount is not None:
        parts.append(f"390{coupon.amount.decimals}{coupon.amount.digits}")
    if coupon.percent is not None:
        parts.append(f"394{coupon.percent.decimals}{coupon.percent.digits:04d}")
    if coupon.points is not None:
        parts.append(f"{POINTS}{coupon.points:04d}")
    return "".join(fields) + FNC1.join(parts)


def _body(scanned: str) -> str:
    if len(scanned) > CHARACTERS_MAX:
        raise InvalidCode(
            f"the code has {len(scanned)} characters; expected at most {CHARACTERS_MAX}. Scan one "
            "code at a time."
        )
    if scanned.startswith("("):
        return _without_brackets(scanned)
    body = scanned[3:] if scanned.startswith(SYMBOLOGIES) else scanned
    return body.removeprefix(FNC1)


def _without_brackets(read: str) -> str:
    typed = read.replace(" ", "")
    at = 0
    body = ""
    while at < len(typed):
        found = _BRACKETED.match(typed, at)
        if found is None:
            raise InvalidCode(
                f"position {at} of what was typed: {typed[at : at + 4]!r} is no field; expected an "
                "identifier in brackets and its digits, e.g. '(255)4012345000016123'."
            )
        name, data = found.groups()
        field = _FIELDS.get(name)
        body += name + data + ("" if field is not None and field.ends_by_itself else FNC1)
        at = found.end()
    return body.removesuffix(FNC1)


_Found = tuple[str, int]  # the field's digits, and where they begin


def _split(body: str) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    at = 0
    while at < len(body):
        name = next((body[at : at + n] for n in (2, 3, 4) if body[at : at + n] in _FIELDS), None)
        if name is None:
            raise InvalidCode(
                f"position {at}: {body[at : at + 4]!r} begins no field of a coupon; expected one "
                f"of {GCN}, {EXPIRY}, 390n, 394n, {POINTS}, {POSITIVE_OFFER}."
            )
        if name in found:
            raise InvalidCode(f"position {at}: AI {name} comes twice; expected it once.")
        start = at + len(name)
        data = _data(body, start, _FIELDS[name])
        _check_field(name, data, start)
        found[name] = data, start
        at = start + len(data)
        # A separator may also follow a field that needs none.
        at += body[at : at + 1] == FNC1
    return found


def _data(body: str, start: int, field: _Field) -> str:
    if field.ends_by_itself:
        return body[start : start + field.digits_max]
    return body[start:].partition(FNC1)[0]


def _check_field(name: str, data: str, start: int) -> None:
    field = _FIELDS[name]
    wrong = next((place for place, c in enumerate(data) if c not in "0123456789"), None)
    if wrong is not None:
        raise InvalidCode(
            f"position {start + wrong}: AI {name} has {data[wrong]!r}; expected a digit."
        )
    if not field.digits_min <= len(data) <= field.digits_max:
        raise InvalidCode(
            f"position {start}: AI {name} has {len(data)} digits; expected {field.digits_min} to "
            f"{field.digits_max}. Check that the scanner sends FNC1 as character 29."
        )


def _coupon(fields: dict[str, _Found], today: date) -> Gs1Coupon:
    data, start = fields[GCN]
    gcn, serial = data[:GCN_DIGITS], data[GCN_DIGITS:]
    if check_digit_of(gcn[:-1]) != gcn[-1]:
        raise InvalidCode(
            f"position {start + GCN_DIGITS - 1}: the check digit is {gcn[-1]}; expected "
            f"{check_digit_of(gcn[:-1])}. Scan the code again."
        )
    expiry = fields.get(EXPIRY)
    points = fields.get(POINTS)
    return Gs1Coupon(
        gcn=gcn,
        serial=serial,
        expires_on=None if expiry is None else _date(*expiry, today=today),
        amount=_number(fields, "390"),
        percent=_number(fields, "394"),
        points=None if points is None else int(points[0]),
    )


def _number(fields: dict[str, _Found], family: str) -> Gs1Number | None:
    # The last digit of the identifier counts the decimals.
    names = [name for name in fields if name.startswith(family)]
    if len(names) > 1:
        raise InvalidCode(
            f"position {fields[names[1]][1]}: AI {names[1]} stands with {names[0]}; expected one."
        )
    if not names:
        return None
    return Gs1Number(digits=int(fields[names[0]][0]), decimals=int(names[0][-1]))


def _date(data: str, start: int, *, today: date) -> date:
    year, month, day = (int(data[place : place + 2]) for place in (0, 2, 4))
    century = today.year - today.year % 100
    years = (century - 100 + year, century + year, century + 100 + year)
    full = next(y for y in years if -YEARS_AHEAD_MAX < y - today.year <= YEARS_AHEAD_MAX)
    try:
        if day == 0:  # the last day of the month
            return (date(full, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        return date(full, month, day)
    except ValueError as error:
        raise InvalidCode(
            f"position {start}: {data} is no date; expected YYMMDD, with DD 00 for the end of the "
            "month."
        ) from error


def _positive_offer(data: str, start: int) -> PositiveOffer:
    funder_end = _counted_end(data, 1, FUNDER_DIGITS_MIN, start)
    offer_end = funder_end + OFFER_DIGITS
    serial_end = _counted_end(data, offer_end, OFFER_SERIAL_DIGITS_MIN, start)
    if serial_end < len(data):
        raise InvalidCode(
            f"position {start + serial_end}: AI {POSITIVE_OFFER} has {len(data) - serial_end} "
            "digits too many; expected the serial number at its end. Scan the code again."
        )
    try:
        return PositiveOffer(
            format_code=int(data[0]),
            funder=data[2:funder_end],
            offer=data[funder_end:offer_end],
            serial=data[offer_end + 1 :],
        )
    except InvalidCode as error:
        raise InvalidCode(f"position {start}: AI {POSITIVE_OFFER}: {error}") from error


def _counted_end(data: str, at: int, least: int, start: int) -> int:
    # The digit at ``at`` says how many digits beyond the least the part behind it has.
    end = at + 1 + least + int(data[at : at + 1] or 0)
    if end > len(data):
        raise InvalidCode(
            f"position {start + at}: AI {POSITIVE_OFFER} is cut off after {len(data)} digits; "
            f"expected {end} at least. Scan the code again."
        )
    return end
