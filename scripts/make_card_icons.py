# ruff: noqa: INP001 - a folder of scripts is no package
"""Draw the icons of the shopper's card: a card within the circle that masks leave.

Layer: doors. Takes: nothing. Gives: web/public/card/icon-192.png and icon-512.png, which are
checked in.
"""

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parents[1] / "web" / "public" / "card"
GROUND, CARD, STRIPE, CHIP = "#0b6b62", "#ffffff", "#0b6b62", "#f0a15a"
DRAWN_PX = 1_024  # drawn large and made small, so that edges are smooth
SIZES_PX = (192, 512)


def draw_icon() -> Image.Image:
    """Return the icon, as large as it is drawn."""
    icon = Image.new("RGB", (DRAWN_PX, DRAWN_PX), GROUND)
    pen = ImageDraw.Draw(icon)
    pen.rounded_rectangle((232, 340, 792, 684), radius=52, fill=CARD)
    pen.rectangle((232, 424, 792, 492), fill=STRIPE)
    pen.rounded_rectangle((292, 556, 420, 628), radius=16, fill=CHIP)
    for x, width in ((520, 20), (556, 10), (582, 30), (630, 10), (656, 20), (692, 10), (718, 24)):
        pen.rectangle((x, 556, x + width, 628), fill=STRIPE)
    return icon


def main() -> None:
    """Write the icons."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    icon = draw_icon()
    for size in SIZES_PX:
        small = icon.resize((size, size), Image.Resampling.LANCZOS)
        small.quantize(64).save(FOLDER / f"icon-{size}.png", optimize=True)


if __name__ == "__main__":
    main()
