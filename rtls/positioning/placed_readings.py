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
from rtls.model.site_map import Anchor, SiteMap
from rtls.model.units import Dbm, Metre, TagId
from rtls.positioning.path_loss import SurveySample

Rows = npt.NDArray[np.void]
ANCHOR_DEVICE: Final = "anchor:"  # cannot begin a tag id that stands for a phone
STOPS_MIN: Final = 4
LINE_SD_M_MIN: Final = 0.5
FAINT_SHARE: Final = 0.02
REACH_FACTOR: Final = 1.3

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
    """Yield the strength of each anchor at each stop, and of each anchor at each other.

    It is the median over all beats of the tag, those not heard counted as the weakest; where less
    than half were heard it is known only to be below what the tag hears at all.
    """
    strengths = placed.of_kind(ReadingKind.RSSI).rows
    order = np.lexsort((strengths["anchor"], strengths["tag"], strengths["stop"]))
    strengths = strengths[order]
    faintest = {
        tag: Dbm(float(np.quantile(strengths["value"][strengths["tag"] == tag], FAINT_SHARE)))
        for tag in np.unique(strengths["tag"]).tolist()
    }
    reach = farthest_heard(site_map, strengths)
    for at_stop in groups_of(strengths, ("stop", "tag")):
        by_anchor = {int(rows["anchor"][0]): rows for rows in groups_of(at_stop, ("anchor",))}
        beats = max(len(rows) for rows in by_anchor.values())
        tag = int(at_stop["tag"][0])
        for index, far in reach.items():
            rows = by_anchor.get(index)
            sample = sample_at(at_stop, site_map.anchors[index], device=placed.tags[tag])
            if rows is not None and 2 * len(rows) >= beats:
                yield heard_sample(sample, rows, beats)
            elif rows is not None or away_from(sample, site_map.anchors[index]) <= far:
                yield replace(sample, rssi=faintest[tag], is_ceiling=True)
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


def sample_at(rows: Rows, anchor: Anchor, *, device: str) -> SurveySample:
    """Return a sample of an anchor at the place of some readings, still without a strength."""
    x, y, z = (Metre(float(rows[axis].mean())) for axis in ("x_m", "y_m", "z_m"))
    return SurveySample(anchor=anchor.anchor, x_m=x, y_m=y, z_m=z, rssi=Dbm(0.0), device=device)


def heard_sample(sample: SurveySample, rows: Rows, beats: int) -> SurveySample:
    """Return the sample with the median over all beats, heard or not."""
    unheard = 1.0 - len(rows) / beats
    share = max(0.5 - unheard, 0.0) / (1.0 - unheard)
    within = float(np.sqrt(np.mean(rows["spread"] ** 2) + np.var(rows["value"])))
    return replace(sample, rssi=Dbm(float(np.quantile(rows["value"], share))), spread_db=within)


def farthest_heard(site_map: SiteMap, strengths: Rows) -> dict[int, float]:
    """Return by anchor how far away its silence still counts: beyond where it is ever heard."""
    reach = {}
    for index in np.unique(strengths["anchor"]).tolist():
        anchor, own = site_map.anchors[index], strengths[strengths["anchor"] == index]
        away = np.hypot(own["x_m"] - anchor.x_m, own["y_m"] - anchor.y_m)
        reach[index] = REACH_FACTOR * float(away.max())
    return reach


def away_from(sample: SurveySample, anchor: Anchor) -> float:
    """Return the distance on the floor."""
    return float(np.hypot(sample.x_m - anchor.x_m, sample.y_m - anchor.y_m))


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
