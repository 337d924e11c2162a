"""Plan files that tests write themselves."""

import io
import json
import struct
import zlib
from collections.abc import Sequence

from PIL import Image

from rtls.model.imported_plan import PlanFormat, PlanRequest


def request_for(form: PlanFormat, *, source: str = "plan", floor: int = 0, page: int = 1):
    return PlanRequest(source=source, form=form, floor=floor, page=page)


def picture(width: int, height: int, *, form: str = "PNG", mode: str = "RGB", **members) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, form, **members)
    return file.getvalue()


def pdf(*sizes: tuple[int, int]) -> bytes:
    pages = [Image.new("RGB", size, (255, 255, 255)) for size in sizes]
    file = io.BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], resolution=72.0)
    return file.getvalue()


def feature(geometry: str, coordinates: object, **properties: object) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def collection(*features: object, **members: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features, **members}).encode()


def site_map(*features: object, floors: Sequence[object] | None = None) -> bytes:
    ground = {"floor": 0, "name": "Ground", "width_m": 60, "height_m": 40}
    head = {"version": 1, "crs": "local", "site": "shop", "name": "A shop"}
    return collection(*features, inaisle={**head, "floors": floors or [ground]})


def png_that_says(width: int, height: int) -> bytes:
    """Return a PNG with a size in its head, and a thousandth of the pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + check

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
