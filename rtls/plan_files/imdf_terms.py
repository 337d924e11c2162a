"""Name what IMDF calls the things of a site map.

Layer: rules. Takes: kinds and categories. Gives: feature types of IMDF to the writer, kinds of ours
to the reader.

IMDF 1.0.0 (OGC 20-094) has no word for radio anchors, and its "anchor" is an address. Ours are
features of an extension, as are pairs of bays and connectors, which have no shape of their own.
"""

from typing import Final

from rtls.model.georeference import Georeference
from rtls.model.imported_plan import FeatureKind
from rtls.model.site_map import ZoneKind
from rtls.plan_files.layer_kinds import LayerKind

VERSION: Final = "1.0.0"
EXTENSION: Final = "imdf:extension:inaisle:site-map#1.0.0"
MANIFEST: Final = "manifest.json"
OWN: Final = "inaisle"
"""the member of a feature's properties that carries what IMDF has no word for"""
ANCHOR_TYPE: Final = "anchor_device"
OTHER_TYPE: Final = "site_map"
SECTIONS: Final = frozenset({ZoneKind.DEPARTMENT, ZoneKind.CATEGORY})
READ_TYPES: Final = (
    "section",
    "geofence",
    "unit",
    "opening",
    "fixture",
    "kiosk",
    "detail",
    ANCHOR_TYPE,
    OTHER_TYPE,
)
FILES: Final = frozenset(
    {MANIFEST, "venue.geojson", "level.geojson", *(f"{name}.geojson" for name in READ_TYPES)}
)
NOWHERE: Final = Georeference(lon_deg=0.0, lat_deg=0.0)
"""Where a site lies that does not say: in the Gulf of Guinea, where no shop is."""
_DEPARTMENT: Final = LayerKind(kind=FeatureKind.ZONE, zone_kind=ZoneKind.DEPARTMENT)
_ENTRANCE: Final = LayerKind(kind=FeatureKind.ZONE, zone_kind=ZoneKind.ENTRANCE)
_FIXTURE: Final = LayerKind(kind=FeatureKind.FIXTURE)
_NOTHING: Final = LayerKind(kind=None)
_UNITS: Final = {
    "walkway": LayerKind(kind=FeatureKind.WALKABLE),
    "column": _FIXTURE,
    "structure": _FIXTURE,
    "elevator": _NOTHING,
    "escalator": _NOTHING,
    "stairs": _NOTHING,
    "steps": _NOTHING,
    "ramp": _NOTHING,
    "nonpublic": _NOTHING,
    "opentobelow": _NOTHING,
}
_TYPES: Final = {
    "section": _DEPARTMENT,
    "geofence": _DEPARTMENT,
    "fixture": _FIXTURE,
    "kiosk": _FIXTURE,
    "detail": LayerKind(kind=FeatureKind.WALL),
    ANCHOR_TYPE: _NOTHING,
    OTHER_TYPE: _NOTHING,
}
_TYPES_OF: Final[dict[FeatureKind, tuple[str, str | None]]] = {
    FeatureKind.FIXTURE: ("fixture", "furniture"),
    FeatureKind.WALKABLE: ("unit", "walkway"),
    FeatureKind.WALL: ("detail", None),
    FeatureKind.ANCHOR: (ANCHOR_TYPE, None),
    FeatureKind.CONNECTOR: (OTHER_TYPE, None),
}


def kind_of_imdf(feature_type: str, category: str) -> LayerKind:
    """Return what a feature of others is to us.

    Examples
    --------
    >>> kind_of_imdf("unit", "walkway").kind.value
    'walkable'
    """
    if feature_type == "unit":
        return _UNITS.get(category, _DEPARTMENT)
    if feature_type == "opening":
        return _ENTRANCE if category.startswith("pedestrian") else _NOTHING
    return _TYPES[feature_type]


def imdf_type(kind: FeatureKind, zone_kind: str) -> tuple[str, str | None]:
    """Return feature type and category of a thing of ours that has a shape.

    Examples
    --------
    >>> imdf_type(FeatureKind.ZONE, "shelf")
    ('geofence', 'geofence')
    """
    if kind is FeatureKind.ZONE:
        return ("section", "retail") if zone_kind in SECTIONS else ("geofence", "geofence")
    return _TYPES_OF[kind]
