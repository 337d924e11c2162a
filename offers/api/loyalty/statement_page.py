"""Lay a sheet out as a page to print: A4, or the 80 mm of a receipt printer.

Layer: edges. Takes: a `Sheet` and a paper. Gives: one HTML document and its headers to the
statement routes. It loads nothing, runs nothing and sends nothing: the one style is in the page,
and its hash is all that the policy allows. The policy stands in the page as well, since an app that
fetched it opens it without the headers.
"""

import base64
import hashlib
from collections.abc import Mapping
from enum import StrEnum
from html import escape
from types import MappingProxyType
from typing import Final

from offers.api.loyalty.statement_sheet import Part, Sheet
from offers.model.messages.brand import Brand


class Paper(StrEnum):
    """What the page is printed on."""

    A4 = "a4"
    RECEIPT = "receipt"
    """a roll of 80 mm, of which 72 mm are printed on"""


_COMMON: Final = """
*{box-sizing:border-box}
body{margin:0 auto;color:#000;background:#fff;font-family:system-ui,sans-serif;line-height:1.4}
h1,h2,p,dl{margin:0}
dl{display:grid;grid-template-columns:1fr auto;column-gap:1em}
dd{margin:0;text-align:right;font-variant-numeric:tabular-nums}
section{break-inside:avoid;border-top:1px solid #000}
.code{font-family:ui-monospace,monospace;font-weight:700;text-align:center;border:1px dashed #000}
"""
_STYLES: Final[Mapping[Paper, str]] = MappingProxyType(
    {
        Paper.A4: "@page{size:A4;margin:18mm}"
        + _COMMON
        + "body{max-width:174mm;font-size:11pt}h1{font-size:20pt}h2{font-size:13pt}"
        "section{margin-top:5mm;padding-top:3mm}.code{font-size:16pt;margin:2mm 0;padding:2mm}"
        "footer{margin-top:8mm;font-size:9pt}"
        "@media screen{body{padding:10mm}}",
        Paper.RECEIPT: "@page{size:80mm auto;margin:4mm}"
        + _COMMON
        + "body{max-width:72mm;font-size:9pt}h1{font-size:13pt}h2{font-size:10.5pt}"
        "section{margin-top:2.5mm;padding-top:1.5mm}.code{font-size:12pt;margin:1.5mm 0;"
        "padding:1.5mm}footer{margin-top:3mm;font-size:8pt}"
        "@media screen{body{padding:4mm}}",
    }
)


def page_of(sheet: Sheet, paper: Paper, brand: Brand | None = None) -> str:
    """Return the document; whatever anybody wrote is escaped."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_policy(paper, brand))}">'
        f"<title>{escape(sheet.title)}</title><style>{_style(paper, brand)}</style>"
    )
    body = (
        f"<header>{_logo(brand)}<p>{escape(sheet.place)}</p><h1>{escape(sheet.title)}</h1>"
        f"{_rows(sheet.rows)}</header><main>{''.join(map(_section, sheet.parts))}</main>"
        f"<footer>{escape(sheet.foot)}</footer>"
    )
    language = escape(sheet.language, quote=True)
    return f'<!doctype html><html lang="{language}"><head>{head}</head><body>{body}</body></html>'


def page_headers(paper: Paper, brand: Brand | None = None) -> dict[str, str]:
    """Return what goes with the document: nobody keeps it, frames it, or adds to it."""
    return {
        "Content-Security-Policy": f"{_policy(paper, brand)}; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }


def _policy(paper: Paper, brand: Brand | None) -> str:
    digest = base64.b64encode(hashlib.sha256(_style(paper, brand).encode()).digest()).decode()
    images = "" if brand is None or brand.logo_png is None else " img-src data:;"
    return (
        f"default-src 'none'; style-src 'sha256-{digest}';{images} base-uri 'none'; "
        "form-action 'none'"
    )


def _style(paper: Paper, brand: Brand | None) -> str:
    if brand is None:
        return _STYLES[paper]
    return f"{_STYLES[paper]}h1,h2{{color:{brand.accent}}}img{{max-height:14mm;max-width:60mm}}"


def _logo(brand: Brand | None) -> str:
    if brand is None or brand.logo_png is None:
        return ""
    data = base64.b64encode(brand.logo_png).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{escape(brand.name)}">'


def _section(part: Part) -> str:
    code = "" if part.code is None else f'<p class="code">{escape(part.code)}</p>'
    sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in part.sentences)
    return f"<section><h2>{escape(part.heading)}</h2>{_rows(part.rows)}{code}{sentences}</section>"


def _rows(rows: tuple[tuple[str, str], ...]) -> str:
    pairs = "".join(f"<dt>{escape(what)}</dt><dd>{escape(said)}</dd>" for what, said in rows)
    return f"<dl>{pairs}</dl>" if pairs else ""
