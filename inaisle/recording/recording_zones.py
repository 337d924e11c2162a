"""Read the shelves or shops of a recording as zones: "which one is the tag nearest to?".

Layer: doors. Takes: shelves.geojson or shops.geojson of a recording. Gives: `RecordingZones` to
inaisle.recording.replay, which says how probable each is, and to inaisle.recording.score_zones,
which asks which one was right.

A shelf is furniture: nobody is within it, and he who stands before it is nearest to it. A pillar is
furniture and no zone. A shop may be entered; a feature with `outline` is the outline of its floor,
outside of which nobody is. Zones keep the ids that the file gives them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import shapely
from shapely.geometry import shape

from rtls.geofence.nearest_zone import NearestZones, ZoneOutlines
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import SiteMap

SHELVES: Final = "shelves.geojson"
SHOPS: Final = "shops.geojson"
ONLY_FLOOR: Final = ""
"""the label of a recording without floors"""
FEATURES_MAX: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingZones:
    """The zones of a recording.

    Parameters
    ----------
    nearest
        Divides each floor between its zones.
    outlines
        By the floor's label.
    source
        The file they stand in.
    """

    nearest: NearestZones
    outlines: Mapping[str, ZoneOutlines]
    source: Path

    @property
    def are_shelves(self) -> bool:
        """Return whether they are furniture, before which people stand; else rooms."""
        return self.source.name == SHELVES

    @property
    def has_floors(self) -> bool:
        """Return whether the zones are told apart by floor."""
        return self.nearest.floors != (ONLY_FLOOR,)

    def labels_of(self, site_map: SiteMap) -> dict[int, str]:
        """Return the label of each floor of the map, as the zones' file names it.

        Raises
        ------
        InvalidRecording
            If the zones have floors and the map has none of them by name.
        """
        if not self.has_floors:
            return {floor.floor: ONLY_FLOOR for floor in site_map.floors}
        known = set(self.nearest.floors)
        labels = {floor.floor: floor.name for floor in site_map.floors if floor.name in known}
        if not labels:
            names = [floor.name for floor in site_map.floors]
            raise InvalidRecording(
                f"{self.source}: its floors are {sorted(known)}, those of the recording {names}; "
                "expected the same labels. Name the floors alike."
            )
        return labels


@dataclass(slots=True)
class _Features:
    """What one floor has, while the file is read."""

    zones: list[str] = field(default_factory=list)
    shapes: list[shapely.Geometry] = field(default_factory=list)
    blocked: list[shapely.Geometry] = field(default_factory=list)
    outlines: list[shapely.Geometry] = field(default_factory=list)


def has_zones(folder: Path) -> bool:
    """Return whether a recording comes with zones, sound or not."""
    return any((folder / name).is_file() for name in (SHELVES, SHOPS))


def load_zones(folder: Path) -> RecordingZones:
    """Read the zones of a recording.

    Raises
    ------
    InvalidRecording
        If the folder has none, or the file cannot be read; names file, feature and remedy.
    """
    path = next((folder / n for n in (SHELVES, SHOPS) if (folder / n).is_file()), None)
    if path is None:
        raise InvalidRecording(
            f"{folder}: neither {SHELVES} nor {SHOPS} is there; this recording has no zones. "
            "Replay and score it without zones."
        )
    floors: dict[str, _Features] = {}
    for number, feature in enumerate(_features(path)):
        try:
            _take(floors, feature, is_shelf_file=path.name == SHELVES)
        except (LookupError, TypeError, ValueError, AttributeError, shapely.GEOSException) as error:
            raise InvalidRecording(
                f"{path}: feature {number} cannot be read ({error!r}); expected a polygon with an "
                "id."
            ) from error
    outlines = _outlines(floors, path)
    return RecordingZones(nearest=NearestZones(outlines), outlines=outlines, source=path)


def _features(path: Path) -> Sequence[Mapping[str, object]]:
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidRecording(f"{path}: cannot be read as GeoJSON ({error!r}).") from error
    if not isinstance(features, list) or len(features) > FEATURES_MAX:
        raise InvalidRecording(f"{path}: expected a list of up to {FEATURES_MAX} features.")
    return features


def _take(
    floors: dict[str, _Features], feature: Mapping[str, object], *, is_shelf_file: bool
) -> None:
    properties, geometry = feature["properties"], feature["geometry"]
    if not isinstance(properties, dict) or not isinstance(geometry, dict):
        raise TypeError("properties or geometry is no object")
    outline = shapely.make_valid(shape(geometry))
    floor = floors.setdefault(str(properties.get("floor", ONLY_FLOOR)), _Features())
    if is_shelf_file:
        floor.blocked.append(outline)
    if properties.get("outline") is True:
        floor.outlines.append(outline)
    elif properties.get("kind", "shelf") == "shelf":
        floor.zones.append(str(properties["id"]))
        floor.shapes.append(outline)


def _outlines(floors: Mapping[str, _Features], path: Path) -> dict[str, ZoneOutlines]:
    found = {
        label: ZoneOutlines(
            zones=tuple(own.zones),
            shapes=tuple(own.shapes),
            blocked=shapely.union_all(own.blocked) if own.blocked else None,
            within=shapely.union_all(own.outlines) if own.outlines else None,
        )
        for label, own in floors.items()
        if own.zones
    }
    if not found:
        raise InvalidRecording(f"{path}: no shelf and no shop in it; expected one or more.")
    return found
