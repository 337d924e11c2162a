"""M1: the public scene of ESPresense's companion, a flat of two rooms with four receivers.

Layer: benchmarks. Takes: draws of RSSI. Gives: rows for the table, ours beside the peer's.

The scene as its authors state it: 6 × 4 m, a living room up to x = 4 m and a bedroom, receivers in
the four corners, path loss −59 dBm at 1 m with exponent 3, noise of 2.5 dB and a tenth of all
readings 6 dB too weak, in the plane (the height of the receivers is left out of their distances).
Two walks: from corner to corner in 61 samples, and 121 samples straight through the boundary. They
do not state where the walks begin or how fast they go; here the second is the 2 m around the
boundary, which gives their locator about its published share of wrong rooms, and samples are
0.5 s apart. Twenty seeds instead of one. The noise is white: a filter set up for real radio,
whose errors repeat, must take longer over it than one that is set up for this scene.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.row import Row
from rtls.engine import Engine
from rtls.model.reading import READING_DTYPE, ReadingBatch, ReadingKind
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.units import AnchorId, Dbm, Metre, SiteId, TagId, UnixMs
from rtls.positioning.calibration import Calibration
from rtls.positioning.measurement import MeasurementSettings, expected_rssi
from rtls.positioning.path_loss import SurveySample, fit_path_loss
from tests.reference.peers import fix_in_metres

Floats = npt.NDArray[np.float64]
CORNERS = ((0.0, 0.0), (6.0, 0.0), (6.0, 4.0), (0.0, 4.0))
BOUNDARY_M = 4.0
STRENGTH_AT_1M = -59.0
EXPONENT = 3.0
SIGMA_DB = 2.5
FADE_SHARE = 0.10
FADE_DB = 6.0
SEEDS = 20
STEP_MS = 500
START_MS = 1_795_255_200_000
SURVEY_READINGS = 40  # of each anchor at each point: "stand here 20 s"
SURVEY_POINTS = tuple((x, y) for x in (0.75, 2.25, 3.75, 5.25) for y in (0.75, 2.0, 3.25))
TAG_HEIGHT_M = MeasurementSettings().tag_height_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One of the two walks, with what the authors publish of their locator on it."""

    name: str
    places: Floats
    median_max_m: float
    p95_max_m: float
    wrong_room_max: float
    theirs: tuple[float, float, float]


def line(start: tuple[float, float], end: tuple[float, float], samples: int) -> Floats:
    """Return (samples, 2) places at equal steps."""
    share = np.linspace(0.0, 1.0, samples)[:, None]
    places: Floats = np.array(start) + share * (np.array(end) - np.array(start))
    return places


WALKS = (
    Walk(
        name="corner to corner",
        places=line((0.5, 0.5), (5.5, 3.5), 61),
        median_max_m=0.50,
        p95_max_m=1.15,
        wrong_room_max=0.035,
        theirs=(0.60, 1.33, 0.066),
    ),
    Walk(
        name="through the boundary",
        places=line((3.0, 2.0), (5.0, 2.0), 121),
        median_max_m=0.60,
        p95_max_m=1.30,
        wrong_room_max=0.12,
        theirs=(0.60, 1.61, 0.223),
    ),
)


def flat() -> SiteMap:
    """Return the flat; anchors hang at the height of the tag, as the scene is flat."""
    return SiteMap(
        site=SiteId("two-rooms"),
        name="two rooms",
        floors=(Floor(floor=0, name="0", width_m=Metre(6.0), height_m=Metre(4.0)),),
        zones=(),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(f"corner-{index}"),
                radio=Radio.BLE,
                floor=0,
                x_m=Metre(x),
                y_m=Metre(y),
                z_m=Metre(TAG_HEIGHT_M),
                rssi_at_1m=Dbm(STRENGTH_AT_1M),
                exponent=EXPONENT,
            )
            for index, (x, y) in enumerate(CORNERS)
        ),
    )


def heard_at(places: Floats, draw: np.random.Generator) -> Floats:
    """Return (n, 4) noisy RSSI of tags at ``places``."""
    distance = np.linalg.norm(places[:, None] - np.array(CORNERS)[None], axis=2)
    clean = expected_rssi(distance, rssi_at_1m=STRENGTH_AT_1M, exponent=EXPONENT)
    noisy = clean + draw.normal(0.0, SIGMA_DB, clean.shape)
    faded: Floats = noisy - FADE_DB * (draw.random(clean.shape) < FADE_SHARE)
    return faded


def survey(site: SiteMap, draw: np.random.Generator) -> Calibration:
    """Stand at twelve points for 20 s each, and fit what an installer would."""
    samples = []
    for x, y in SURVEY_POINTS:
        rssi = heard_at(np.repeat([(x, y)], SURVEY_READINGS, axis=0), draw)
        samples += [
            SurveySample(
                anchor=anchor.anchor,
                x_m=Metre(x),
                y_m=Metre(y),
                z_m=Metre(TAG_HEIGHT_M),
                rssi=Dbm(float(rssi[:, index].mean())),
                spread_db=float(rssi[:, index].std()),
            )
            for index, anchor in enumerate(site.anchors)
        ]
    return fit_path_loss(site, samples)


def single_fixes(rssi: Floats, site: SiteMap, calibration: Calibration) -> Floats:
    """Return (n, 2) places, each from the four readings of one instant alone: a new engine each."""
    engine = Engine(site, calibration=calibration)
    blank = engine.snapshot()
    places = np.full((len(rssi), 2), np.nan)
    for index, row in enumerate(rssi):
        engine.restore(blank)
        fixes = engine.process(batch_of(row, site.site, 0, UnixMs(START_MS + STEP_MS))).fixes
        if fixes.rows.size:
            places[index] = fixes.rows["x_m"][0], fixes.rows["y_m"][0]
    return places


def followed(rssi: Floats, site: SiteMap, calibration: Calibration) -> Floats:
    """Return (n, 2) places as the engine knew them at each sample's own instant."""
    engine = Engine(site, calibration=calibration)
    places = np.full((len(rssi), 2), np.nan)
    for index, row in enumerate(rssi):
        at_ms = UnixMs(START_MS + (index + 1) * STEP_MS)
        output = engine.process(batch_of(row, site.site, index, at_ms))
        if output.fixes.rows.size:
            places[index] = output.fixes.rows["x_m"][0], output.fixes.rows["y_m"][0]
    return places


def batch_of(rssi: Floats, site: SiteId, sequence: int, at_ms: UnixMs) -> ReadingBatch:
    """Return the four readings of one sample as the engine takes them."""
    readings = np.zeros(len(CORNERS), READING_DTYPE)
    readings["heard_at_ms"] = at_ms
    readings["anchor"] = np.arange(len(CORNERS))
    readings["value"] = rssi
    readings["value_2"] = readings["value_3"] = readings["sigma"] = np.nan
    readings["ref_anchor"] = -1
    readings["kind"] = ReadingKind.RSSI
    return ReadingBatch(
        site=site,
        shard=0,
        sequence=sequence,
        epoch_end_ms=at_ms,
        readings=readings,
        introduced=((0, TagId("phone")),) if sequence == 0 else (),
    )


def in_metres(rssi: Floats) -> Floats:
    """Return (n, 2) places by the peer's method: metres from RSSI, then Nelder-Mead."""
    distance = 10.0 ** ((STRENGTH_AT_1M - rssi) / (10.0 * EXPONENT))
    return np.array([fix_in_metres(np.array(CORNERS), row) for row in distance])


def wrong_room(estimate: Floats, truth: Floats) -> float:
    """Return the share of samples whose place lies in the other room."""
    return float(np.mean((estimate[:, 0] > BOUNDARY_M) != (truth[:, 0] > BOUNDARY_M)))


def run() -> Iterator[Row]:
    """Yield the rows of both walks."""
    site = flat()
    for walk in WALKS:
        kept: dict[str, list[Floats]] = {"single": [], "filter": [], "peer": [], "control": []}
        for seed in range(SEEDS):
            draw = np.random.default_rng((20260530, seed))
            calibration = survey(site, draw)
            rssi = heard_at(walk.places, draw)
            kept["single"].append(single_fixes(rssi, site, calibration))
            kept["filter"].append(followed(rssi, site, calibration))
            kept["peer"].append(in_metres(rssi))
            kept["control"].append(np.roll(kept["filter"][-1], len(rssi) // 2, axis=0))
        truth = np.tile(walk.places, (SEEDS, 1))
        yield from rows_of(walk, {name: np.vstack(parts) for name, parts in kept.items()}, truth)


def rows_of(walk: Walk, found: dict[str, Floats], truth: Floats) -> Iterator[Row]:
    """Yield the rows of one walk."""
    scene = f"two rooms, {walk.name}"
    row = Row(measure="M1", scene=scene, figure="", value=np.nan, unit="m")
    for name, label, p50_max, p95_max in (
        ("single", "single epoch", walk.median_max_m, walk.p95_max_m),
        ("filter", "filter", 0.25, 0.60),
    ):
        error = np.linalg.norm(found[name] - truth, axis=1)
        for share, target in ((50, p50_max), (95, p95_max)):
            yield replace(
                row,
                figure=f"{label}, p{share}",
                value=float(np.nanpercentile(error, share)),
                target=target,
            )
    wrong = wrong_room(found["filter"], truth)
    yield replace(row, figure="wrong room", value=wrong, unit="", target=walk.wrong_room_max)
    error = np.linalg.norm(found["peer"] - truth, axis=1)
    peer = replace(row, measure="peer", note="theirs: median {}, p95 {}, room {}")
    note = peer.note.format(*walk.theirs)
    for share in (50, 95):
        value = float(np.percentile(error, share))
        yield replace(peer, figure=f"Nelder-Mead on metres, p{share}", value=value, note=note)
    wrong = wrong_room(found["peer"], truth)
    yield replace(peer, figure="Nelder-Mead, wrong room", value=wrong, unit="", note=note)
    error = np.linalg.norm(found["control"] - truth, axis=1)
    yield replace(
        row,
        measure="control",
        figure="places of another instant, p50",
        value=float(np.nanpercentile(error, 50)),
        target=0.6,
        is_floor=True,
    )
