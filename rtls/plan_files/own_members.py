"""Keep of a feature's properties what a site map knows, and nothing else.

Layer: rules. Takes: the properties of a feature of ours, as a file has them. Gives: those that
docs/site_map.md names, to the readers of GeoJSON and IMDF.
"""

from collections.abc import Mapping
from typing import Final

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import FeatureKind, PlanFloor
from rtls.plan_files.json_parts import Json, list_of, number_of, object_of, whole_of

TEXT_MAX: Final = 200
MEMBERS_MAX: Final = 64
_DRAWN: Final = frozenset({"name", "floor", "layer"})
OWN_PROPERTIES: Final[Mapping[FeatureKind, frozenset[str]]] = {
    FeatureKind.ZONE: _DRAWN | {"zone_kind", "parent", "rules", "near_m", "far_m", "pair"},
    FeatureKind.FIXTURE: _DRAWN,
    FeatureKind.WALL: _DRAWN,
    FeatureKind.WALKABLE: _DRAWN,
    FeatureKind.CONNECTOR: frozenset({"connector_kind", "name", "stops", "direction"}),
    FeatureKind.ANCHOR: frozenset(
        {
            "radio",
            "floor",
            "gateway",
            "rssi_at_1m",
            "exponent",
            "range_bias_m",
            "range_slope",
            "yaw_deg",
        }
    ),
}


def own_properties(kind: FeatureKind, given: Json) -> Json:
    """Return the properties that a feature of this kind has in a site map.

    `InvalidPlanFile` names one that is no text, number, or small list or object of these.
    """
    kept = {name: given[name] for name in sorted(OWN_PROPERTIES[kind] & given.keys())}
    for name, value in kept.items():
        _check(value, name, depth=0)
    return kept


def own_floors(head: Json) -> tuple[PlanFloor, ...]:
    """Return the floors that the head of a map of ours names."""
    return tuple(
        PlanFloor(
            floor=whole_of(each.get("floor"), "inaisle.floors: floor"),
            name=text_of(each.get("name"), "inaisle.floors: name"),
            width_m=number_of(each.get("width_m"), "inaisle.floors: width_m"),
            height_m=number_of(each.get("height_m"), "inaisle.floors: height_m"),
        )
        for each in (
            object_of(floor, "inaisle.floors")
            for floor in list_of(head.get("floors"), "inaisle.floors")
        )
    )


def text_of(given: object, what: str) -> str:
    """Return a text of 1 to 200 characters.

    Raises
    ------
    InvalidPlanFile
        If it is something else.
    """
    if not isinstance(given, str) or not 1 <= len(given) <= TEXT_MAX:
        raise InvalidPlanFile(
            f"{what} is {str(given)[:40]!r}; expected a text of 1 to {TEXT_MAX} characters. "
            "Correct the file."
        )
    return given


def _check(value: object, what: str, *, depth: int) -> None:
    """Refuse what no rule, stop or pair of a map looks like.

    Raises
    ------
    InvalidPlanFile
        If it has too many members, or members too deep.
    """
    if isinstance(value, str):
        text_of(value, what)
    elif isinstance(value, list | dict):
        if depth > 2 or len(value) > MEMBERS_MAX:  # noqa: PLR2004  rules, stops, a stop, its place
            raise InvalidPlanFile(
                f"{what} has {len(value)} members, or members within members; expected at most "
                f"{MEMBERS_MAX}, as docs/site_map.md shows. Correct the file."
            )
        for member in value.values() if isinstance(value, dict) else value:
            _check(member, what, depth=depth + 1)
    elif value is not None and not isinstance(value, bool):
        number_of(value, what)
