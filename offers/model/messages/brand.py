"""Say how a retailer looks and sounds: name, colour, logo, and how his messages end.

Layer: nouns. Takes: the member "brand" of a programme's settings. Gives: `Brand` to the app (as
theme), to statements on paper and to mails. Our own name appears nowhere that a shopper looks.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from offers.model.errors import InvalidProgramme
from offers.model.ids import check_text
from offers.model.json_members import Json, object_of, refuse_unknown, text_of
from offers.model.people.shopper import Locale

NAME_CHARACTERS_MAX: Final = 60
LOGO_BYTES_MAX: Final = 24 * 1024
LOGO_PIXELS_MAX: Final = 1_024
CONTRAST_MIN: Final = 4.5
"""of text to its ground (WCAG 2.2, success criterion 1.4.3)"""

_MEMBERS: Final = {"name", "accent", "logo_png", "sign_off"}
_PNG: Final = b"\x89PNG\r\n\x1a\n"
# The header of a PNG: eight bytes of signature, length and name of the first chunk, width, height.
_HEADER_BYTES: Final = 24
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What shoppers know the retailer by."""

    name: str
    accent: str
    """#rrggbb, dark enough that text in it can be read on white, and white text on it"""
    logo_png: bytes | None = None
    sign_off: Mapping[Locale, str]
    """how mails end; empty: they end with their last sentence"""

    def __post_init__(self) -> None:
        check_text("settings.brand.name", self.name, error=InvalidProgramme)
        if len(self.name) > NAME_CHARACTERS_MAX:
            raise InvalidProgramme(
                f"settings.brand.name has {len(self.name)} characters; expected at most "
                f"{NAME_CHARACTERS_MAX}: it stands at the head of a receipt."
            )
        _check_accent(self.accent)
        if self.logo_png is not None:
            _check_logo(self.logo_png)
        if self.sign_off and set(self.sign_off) != set(Locale):
            raise InvalidProgramme(
                f"settings.brand.sign_off is in {sorted(self.sign_off)}; expected every language "
                f"({', '.join(Locale)}), or none."
            )
        for locale, words in self.sign_off.items():
            check_text(f"settings.brand.sign_off.{locale}", words, error=InvalidProgramme)


def parse_brand(document: object) -> Brand | None:
    """Read the member; None where it is left out. What is wrong raises `InvalidProgramme`."""
    if document is None:
        return None
    given = object_of(document, "settings.brand")
    refuse_unknown(given, "settings.brand", _MEMBERS)
    endings = object_of(given.get("sign_off") or {}, "settings.brand.sign_off")
    refuse_unknown(endings, "settings.brand.sign_off", set(Locale))
    return Brand(
        name=text_of(given, "name"),
        accent=text_of(given, "accent").lower(),
        logo_png=_logo(given.get("logo_png")),
        sign_off=MappingProxyType({Locale(name): text_of(endings, name) for name in endings}),
    )


def render_brand(brand: Brand) -> Json:
    """Return the document that `parse_brand` reads."""
    logo = brand.logo_png
    return {
        "name": brand.name,
        "accent": brand.accent,
        "logo_png": None if logo is None else base64.b64encode(logo).decode(),
        "sign_off": {locale.value: words for locale, words in brand.sign_off.items()},
    }


def contrast_to_white(colour: str) -> float:
    """Return the contrast of a colour to white, 1 to 21 (WCAG 2.2, relative luminance).

    Examples
    --------
    >>> contrast_to_white("#000000"), round(contrast_to_white("#777777"), 2)
    (21.0, 4.48)
    """
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _check_accent(accent: str) -> None:
    if not _COLOUR.fullmatch(accent):
        raise InvalidProgramme(
            f"settings.brand.accent is {accent!r}; expected a colour as #rrggbb, e.g. #0a6b3b."
        )
    contrast = contrast_to_white(accent)
    if contrast < CONTRAST_MIN:
        raise InvalidProgramme(
            f"settings.brand.accent is {accent}, with a contrast of {contrast:.2f} to white; "
            f"expected {CONTRAST_MIN} or more, so that everybody can read it. Take a darker shade."
        )


def _check_logo(logo: bytes) -> None:
    if len(logo) > LOGO_BYTES_MAX:
        raise InvalidProgramme(
            f"settings.brand.logo_png has {len(logo)} bytes; expected at most {LOGO_BYTES_MAX}. "
            "Make it smaller: 400 pixels across are enough on paper."
        )
    if not logo.startswith(_PNG) or len(logo) < _HEADER_BYTES:
        raise InvalidProgramme(
            f"settings.brand.logo_png begins with {logo[:8]!r}; expected a PNG file, in base64."
        )
    width, height = (int.from_bytes(logo[at : at + 4]) for at in (16, 20))
    if not (1 <= width <= LOGO_PIXELS_MAX and 1 <= height <= LOGO_PIXELS_MAX):
        raise InvalidProgramme(
            f"settings.brand.logo_png is {width} × {height} pixels; expected 1 to "
            f"{LOGO_PIXELS_MAX} each way."
        )


def _logo(given: object) -> bytes | None:
    if given is None:
        return None
    try:
        return base64.b64decode(given, validate=True)  # type: ignore[arg-type]
    except (binascii.Error, TypeError, ValueError) as error:
        raise InvalidProgramme(
            f"settings.brand.logo_png cannot be read ({error}); expected a PNG file in base64."
        ) from error
