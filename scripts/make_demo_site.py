# ruff: noqa: INP001 - a folder of scripts is no package
"""Write the plan of the demo shop, a 60 × 40 m DIY store, as GeoJSON in local metres.

Layer: doors. Takes: the sizes and the assortment below. Gives: config/demo/site.geojson, which
rtls.model.site_map_geojson reads. The file is checked in; a test holds it equal to this output.

    python scripts/make_demo_site.py          write the file
    python scripts/make_demo_site.py --check  exit with 1 when the file is not this output
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from inaisle.site.bay_pair_file import pair_features
from rtls.geofence.bay_pairs import bay_pairs_of
from rtls.model.site_map_geojson import parse_site_map

Feature = dict[str, object]
Point = tuple[float, float]

TARGET: Final = Path(__file__).resolve().parent.parent / "config" / "demo" / "site.geojson"
WIDTH_M: Final = 60.0
HEIGHT_M: Final = 40.0

# Racks stand upright in the plan: six double racks of 2 m with five aisles of 4 m between them.
# A wide aisle leaves 1.6 m between the strips of its two faces, so that they can be told apart.
RACK_X0_M: Final = 4.0
RACK_WIDTH_M: Final = 2.0
AISLE_WIDTH_M: Final = 4.0
PITCH_M: Final = RACK_WIDTH_M + AISLE_WIDTH_M
AISLES: Final = 5
FRONT: Final = (9.0, 21.0)  # two shelves of 6 m a face
BACK: Final = (25.0, 33.0)  # one shelf of 8 m a face
FRONT_MIDDLE_M: Final = 15.0
# People stand 0.2 to 1.2 m before the face; nearer they would touch it, farther they pass by.
STRIP_NEAR_M: Final = 0.2
STRIP_FAR_M: Final = 1.2

ANCHOR_Z_M: Final = 3.0
UWB_STEP_M: Final = 10.0
UWB_BIAS_M: Final = 0.18  # mean over links, measured; what a site survey would find
BLE_COLUMNS: Final = 7
BLE_ROWS: Final = 5
BLE_RSSI_AT_1M: Final = -55.0  # middle of the phones measured (-44 to -66 dBm)
BLE_EXPONENT: Final = 2.9  # middle of the phones measured (2.7 to 3.2)
GATEWAY_COLUMNS: Final = 4
GATEWAY_ROWS: Final = 2

# For each aisle: its id and name, then its shelves as (id, name) in the order
# left face front 1, front 2, back, right face front 1, front 2, back.
ASSORTMENT: Final = (
    (
        ("eisenwaren", "Eisenwaren"),
        ("screws", "SPAX Schrauben"),
        ("nails", "Nägel und Haken"),
        ("locks", "Schlösser und Beschläge"),
        ("brackets", "Winkel und Verbinder"),
        ("chains", "Ketten und Seile"),
        ("shelving", "Regalsysteme"),
    ),
    (
        ("befestigung", "Befestigung und Werkzeug"),
        ("dowels", "fischer Dübel"),
        ("anchors-heavy", "Schwerlastanker"),
        ("adhesives", "Montagekleber und Silikon"),
        ("drill-bits", "Bohrer und Bits"),
        ("cordless-drills", "Akkuschrauber"),
        ("saws", "Sägen und Sägeblätter"),
    ),
    (
        ("farbe", "Farbe und Tapete"),
        ("wall-paint", "Wandfarbe"),
        ("varnish", "Lacke und Lasuren"),
        ("wallpaper", "Tapeten"),
        ("brushes", "Pinsel und Rollen"),
        ("masking", "Abdeckfolie und Klebeband"),
        ("fillers", "Spachtelmasse"),
    ),
    (
        ("elektro", "Elektro und Licht"),
        ("switches", "Schalter und Steckdosen"),
        ("cables", "Kabel und Leitungen"),
        ("lamps", "Leuchten"),
        ("bulbs", "LED-Leuchtmittel"),
        ("smart-home", "Smart Home"),
        ("batteries", "Batterien und Taschenlampen"),
    ),
    (
        ("sanitaer", "Bad und Sanitär"),
        ("taps", "Armaturen"),
        ("pipes", "Rohre und Fittings"),
        ("showers", "Duschen und Brausen"),
        ("toilet-seats", "WC-Sitze"),
        ("heating", "Heizung und Thermostate"),
        ("bath-furniture", "Badmöbel"),
    ),
)


def main() -> int:
    """Write the file, or with ``--check`` say whether it is up to date."""
    text = render_site()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    return 0


def render_site() -> str:
    """Return the whole file, one feature a line so that a change reads well in a diff."""
    head: Feature = {
        "version": 1,
        "crs": "local",
        "site": "demo",
        "name": "Baumarkt Musterstadt",
        "time_zone": "Europe/Berlin",
        "floors": [{"floor": 0, "name": "Erdgeschoss", "width_m": WIDTH_M, "height_m": HEIGHT_M}],
    }
    plan = (*walls(), *furniture(), *zones(), *uwb_anchors(), *ble_anchors())
    return _file(head, (*plan, *pairs(_file(head, plan))))


def pairs(text: str) -> list[Feature]:
    """Return the pairs of bays of a plan, as `inaisle site-map bay-pairs` finds them."""
    site_map = parse_site_map(text.encode(), source=TARGET.name)
    return pair_features(bay_pairs_of(site_map), site_map)


def _file(head: Feature, features: Sequence[Feature]) -> str:
    lines = ",\n".join("  " + _compact(feature) for feature in features)
    return (
        '{"type": "FeatureCollection",\n'
        f' "inaisle": {_compact(head)},\n'
        f' "features": [\n{lines}\n]}}\n'
    )


def walls() -> Iterator[Feature]:
    """Yield the outer wall with its two doors: entrance on the left, exit on the right."""
    left_door, right_door = (4.0, 8.0), (50.0, 54.0)
    lines: dict[str, list[Point]] = {
        "wall-outer": [
            (left_door[0], 0.0),
            (0.0, 0.0),
            (0.0, HEIGHT_M),
            (WIDTH_M, HEIGHT_M),
            (WIDTH_M, 0.0),
            (right_door[1], 0.0),
        ],
        "wall-front": [(left_door[1], 0.0), (right_door[0], 0.0)],
        # Whoever came in does not go out again past the trolleys.
        "wall-entrance": [(10.0, 0.0), (10.0, 4.0)],
    }
    for name, line in lines.items():
        geometry = {"type": "LineString", "coordinates": [list(point) for point in line]}
        yield _feature(name, {"kind": "wall", "floor": 0}, geometry)


def furniture() -> Iterator[Feature]:
    """Yield the racks, the back-wall rack, the tables of the garden centre and the tills."""
    for number in range(AISLES + 1):
        left = RACK_X0_M + number * PITCH_M
        for part, (low, high) in (("front", FRONT), ("back", BACK)):
            corners = (left, low, left + RACK_WIDTH_M, high)
            yield _box(f"rack-{number + 1}-{part}", {"kind": "fixture", "floor": 0}, corners)
    yield _box("rack-wall", {"kind": "fixture", "floor": 0}, (4.0, 38.6, 36.0, 39.8))
    for row in range(4):
        for column in range(3):
            left, low = 42.0 + 5.5 * column, 15.0 + 6.0 * row
            name = f"table-{3 * row + column + 1}"
            yield _box(name, {"kind": "fixture", "floor": 0}, (left, low, left + 3.0, low + 2.0))
    for till in range(4):
        left = 41.0 + 4.0 * till
        yield _box(
            f"till-{till + 1}", {"kind": "fixture", "floor": 0}, (left, 5.0, left + 1.0, 8.0)
        )


def zones() -> Iterator[Feature]:
    """Yield departments, aisles within them, shelves within those, then doors and checkout."""
    for number in range(AISLES):
        yield from department_zones(number)
    garden = {"kind": "zone", "zone_kind": "department", "name": "Gartencenter", "floor": 0}
    yield _box("garten", garden, (40.0, 13.0, 59.0, 37.0))
    doors = (
        ("entrance", "Eingang", "entrance", (3.0, 0.3, 9.0, 4.0)),
        ("exit", "Ausgang", "entrance", (49.0, 0.3, 55.0, 2.5)),
        ("checkout", "Kasse", "checkout", (38.0, 4.5, 56.5, 8.5)),
    )
    for name, title, kind, corners in doors:
        properties = {"kind": "zone", "zone_kind": kind, "name": title, "floor": 0}
        yield _box(name, properties, corners)


def department_zones(number: int) -> Iterator[Feature]:
    """Yield one department (an aisle in its whole length), its two aisles and six shelves."""
    (department, title), *shelves = ASSORTMENT[number]
    left = RACK_X0_M + number * PITCH_M + RACK_WIDTH_M
    right = left + AISLE_WIDTH_M
    properties: Feature = {"kind": "zone", "zone_kind": "department", "name": title, "floor": 0}
    yield _box(department, properties, (left, FRONT[0], right, BACK[1]))
    for part, (low, high) in (("front", FRONT), ("back", BACK)):
        name = f"aisle-{number + 1}-{part}"
        aisle: Feature = {
            "kind": "zone",
            "zone_kind": "aisle",
            "name": f"Gang {number + 1} {'vorn' if part == 'front' else 'hinten'}",
            "floor": 0,
            "parent": department,
        }
        yield _box(name, aisle, (left, low, right, high))
    lengths = (
        ("front", (FRONT[0], FRONT_MIDDLE_M)),
        ("front", (FRONT_MIDDLE_M, FRONT[1])),
        ("back", BACK),
    )
    faces = (
        (left + STRIP_NEAR_M, left + STRIP_FAR_M),
        (right - STRIP_FAR_M, right - STRIP_NEAR_M),
    )
    places = ((across, *length) for across in faces for length in lengths)
    for (shelf, product), (across, part, (low, high)) in zip(shelves, places, strict=True):
        strip: Feature = {
            "kind": "zone",
            "zone_kind": "shelf",
            "name": product,
            "floor": 0,
            "parent": f"aisle-{number + 1}-{part}",
        }
        yield _box(shelf, strip, (across[0], low, across[1], high))


def uwb_anchors() -> Iterator[Feature]:
    """Yield UWB anchors on a 10 m grid under the ceiling."""
    columns, rows = int(WIDTH_M / UWB_STEP_M), int(HEIGHT_M / UWB_STEP_M)
    for number in range(columns * rows):
        x_m = UWB_STEP_M * (number % columns + 0.5)
        y_m = UWB_STEP_M * (number // columns + 0.5)
        extra: Feature = {"radio": "uwb", "range_bias_m": UWB_BIAS_M}
        yield _anchor(f"u{number + 1:02d}", extra, (x_m, y_m))


def ble_anchors() -> Iterator[Feature]:
    """Yield BLE anchors on a grid of 8.6 × 8 m, between the UWB anchors."""
    for number in range(BLE_COLUMNS * BLE_ROWS):
        x_m = round(WIDTH_M / BLE_COLUMNS * (number % BLE_COLUMNS + 0.5), 2)
        y_m = round(HEIGHT_M / BLE_ROWS * (number // BLE_COLUMNS + 0.5), 2)
        extra: Feature = {
            "radio": "ble",
            "rssi_at_1m": BLE_RSSI_AT_1M,
            "exponent": BLE_EXPONENT,
        }
        yield _anchor(f"b{number + 1:02d}", extra, (x_m, y_m))


def gateway_of(x_m: float, y_m: float) -> str:
    """Return the gateway of the eighth of the shop that a point lies in."""
    column = min(int(x_m / (WIDTH_M / GATEWAY_COLUMNS)), GATEWAY_COLUMNS - 1)
    row = min(int(y_m / (HEIGHT_M / GATEWAY_ROWS)), GATEWAY_ROWS - 1)
    return f"gw-{row * GATEWAY_COLUMNS + column + 1:02d}"


def _anchor(name: str, extra: Feature, place: Point) -> Feature:
    properties: Feature = {"kind": "anchor", "floor": 0, "gateway": gateway_of(*place), **extra}
    return _feature(name, properties, {"type": "Point", "coordinates": [*place, ANCHOR_Z_M]})


def _box(name: str, properties: Feature, corners: tuple[float, float, float, float]) -> Feature:
    left, low, right, high = (round(corner, 3) for corner in corners)
    ring = [[left, low], [right, low], [right, high], [left, high], [left, low]]
    return _feature(name, properties, {"type": "Polygon", "coordinates": [ring]})


def _feature(name: str, properties: Feature, geometry: Feature) -> Feature:
    return {"type": "Feature", "id": name, "properties": properties, "geometry": geometry}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    raise SystemExit(main())
