"""A retailer's own look and tone: what shoppers see bears his name, and everybody can read it."""

import base64
import struct
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.api.loyalty.statement_page import Paper, page_headers, page_of
from offers.api.loyalty.statement_sheet import Sheet
from offers.model.errors import InvalidProgramme
from offers.model.loyalty.programme_json import parse_programme, render_programme
from offers.model.messages.brand import Brand, contrast_to_white, parse_brand, render_brand
from offers.model.people.shopper import Locale


def png(width: int = 2, height: int = 1) -> bytes:
    """Return a small picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" + bytes(width)) if height == 1 else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


DOCUMENT = {
    "name": "Holz & Mehr",
    "accent": "#0A6B3B",
    "logo_png": base64.b64encode(png()).decode(),
    "sign_off": {"de": "Ihr Team von Holz & Mehr", "en": "Your team at Holz & Mehr"},
}
SHEET = Sheet(language="en", title="t", place="p", rows=(), parts=(), foot="f")


def brand(**changed: object) -> Brand:
    found = parse_brand(DOCUMENT | changed)
    assert found is not None
    return found


def test_a_programme_keeps_the_brand_as_it_was_written() -> None:
    """A revision is read years later; nothing of it may be lost on the way through the database."""
    document = (
        '{"version": 1, "site": "demo", "time_zone": "Europe/Berlin", "units": [], "earning": [],'
        ' "settings": {"brand": {"name": "Holz", "accent": "#0a6b3b",'
        ' "sign_off": {"de": "Gruß", "en": "Yours"}}}}'
    )
    programme = parse_programme(document, source="a test")
    told = programme.settings.brand
    assert told is not None
    assert told.sign_off[Locale.DE] == "Gruß"
    assert parse_programme(render_programme(programme), source="again") == programme
    assert parse_brand(render_brand(brand())) == brand()


@given(st.integers(0, 0xFFFFFF))
def test_an_accent_is_taken_exactly_if_it_can_be_read(colour: int) -> None:
    """Yellow on white is a brand that nobody can read; the screen reader is no excuse for it."""
    accent = f"#{colour:06x}"
    if contrast_to_white(accent) >= 4.5:
        assert brand(accent=accent).accent == accent
    else:
        with pytest.raises(InvalidProgramme, match="Take a darker shade"):
            brand(accent=accent)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"accent": "green"}, r"'green'; expected a colour as #rrggbb"),
        ({"name": "x" * 61}, "61 characters; expected at most 60"),
        ({"name": "a\x1b@"}, "expected 1 to"),
        ({"logo_png": "%%%"}, "expected a PNG file in base64"),
        ({"logo_png": 7}, "expected a PNG file in base64"),
        ({"logo_png": base64.b64encode(b"<svg onload=alert(1)>" * 2).decode()}, "expected a PNG"),
        ({"logo_png": base64.b64encode(png(2_000, 9)).decode()}, "2000 × 9 pixels"),
        ({"logo_png": base64.b64encode(png() + bytes(24_576)).decode()}, "at most 24576"),
        ({"sign_off": {"de": "Gruß"}}, "expected every language"),
        ({"colour": "#000000"}, "unknown members"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_field(
    changed: dict[str, object], told: str
) -> None:
    """A brand is typed by people in a hurry; each error says what to write instead."""
    with pytest.raises(Exception, match=told) as refused:
        brand(**changed)
    assert "settings.brand" in str(refused.value)


@pytest.mark.parametrize("paper", Paper)
def test_a_statement_bears_logo_and_colour_and_still_loads_nothing(paper: Paper) -> None:
    """The picture is in the page; the policy lets no other come from anywhere."""
    ours = brand()
    page, policy = page_of(SHEET, paper, ours), page_headers(paper, ours)["Content-Security-Policy"]
    assert "h1,h2{color:#0a6b3b}" in page
    assert f'src="data:image/png;base64,{DOCUMENT["logo_png"]}" alt="Holz &amp; Mehr"' in page
    assert "img-src data:;" in policy
    assert policy.split(";")[1].split("'")[1] in page
    without = replace(ours, logo_png=None)
    assert "img-src" not in page_headers(paper, without)["Content-Security-Policy"]
    assert "<img" not in page_of(SHEET, paper, without)
