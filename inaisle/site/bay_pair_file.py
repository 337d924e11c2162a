"""Add the pairs of bays that face each other to the file of a site map.

Layer: doors. Takes: the file of a site map. Gives: `inaisle site-map bay-pairs` to
inaisle.commands.cli_site: a table, and the file with one feature more for each pair, checked as a
service would check it.

Pairs refer to their shelves by id and have no outline of their own, so the file stays right when a
shelf is moved; parents are set by whoever reads it (docs/site_map.md).
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from inaisle.errors import ExitStatus, InvalidSettings
from rtls.geofence.bay_pairs import BayPair, bay_pairs_of
from rtls.geofence.site_map_check import check_site_map
from rtls.model.site_map import ID_PATTERN, SiteMap
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import Metre

Feature = dict[str, object]
NAME_MAX: Final = 200
GROWN: Final = "the map with its pairs"


def run_bay_pairs(path: Path, *, out: Path | None, gap_m: float, as_json: bool) -> ExitStatus:
    """Find the pairs of a map, print them, and write the map with them where ``out`` says.

    Parameters
    ----------
    path
        The file of the map.
    out
        Where the map goes with the pairs added; may be the same file.
    gap_m
        How far apart the strips of a pair may be.
    as_json
        Print features instead of a table.
    """
    content = _read(path)
    site_map = parse_site_map(content, source=str(path))
    check_site_map(site_map, source=str(path))
    pairs = bay_pairs_of(site_map, gap_m_max=Metre(gap_m))
    if out is not None:
        _write(out, with_pairs(content, pair_features(pairs, site_map)))
    _print(pairs, site_map, as_json=as_json)
    return ExitStatus.DONE


def pair_features(pairs: Sequence[BayPair], site_map: SiteMap) -> list[Feature]:
    """Return one feature for each pair, with an id that no zone of the map has."""
    taken = {str(zone.zone) for zone in site_map.zones}
    floors = {zone.zone: zone.floor for zone in site_map.zones}
    found: list[Feature] = []
    for pair in pairs:
        name = _free_id("-".join(("pair", *pair.shelves)), taken)
        taken.add(name)
        properties = {
            "kind": "zone",
            "zone_kind": "bay_pair",
            "name": pair.name[:NAME_MAX],
            "floor": floors[pair.shelves[0]],
            "pair": list(pair.shelves),
        }
        found.append({"type": "Feature", "id": name, "properties": properties, "geometry": None})
    return found


def _free_id(wanted: str, taken: set[str]) -> str:
    if ID_PATTERN.match(wanted) and wanted not in taken:
        return wanted
    return next(name for k in range(1, len(taken) + 2) if (name := f"pair-{k}") not in taken)


def with_pairs(content: bytes, features: Sequence[Feature]) -> str:
    """Return the file with features added, one a line.

    A map that could not work with them is refused with `InvalidSiteMap`, and nothing is written.
    """
    document = json.loads(content)
    own = document.pop("features")
    lines = ",\n".join(
        "  " + json.dumps(feature, ensure_ascii=False) for feature in (*own, *features)
    )
    head = json.dumps(document, ensure_ascii=False, indent=1)[:-2]
    text = f'{head},\n "features": [\n{lines}\n]}}\n'
    grown = parse_site_map(text.encode(), source=GROWN)
    check_site_map(grown, source=GROWN)
    return text


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidSettings(
            f"{path}: cannot be read ({error.strerror}). Give the file of a site map."
        ) from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidSettings(
            f"{path}: cannot be written ({error.strerror}). Give --out a writable place."
        ) from error


def _print(pairs: Sequence[BayPair], site_map: SiteMap, *, as_json: bool) -> None:
    if as_json:
        document = {
            "pairs": [asdict(pair) for pair in pairs],
            "features": pair_features(pairs, site_map),
        }
        json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    table = Table("pair", "apart", "side by side", title=f"{len(pairs)} pairs of bays")
    for pair in pairs:
        table.add_row(pair.name, f"{pair.gap_m:.2f} m", f"{pair.shared_m:.2f} m")
    Console().print(table)
