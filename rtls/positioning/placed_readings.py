"""Hold readings whose two ends are both known: what calibration is made from.

Layer: rules. Takes: columns from the door (survey points, walks, anchors that hear each other).
Gives: `PlacedReadings` and `AnchorLinks` to range_calibration, anchor_check and path_loss.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.model.units import Dbm, Metre, TagId
from rtls.positioning.path_loss import SurveySample

Rows = npt.NDArray[np.void]
ANCHOR_DEVICE: Final = "anchor:"  # cannot begin a tag id that stands for a phone
STOPS_MIN: Final = 4
LINE_SD_M_MIN: Final = 0.5

PLACED_DTYPE: Final = np.dtype(
    [
        ("stop", np.int32),  # readings of one place share it: a survey point, two metres of a walk
        ("tag", np.int32),  # index into `tags`
        ("anchor", np.int32),  # index in the site map
        ("kind", np.uint8),
        ("floor", np.int32),
        ("x_m", np.float64),
        ("y_m", np.float64),
        ("z_m", np.float64),
        ("value", np.float64),
        ("spread", np.float64),  # of a value that is a mean; 0 for a single reading
    ]
)
LINK_DTYPE: Final = np.dtype(
    [
        ("hearer", np.int32),  # indices in the site map
        ("heard", np.int32),
        ("kind", np.uint8),
        ("value", np.float64),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedReadings:
    """Readings of tags whose place was known.

    Parameters
    ----------
    rows
        `PLACED_DTYPE`.
    tags
        Names that the rows point to.
    """

    rows: Rows
    tags: tuple[TagId, ...]

    def __post_init__(self) -> None:
        for column in ("x_m", "y_m", "z_m", "value"):
            if not np.isfinite(self.rows[column]).all():
                raise InvalidCalibration(
                    f"{column} of a surveyed reading is not finite; expected numbers."
                )

    @property
    def stops(self) -> npt.NDArray[np.int32]:
        """Return the stops, each once, rising."""
        return np.unique(self.rows["stop"])

    def of_kind(self, kind: ReadingKind) -> "PlacedReadings":
        """Return the readings of one kind."""
        return replace(self, rows=self.rows[self.rows["kind"] == kind])

    def without(self, stops: Collection[int]) -> "PlacedReadings":
        """Return what is left when some stops are held back."""
        held = np.isin(self.rows["stop"], np.fromiter(stops, np.int64, len(stops)))
        return replace(self, rows=self.rows[~held])

    def places(self) -> npt.NDArray[np.float64]:
        """Return the mean place of each stop, (n_stops, 2) m."""
        stops = self.stops
        return np.stack([
            [self.rows[axis][self.rows["stop"] == stop].mean() for axis in ("x_m", "y_m")]
            for stop in stops
        ]) if len(stops) else np.empty((0, 2))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorLinks:
    """Anchors that hear each other: `LINK_DTYPE` rows."""

    rows: Rows

    def of_kind(self, kind: ReadingKind) -> "AnchorLinks":
        """Return the readings of one kind."""
        return AnchorLinks(rows=self.rows[self.rows["kind"] == kind])


NO_LINKS: Final = AnchorLinks(rows=np.empty(0, LINK_DTYPE))


def samples_of(
    site_map: SiteMap, placed: PlacedReadings, links: AnchorLinks = NO_LINKS
) -> Iterator[SurveySample]:
    """Yield the mean strength of each anchor at each stop, and of each anchor at each other."""
    strengths = placed.of_kind(ReadingKind.RSSI).rows
    order = np.lexsort((strengths["tag"], strengths["anchor"], strengths["stop"]))
    for rows in groups_of(strengths[order], ("stop", "anchor", "tag")):
        within = float(np.sqrt(np.mean(rows["spread"] ** 2) + np.var(rows["value"])))
        yield SurveySample(
            anchor=site_map.anchors[rows["anchor"][0]].anchor,
            x_m=Metre(float(rows["x_m"].mean())),
            y_m=Metre(float(rows["y_m"].mean())),
            z_m=Metre(float(rows["z_m"].mean())),
            rssi=Dbm(float(rows["value"].mean())),
            spread_db=within,
            device=placed.tags[rows["tag"][0]],
        )
    heard = links.of_kind(ReadingKind.RSSI).rows
    for rows in groups_of(heard[np.lexsort((heard["heard"], heard["hearer"]))],
                          ("hearer", "heard")):  # fmt: skip
        sender = site_map.anchors[rows["heard"][0]]
        yield SurveySample(
            anchor=site_map.anchors[rows["hearer"][0]].anchor,
            x_m=sender.x_m,
            y_m=sender.y_m,
            z_m=sender.z_m,
            rssi=Dbm(float(rows["value"].mean())),
            spread_db=float(rows["value"].std()),
            device=f"{ANCHOR_DEVICE}{sender.anchor}",
        )


def groups_of(rows: Rows, columns: tuple[str, ...]) -> Iterator[Rows]:
    """Yield runs of rows that agree in some columns; the rows are sorted by them."""
    if not len(rows):
        return
    differs = np.zeros(len(rows) - 1, np.bool_)
    for column in columns:
        differs |= rows[column][1:] != rows[column][:-1]
    yield from np.split(rows, np.flatnonzero(differs) + 1)


def refuse_poor_places(placed: PlacedReadings) -> None:
    """Refuse a survey that cannot tell one side of the shop from the other.

    Raises
    ------
    InvalidCalibration
        If there are fewer than four places, or all lie along one wall.
    """
    places = placed.places()
    if len(places) < STOPS_MIN:
        raise InvalidCalibration(
            f"the survey has {len(places)} places with readings; expected {STOPS_MIN} or more, "
            "better twenty. Stand at more points, spread over the floor, for 20 s each."
        )
    spread = np.linalg.eigvalsh(np.cov(places.T))
    across_m = float(np.sqrt(max(spread[0], 0.0)))
    if across_m < LINE_SD_M_MIN:
        raise InvalidCalibration(
            f"the places of the survey lie within {across_m:.2f} m of one line; expected "
            f"{LINE_SD_M_MIN} m or more to either side. Survey the other walls and the middle too."
        )
