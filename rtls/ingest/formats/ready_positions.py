"""Make readings of positions that another system has computed.

Layer: rules. Takes: coordinates in the frame of that system, from the decoders of DWM1001 and
omlox. Gives: columns of kind `POSITION` in the frame of the site's floor. Such a source stands in
the site map as an anchor: its floor is that of the positions, and like any anchor it is believed
less when what it says does not fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rtls.ingest.formats.decoded import NO_AGE, NO_SIGMA, ReadingColumns
from rtls.ingest.formats.site_frame import OURS, SiteFrame
from rtls.model.reading import ReadingKind
from rtls.model.site_map import COORDINATE_M_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyPosition:
    """One position of one tag, in the frame of the site's floor."""

    tag: str
    anchor: str
    x_m: float
    y_m: float
    z_m: float | None = None
    sigma_m: float = NO_SIGMA
    """of one axis"""
    age_ms: int = NO_AGE
    order: int | None = None


def position_columns(positions: Sequence[ReadyPosition]) -> tuple[ReadingColumns, ...]:
    """Return the positions as columns: those with a height, and those without."""
    solid = [one for one in positions if one.z_m is not None]
    flat = [one for one in positions if one.z_m is None]
    return tuple(_columns(group) for group in (solid, flat) if group)


def _columns(group: Sequence[ReadyPosition]) -> ReadingColumns:
    heights = [one.z_m for one in group if one.z_m is not None]
    orders = [one.order for one in group if one.order is not None]
    return ReadingColumns(
        kind=ReadingKind.POSITION,
        tags=[one.tag for one in group],
        anchors=[one.anchor for one in group],
        values=[one.x_m for one in group],
        values_2=[one.y_m for one in group],
        values_3=heights or None,
        ages_ms=[one.age_ms for one in group],
        sigmas=[one.sigma_m for one in group],
        orders=orders if len(orders) == len(group) else None,
    )


def is_place(*coordinates: float) -> bool:
    """Say whether coordinates are finite metres of a building.

    Examples
    --------
    >>> is_place(18.7, 61.6), is_place(float("nan"), 1.0), is_place(1e9)
    (True, False, False)
    """
    return all(abs(one) <= COORDINATE_M_MAX for one in coordinates)


def frame_of(
    frames: Mapping[str, SiteFrame], source: str, *, floor: int | None = None
) -> SiteFrame:
    """Return the frame of a source: of its floor if the site tells floors apart, else of all."""
    if floor is not None:
        found = frames.get(f"{source}-{floor}")
        if found is not None:
            return found
    return frames.get(source, OURS)
