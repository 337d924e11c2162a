"""Read one bomb after the other and print what each took; run as a program of its own.

The libraries are loaded and a sound file is read before. The kernel keeps the highest memory that
a process has had, and forgets it when asked to: making the bombs takes more than reading them.
"""

import json
import sys
import time
from pathlib import Path

import ezdxf.recover
import pypdfium2

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import PlanFormat
from rtls.plan_files.plan_reading import read_plan_file
from tests.unit.plan_files.plan_samples import pdf, picture, png_that_says, request_for
from tests.unit.plan_files.zip_samples import forty_two, zipped

MILLION = 1_000_000


def nested_blocks() -> bytes:
    lines = [
        "0 SECTION 2 BLOCKS",
        "0 BLOCK 8 0 2 B0 70 0 10 0 20 0",
        "0 LINE 8 0 10 0 20 0 11 1 21 1",
    ]
    for level in range(1, 11):
        lines.append(f"0 ENDBLK 8 0 0 BLOCK 8 0 2 B{level} 70 0 10 0 20 0")
        lines += [f"0 INSERT 8 0 2 B{level - 1} 10 {n} 20 0" for n in range(10)]
    lines.append(
        "0 ENDBLK 8 0 0 ENDSEC 0 SECTION 2 ENTITIES 0 INSERT 8 0 2 B10 10 0 20 0 0 ENDSEC 0 EOF"
    )
    return " ".join(lines).replace(" ", "\n").encode()


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    return f"<!DOCTYPE svg [{entities}]><svg><title>&l9;</title></svg>".encode()


BOMBS = {
    "a zip of zips of zips": (PlanFormat.IMDF, forty_two(3)),
    "fifty mebibytes of zeros": (PlanFormat.IMDF, zipped({"manifest.json": bytes(50 * 1024**2)})),
    "a billion laughs": (PlanFormat.SVG, laughs()),
    "a million elements": (PlanFormat.SVG, b"<svg>" + b"<g/>" * MILLION + b"</svg>"),
    "a polygon of a million points": (
        PlanFormat.GEOJSON,
        b'{"type":"Feature","geometry":{"type":"Polygon","coordinates":[['
        + b"[1,1]," * MILLION
        + b"[1,1]]]}}",
    ),
    "a million lists in lists": (PlanFormat.GEOJSON, b"[" * MILLION),
    "a polyline of a million points": (
        PlanFormat.DXF,
        b"0\nSECTION\n2\nENTITIES\n0\nLWPOLYLINE\n8\n0\n" + b"10\n1\n20\n1\n" * MILLION,
    ),
    "blocks of blocks": (PlanFormat.DXF, nested_blocks()),
    "a picture of 900 million pixels": (PlanFormat.IMAGE, png_that_says(30_000, 30_000)),
}


def highest_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Print, for each bomb, seconds, mebibytes and what was said."""
    assert ezdxf.recover, pypdfium2
    read_plan_file(picture(300, 200), request_for(PlanFormat.IMAGE))
    read_plan_file(pdf((72, 72)), request_for(PlanFormat.PDF))
    told = {}
    for name, (form, content) in BOMBS.items():
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before, begun, said = highest_mib(), time.process_time(), "nothing"
        try:
            read_plan_file(content, request_for(form))
        except InvalidPlanFile as error:
            said = str(error)
        told[name] = (time.process_time() - begun, highest_mib() - before, said)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
