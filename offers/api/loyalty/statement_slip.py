"""Print a sheet on the paper of a receipt printer: plain text, 42 columns.

Layer: edges. Takes: a `Sheet`. Gives: text to the statement routes. Only characters that such a
printer has (code page 858, which most of them offer) and no other: a control character in a title
would be a command to the printer.
"""

import textwrap
import unicodedata
from typing import Final

from offers.api.loyalty.statement_sheet import Part, Sheet

COLUMNS: Final = 42
_RULE: Final = "-" * COLUMNS
_CODE_PAGE: Final = "cp858"
# What our own sentences hold and no such printer has.
_PLAIN: Final = str.maketrans({"…": "...", "„": '"', "“": '"', "”": '"', "’": "'", "–": "-"})


def slip_of(sheet: Sheet) -> str:
    """Return the lines, each at most `COLUMNS` wide, with one end of line behind each."""
    lines = [
        *_centred(sheet.place),
        *_centred(sheet.title.upper()),
        "",
        *(line for what, said in sheet.rows for line in _row(what, said)),
    ]
    for part in sheet.parts:
        lines += [_RULE, *_lines_of(part)]
    lines += [_RULE, *_wrapped(sheet.foot)]
    return "\n".join(lines) + "\n"


def _lines_of(part: Part) -> list[str]:
    lines = _wrapped(part.heading)
    for what, said in part.rows:
        lines += _row(what, said)
    if part.code is not None:
        lines += ["", *_centred(part.code), ""]
    for sentence in part.sentences:
        lines += _wrapped(sentence)
    return lines


def _row(what: str, said: str) -> list[str]:
    """Return what it is on the left and how much on the right, on one line where both fit."""
    left, right = _printable(what), _printable(said)
    if len(left) + 1 + len(right) <= COLUMNS:
        return [left + right.rjust(COLUMNS - len(left))]
    return [*_wrapped(left), *(line.rjust(COLUMNS) for line in _wrapped(right))]


def _centred(text: str) -> list[str]:
    return [line.center(COLUMNS).rstrip() for line in _wrapped(text)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(_printable(text), COLUMNS) or [""]


def _printable(text: str) -> str:
    """Return the text as the printer can write it, one column for each character."""
    whole = unicodedata.normalize("NFC", text).translate(_PLAIN)
    shown = "".join(letter if letter.isprintable() else " " for letter in whole)
    return shown.encode(_CODE_PAGE, "replace").decode(_CODE_PAGE)
