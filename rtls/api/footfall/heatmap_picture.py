"""Draw a heatmap on the plan of its floor.

Layer: edges. Takes: a `Heatmap` or `HeatmapChange`, and the plan. Gives: a PNG to the footfall
routes. The scales can be told apart by people who see colours otherwise: cividis for amounts
(Nunez, Anderton and Renslow 2018), blue to orange for changes. Amounts are coloured by their square
root, as a few shelves hold most of the dwell and the ways would else all look alike. Where a cell
is withheld it is hatched in grey, so that "too few to tell" is not taken for "nobody".
"""

import io
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rtls.footfall.cell_ground import CellGround
from rtls.footfall.heatmap import Heatmap, HeatmapChange
from rtls.model.errors import MissingExtra
from rtls.model.footfall import Bools, Float64s
from rtls.model.site_map import Ring, SiteMap, ZoneKind

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
CIVIDIS: Final[tuple[Colour, ...]] = (
    (0, 34, 78), (18, 53, 112), (59, 73, 108), (87, 93, 109), (112, 113, 115),
    (138, 134, 120), (165, 156, 116), (195, 179, 105), (225, 204, 85), (254, 232, 56),
)  # fmt: skip
DIVERGING: Final[tuple[Colour, ...]] = (
    (5, 48, 97), (67, 147, 195), (209, 229, 240), (247, 247, 247), (253, 219, 199), (244, 165, 66),
    (179, 88, 6),
)  # fmt: skip
WHITE: Final[Colour] = (255, 255, 255)
INK: Final[Colour] = (30, 30, 30)
PLAN: Final[Colour] = (90, 90, 90)
ZONE: Final[Colour] = (150, 150, 150)
FURNITURE: Final[Colour] = (222, 222, 222)
WITHHELD: Final[Colour] = (236, 236, 236)
HATCH: Final[Colour] = (190, 190, 190)
PIXELS_MAX: Final = 1600
MARGIN: Final = 24
HEAD: Final = 44
LEGEND: Final = 96
HATCH_STEP: Final = 8
REACH_PERCENT: Final = 98
TICKS: Final = 3
"""parts of the scale that the legend numbers"""
NAMED: Final = frozenset({ZoneKind.DEPARTMENT, ZoneKind.ENTRANCE, ZoneKind.CHECKOUT})
"""zones whose name is written beside them: of all it would be a carpet of words"""
SPELLED: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is drawn: values of told cells, their range and colours."""

    ground: CellGround
    values: Float64s
    is_told: Bools
    low: float
    high: float
    is_rooted: bool
    """colours go by the square root"""
    scale: tuple[Colour, ...]
    title: str
    unit: str


def render_heatmap(heatmap: Heatmap, site_map: SiteMap, *, k: int) -> bytes:
    """Return the dwell of a floor as PNG."""
    density = heatmap.density_s_m2
    shown = Shown(
        ground=heatmap.ground,
        values=density,
        is_told=heatmap.is_told,
        low=0.0,
        high=reach_of(density[heatmap.is_told]),
        is_rooted=True,
        scale=CIVIDIS,
        title=f"{site_map.name}: dwell on floor {heatmap.ground.floor}",
        unit="person-seconds per square metre",
    )
    return _render(shown, site_map, k=k)


def render_change(change: HeatmapChange, site_map: SiteMap, *, k: int) -> bytes:
    """Return the change of dwell on a floor as PNG."""
    area = np.maximum(change.ground.area_m2, 1e-9)
    density = np.where(change.is_told, change.person_s / area, 0.0)
    reach = reach_of(np.abs(density[change.is_told]))
    shown = Shown(
        ground=change.ground,
        values=density,
        is_told=change.is_told,
        low=-reach,
        high=reach,
        is_rooted=False,
        scale=DIVERGING,
        title=f"{site_map.name}: change of dwell on floor {change.ground.floor}",
        unit="change of person-seconds per square metre",
    )
    return _render(shown, site_map, k=k)


def reach_of(values: Float64s) -> float:
    """Return the end of a scale: one till with a queue must not make all else look empty."""
    return max(float(np.percentile(values, REACH_PERCENT)) if values.size else 0.0, 1.0)


def drawable(text: str) -> str:
    """Return a text in the letters of pillow's own font, which draws boxes for all others.

    Examples
    --------
    >>> drawable("Bad und Sanitär, Café, 工具")
    'Bad und Sanitaer, Cafe, ??'
    """
    spelled = unicodedata.normalize("NFKD", text.translate(SPELLED))
    plain = "".join(letter for letter in spelled if not unicodedata.combining(letter))
    return plain.encode("ascii", "replace").decode("ascii")


def _render(shown: Shown, site_map: SiteMap, *, k: int) -> bytes:
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise MissingExtra(
            'Pictures need pillow. Install it: pip install "inaisle[insight]".'
        ) from error
    rows, columns = shown.values.shape
    side = max(2, min(32, PIXELS_MAX // max(rows, columns)))
    width = max(columns * side, 420)
    image = Image.new("RGB", (width + 2 * MARGIN, rows * side + HEAD + LEGEND + MARGIN), WHITE)
    _paste_cells(image, shown, side)
    draw = ImageDraw.Draw(image)
    _draw_plan(draw, shown.ground, site_map, side, rows)
    _draw_head_and_legend(draw, shown, top=HEAD + rows * side + 16, width=width, k=k)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _paste_cells(image: "Image.Image", shown: Shown, side: int) -> None:
    from PIL import Image

    is_ground = shown.ground.area_m2 > 0.0
    is_hatched = is_ground & ~shown.is_told
    pixels = np.full((*shown.values.shape, 3), 255, np.uint8)
    pixels[shown.is_told] = _colours(shown)[shown.is_told]
    pixels[is_hatched] = WITHHELD
    # Row 0 is at the bottom of the plan and at the top of a picture.
    large = np.kron(pixels[::-1], np.ones((side, side, 1), np.uint8))
    hatched = np.kron(is_hatched[::-1], np.ones((side, side), np.bool_))
    y, x = np.indices(hatched.shape)
    large[hatched & ((x + y) % HATCH_STEP == 0)] = HATCH
    image.paste(Image.fromarray(large), (MARGIN, HEAD))


def _colours(shown: Shown) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    part = np.clip((shown.values - shown.low) / (shown.high - shown.low), 0.0, 1.0)
    part = np.sqrt(part) if shown.is_rooted else part
    stops = np.linspace(0.0, 1.0, len(shown.scale))
    channels = [np.interp(part, stops, [colour[i] for colour in shown.scale]) for i in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def _draw_plan(
    draw: "ImageDraw.ImageDraw", ground: CellGround, site_map: SiteMap, side: int, rows: int
) -> None:
    scale = side / ground.cell_m

    def place(ring: Ring) -> list[tuple[float, float]]:
        return [(MARGIN + x * scale, HEAD + rows * side - y * scale) for x, y in ring]

    for fixture in site_map.fixtures:
        if fixture.floor == ground.floor:
            draw.polygon(place(fixture.ring), fill=FURNITURE, outline=PLAN)
    for zone in site_map.zones:
        if zone.floor == ground.floor:
            draw.polygon(place(zone.ring), outline=ZONE)
    for wall in site_map.walls:
        if wall.floor == ground.floor:
            draw.line(place(wall.line), fill=PLAN, width=3)
    floor = next(one for one in site_map.floors if one.floor == ground.floor)
    box = ((0.0, 0.0), (floor.width_m, 0.0), (floor.width_m, floor.height_m), (0.0, floor.height_m))
    draw.polygon(place(box), outline=INK)
    _draw_names(draw, ground, site_map, place)


def _draw_names(
    draw: "ImageDraw.ImageDraw",
    ground: CellGround,
    site_map: SiteMap,
    place: Callable[[Ring], list[tuple[float, float]]],
) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(12)
    for zone in site_map.zones:
        if zone.floor == ground.floor and zone.kind in NAMED:
            corners = place(zone.ring)
            middle = sum(x for x, _ in corners) / len(corners)
            top = min(y for _, y in corners)
            draw.text(
                (middle, top - 4), drawable(zone.name), fill=INK, font=font, anchor="ms",
                stroke_width=3, stroke_fill=WHITE,
            )  # fmt: skip


def _draw_head_and_legend(
    draw: "ImageDraw.ImageDraw", shown: Shown, *, top: int, width: int, k: int
) -> None:
    from PIL import ImageFont

    large, small = ImageFont.load_default(18), ImageFont.load_default(13)
    draw.text((MARGIN, 12), drawable(shown.title), fill=INK, font=large)
    bar = min(width, 420)
    stops = np.linspace(0.0, 1.0, len(shown.scale))
    for x in range(bar):
        colour = [
            int(np.interp(x / (bar - 1), stops, [one[i] for one in shown.scale])) for i in range(3)
        ]
        draw.line(
            ((MARGIN + x, top), (MARGIN + x, top + 14)), fill=(colour[0], colour[1], colour[2])
        )
    for tick in range(TICKS):
        part = (tick / TICKS) ** 2 if shown.is_rooted else tick / TICKS
        value = shown.low + part * (shown.high - shown.low)
        at = MARGIN + bar * tick / TICKS
        draw.line(((at, top + 14), (at, top + 18)), fill=INK)
        draw.text((at, top + 18), f"{value:.0f}", fill=INK, font=small, anchor="la")
    draw.text(
        (MARGIN + bar, top + 18), f"{shown.high:.0f} or more", fill=INK, font=small, anchor="ra"
    )
    draw.text((MARGIN + bar + 16, top), shown.unit, fill=INK, font=small)
    box = (MARGIN, top + 44, MARGIN + 28, top + 58)
    draw.rectangle(box, fill=WITHHELD, outline=HATCH)
    for x in range(MARGIN, MARGIN + 28, HATCH_STEP):
        draw.line(((x, top + 58), (min(x + 14, MARGIN + 28), top + 44)), fill=HATCH)
    draw.text(
        (MARGIN + 36, top + 43), f"withheld: fewer than about {k} visitors", fill=INK, font=small
    )
