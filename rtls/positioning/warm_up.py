"""Compile every kernel of positioning before the first reading comes.

Layer: rules. Takes: nothing. Gives: compiled kernels (from the cache where it is filled) to the
engine, so that no reading ever waits for a compiler.
"""

import sys

import numpy as np
from numba.core.dispatcher import Dispatcher

from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingKind
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.track import TRACK_DTYPE
from rtls.model.units import AnchorId, Metre, SiteId, UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.multilateration import (
    locate_readings,
    multilaterate_ranges,
    multilaterate_rssi,
)
from rtls.positioning.tracking import TrackingSettings, coast_tracks, update_tracks

CORNERS = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))


def warm_up(settings: TrackingSettings | None = None) -> None:
    """Run two epochs of one tag in a square of four anchors, with the dtypes of real ones."""
    chosen = settings or TrackingSettings()
    tracks = np.zeros(1, TRACK_DTYPE)
    anchors = AnchorTable.build(square_site())
    for epoch_end_ms in (UnixMs(100), UnixMs(200)):
        update_tracks(
            tracks,
            readings_at(epoch_end_ms),
            anchors=anchors,
            epoch_end_ms=epoch_end_ms,
            settings=chosen,
        )
    coast_tracks(tracks, np.zeros(1, np.int32), at_ms=UnixMs(300), settings=chosen)
    unheard = np.full((1, len(anchors)), np.nan)
    locate_readings(readings_at(UnixMs(100)), anchors=anchors, settings=chosen)
    multilaterate_ranges(unheard, anchors=anchors, settings=chosen.measurement)
    multilaterate_rssi(unheard, anchors=anchors, settings=chosen)


def square_site(radio: Radio = Radio.UWB) -> SiteMap:
    """Return four anchors at the corners of a square of 10 m."""
    return SiteMap(
        site=SiteId("warm-up"),
        name="warm-up",
        floors=(Floor(floor=0, name="0", width_m=Metre(10.0), height_m=Metre(10.0)),),
        zones=(),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(f"a{index}"),
                radio=radio,
                floor=0,
                x_m=Metre(x),
                y_m=Metre(y),
                z_m=Metre(3.0),
            )
            for index, (x, y) in enumerate(CORNERS)
        ),
    )


def readings_at(heard_at_ms: UnixMs) -> ReadingArray:
    """Return one range to each corner, from the middle of the square."""
    readings = np.zeros(len(CORNERS), READING_DTYPE)
    readings["heard_at_ms"] = heard_at_ms
    readings["anchor"] = np.arange(len(CORNERS))
    readings["kind"] = ReadingKind.RANGE
    readings["value"] = np.hypot(np.hypot(5.0, 5.0), 2.0)
    readings["sigma"] = np.nan
    readings["ref_anchor"] = -1
    return readings


def compiled_signatures() -> int:
    """Return how many kernels have been compiled or loaded, by signature.

    After `Engine.warm_up` the number stands still, or a reading had to wait for a compiler.
    """
    kernels = {
        id(kernel): kernel
        for name, module in list(sys.modules.items())
        if name.startswith("rtls.") and ".kernels" in name
        for kernel in vars(module).values()
        if isinstance(kernel, Dispatcher)
    }
    return sum(len(kernel.signatures) for kernel in kernels.values())
