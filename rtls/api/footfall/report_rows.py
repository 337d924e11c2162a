"""Lay told reports out in rows, the same for JSON, CSV and Parquet.

Layer: edges. Takes: reports of rtls.footfall_reports. Gives: typed rows to the footfall routes. A
figure that is withheld is null; a cell, flow or path that is withheld has no row.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import numpy as np
from typing_extensions import TypedDict

from rtls.api.footfall.report_table import Value
from rtls.footfall.heatmap import Heatmap, HeatmapChange
from rtls.footfall.shelf_report import ShelfFigures
from rtls.footfall.walk_paths import WalkWay
from rtls.footfall.what_if import MoveEstimate
from rtls.footfall.zone_paths import ZonePath
from rtls.footfall.zone_report import QUANTILES, ZoneFigures

Kinds = dict[str, type[str] | type[int] | type[float]]
Row = dict[str, Value]
DECIMALS: Final = 4
PATH_ARROW: Final = " > "


class RowDocument(TypedDict):
    """One row: its columns are named in the description of the route."""


CELL_COLUMNS: Final[Kinds] = {
    "floor": int,
    "column": int,
    "row": int,
    "x_m": float,
    "y_m": float,
    "area_m2": float,
    "blocks_told": int,
    "visitors": int,
    "person_s": float,
    "density_s_m2": float,
}
CHANGE_COLUMNS: Final[Kinds] = {
    "floor": int,
    "column": int,
    "row": int,
    "x_m": float,
    "y_m": float,
    "visitors_a_block": float,
    "person_s_a_block": float,
    "is_clear": int,
}
ZONE_COLUMNS: Final[Kinds] = {
    "zone": str,
    "hour": int,
    "visitors": int,
    "passers": int,
    "stoppers": int,
    "stop_rate": float,
    "dwell_s_mean": float,
    **{f"dwell_p{100 * q:.0f}_{end}_s": int for q in QUANTILES for end in ("low", "high")},
}
SHELF_COLUMNS: Final[Kinds] = {
    **ZONE_COLUMNS,
    "offered": int,
    "seen": int,
    "redeemed": int,
    "bought": int,
    "offers_a_stop": float,
    "redemption_rate": float,
    "purchase_rate": float,
    "dwell_without_purchase": float,
}
FLOW_COLUMNS: Final[Kinds] = {
    "from_zone": str,
    "to_zone": str,
    "visitors": int,
    "share_of_next": float,
    "share_of_previous": float,
}
PATH_COLUMNS: Final[Kinds] = {"path": str, "visitors": int}
WAY_COLUMNS: Final[Kinds] = {
    "floor": int,
    "from_x_m": float,
    "from_y_m": float,
    "to_x_m": float,
    "to_y_m": float,
    "visitors": int,
}
MOVE_COLUMNS: Final[Kinds] = {
    "figure": str,
    "now": float,
    "expected": float,
    "change": float,
    "change_low": float,
    "change_high": float,
    "change_if_nobody_came_for_it": float,
    "change_if_all_stops_came_for_it": float,
}


def cell_rows(floors: Sequence[Heatmap]) -> list[Row]:
    """Return the told cells, floor by floor, row by row."""
    found: list[Row] = []
    for heatmap in floors:
        density, cell_m = heatmap.density_s_m2, heatmap.ground.cell_m
        for row, column in np.argwhere(heatmap.is_told).tolist():
            found.append(
                {
                    "floor": heatmap.ground.floor,
                    "column": column,
                    "row": row,
                    "x_m": rounded((column + 0.5) * cell_m),
                    "y_m": rounded((row + 0.5) * cell_m),
                    "area_m2": rounded(float(heatmap.ground.area_m2[row, column])),
                    "blocks_told": int(heatmap.blocks_told[row, column]),
                    "visitors": int(heatmap.visitors[row, column]),
                    "person_s": float(heatmap.person_s[row, column]),
                    "density_s_m2": rounded(float(density[row, column])),
                }
            )
    return found


def change_rows(floors: Sequence[HeatmapChange]) -> list[Row]:
    """Return the cells that are told in both windows."""
    found: list[Row] = []
    for change in floors:
        cell_m = change.ground.cell_m
        for row, column in np.argwhere(change.is_told).tolist():
            found.append(
                {
                    "floor": change.ground.floor,
                    "column": column,
                    "row": row,
                    "x_m": rounded((column + 0.5) * cell_m),
                    "y_m": rounded((row + 0.5) * cell_m),
                    "visitors_a_block": rounded(float(change.visitors[row, column])),
                    "person_s_a_block": rounded(float(change.person_s[row, column])),
                    "is_clear": int(change.is_clear[row, column]),
                }
            )
    return found


def zone_rows(figures: Sequence[ZoneFigures]) -> list[Row]:
    """Return a row a zone and hour."""
    return [_zone_row(one) for one in figures]


def shelf_rows(figures: Sequence[ShelfFigures]) -> list[Row]:
    """Return a row a zone and hour, with offers and purchases."""
    return [
        _zone_row(one.zone)
        | {
            "offered": one.offered,
            "seen": one.seen,
            "redeemed": one.redeemed,
            "bought": one.bought,
            "offers_a_stop": rounded(one.offers_a_stop),
            "redemption_rate": rounded(one.redemption_rate),
            "purchase_rate": rounded(one.purchase_rate),
            "dwell_without_purchase": rounded(one.dwell_without_purchase),
        }
        for one in figures
    ]


def flow_rows(paths: Sequence[ZonePath]) -> list[Row]:
    """Return a row a flow, with its share of what is told of the zone before and after it."""
    out_of: dict[str | None, int] = {}
    into: dict[str | None, int] = {}
    for path in paths:
        first, last = path.zones
        out_of[first] = out_of.get(first, 0) + path.visitors
        into[last] = into.get(last, 0) + path.visitors
    return [
        {
            "from_zone": path.zones[0],
            "to_zone": path.zones[1],
            "visitors": path.visitors,
            "share_of_next": rounded(path.visitors / out_of[path.zones[0]]),
            "share_of_previous": rounded(path.visitors / into[path.zones[1]]),
        }
        for path in paths
    ]


def path_rows(paths: Sequence[ZonePath]) -> list[Row]:
    """Return a row a path."""
    return [
        {"path": PATH_ARROW.join(zone or "" for zone in path.zones), "visitors": path.visitors}
        for path in paths
    ]


def way_rows(ways: Sequence[WalkWay]) -> list[Row]:
    """Return a row a way."""
    return [asdict(way) for way in ways]


def move_rows(estimate: MoveEstimate) -> list[Row]:
    """Return a row for the visitors and one for the stoppers."""
    figures = {"visitors": estimate.visitors, "stoppers": estimate.stoppers}
    return [
        {"figure": name, **{key: rounded(value) for key, value in asdict(figure).items()}}
        for name, figure in figures.items()
    ]


def rounded(value: float | None) -> float | None:
    """Return a figure with as many digits as anybody reads."""
    return None if value is None else round(value, DECIMALS)


def _zone_row(figures: ZoneFigures) -> Row:
    known = {quantile.share: quantile for quantile in figures.quantiles}
    row: Row = {
        "zone": figures.zone,
        "hour": figures.hour,
        "visitors": figures.visitors,
        "passers": figures.passers,
        "stoppers": figures.stoppers,
        "stop_rate": rounded(figures.stop_rate),
        "dwell_s_mean": rounded(figures.dwell_s_mean),
    }
    for share in QUANTILES:
        quantile = known.get(share)
        row[f"dwell_p{100 * share:.0f}_low_s"] = None if quantile is None else quantile.low_s
        row[f"dwell_p{100 * share:.0f}_high_s"] = None if quantile is None else quantile.high_s
    return row
