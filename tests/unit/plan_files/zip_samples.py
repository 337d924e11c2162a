"""Zips that tests write themselves, good ones and others."""

import io
import json
import zipfile
from collections.abc import Mapping


def zipped(files: Mapping[str, object], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return file.getvalue()


MANIFEST = {"version": "1.0.0", "created": "2026-11-22T10:00:00", "language": "de"}


def imdf(**files: object) -> bytes:
    named = {
        f"{name}.geojson": {"type": "FeatureCollection", "features": features}
        for name, features in files.items()
    }
    return zipped({"manifest.json": MANIFEST, **named})


def forty_two(levels: int) -> bytes:
    """Return a zip of ten zips of ten zips …, with five mebibytes of zeros at the end of each."""
    content = zipped({"a.json": bytes(5 * 1024**2)})
    for _ in range(levels):
        content = zipped({f"{number}.zip": content for number in range(10)})
    return content
