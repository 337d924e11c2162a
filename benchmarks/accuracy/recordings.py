"""M6: every recording through replay and score, as the product is set up by default.

Layer: benchmarks. Takes: the recordings beside the checkout. Gives: rows for the table.

Nothing is set for one recording: what differs between them is what their own anchors, calibration,
survey and map files say. Targets are the design's where it names one, else the best figure of any
method in the recording's README.
"""

import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.accuracy.row import Row
from benchmarks.accuracy.zone_sizes import shares_of_sizes
from inaisle.recording.replay import replay_recording
from inaisle.recording.score import Score
from inaisle.recording.score_view import score_files, score_zone_file

DATA = Path(
    os.environ.get("INAISLE_RECORDINGS", Path(__file__).resolve().parents[3] / "shared" / "data")
)
FIGURES: Mapping[str, str] = {
    "p50": "p50_m",
    "p75": "p75_m",
    "p90": "p90_m",
    "p95": "p95_m",
    "located": "located_share",
    "in 90 % ellipse": "inside_ellipse_90",
    "right floor": "floor_hit",
}
LOCATED_MIN = 0.98
ELLIPSE = (0.85, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is aimed at on one group of instants of one recording.

    Parameters
    ----------
    recording
        Name of the folder.
    group
        "moving", "standing" or "all".
    is_calibrated
        Whether the recording's survey and calibration are used.
    most, least
        Figure by figure.
    """

    recording: str
    group: str
    most: Mapping[str, float]
    least: Mapping[str, float]
    is_calibrated: bool = True

    @property
    def scene(self) -> str:
        """Return how the table names it."""
        way = "" if self.is_calibrated else ", anchors only"
        return f"{self.recording} {self.group}{way}"


FLOORS_OF = {"wifi_floors": 0.970, "mall_walks": 0.917}
AIMS = (
    Aim(recording="uwb_trolley", group="moving", most={"p50": 0.05, "p90": 0.09}, least={}),
    Aim(
        recording="uwb_trolley",
        group="standing",
        most={"p50": 0.05, "p75": 0.07, "p90": 0.09, "p95": 0.11},
        least={},
    ),
    Aim(
        recording="uwb_trolley",
        group="moving",
        most={"p50": 0.12, "p90": 0.20},
        least={},
        is_calibrated=False,
    ),
    Aim(
        recording="ble_office",
        group="moving",
        most={"p50": 1.1, "p75": 1.61, "p90": 2.5, "p95": 3.01},
        least={},
    ),
    Aim(
        recording="ble_office",
        group="standing",
        most={"p50": 1.33, "p75": 2.46, "p90": 3.03, "p95": 4.32},
        least={},
    ),
    Aim(
        recording="ble_office",
        group="moving",
        most={"p50": 1.8, "p90": 4.0},
        least={},
        is_calibrated=False,
    ),
    Aim(
        recording="ble_flat",
        group="all",
        most={"p50": 0.99, "p75": 1.58, "p90": 2.15, "p95": 2.34},
        least={},
    ),
    Aim(
        recording="ble_library",
        group="all",
        most={"p50": 1.89, "p75": 2.87, "p90": 4.06, "p95": 4.50},
        least={},
    ),
    Aim(
        recording="wifi_floors",
        group="all",
        most={"p50": 1.68, "p75": 2.93, "p90": 4.94, "p95": 7.38},
        least={"right floor": FLOORS_OF["wifi_floors"]},
    ),
    Aim(
        recording="mall_walks",
        group="all",
        most={"p50": 6.77, "p75": 11.78, "p90": 19.71, "p95": 32.91},
        least={"right floor": FLOORS_OF["mall_walks"]},
    ),
)
WITH_ZONES = {"ble_library": 0.18, "mall_walks": None}  # the best nearest-shelf rate of the README


def run(data: Path = DATA) -> Iterator[Row]:
    """Replay and score each recording once with and, where aimed at, once without its survey."""
    for name, is_calibrated in dict.fromkeys((a.recording, a.is_calibrated) for a in AIMS):
        aims = [a for a in AIMS if (a.recording, a.is_calibrated) == (name, is_calibrated)]
        if not (data / name).is_dir():
            yield Row(
                measure="M6",
                scene=aims[0].scene,
                figure="not run",
                value=math.nan,
                unit="",
                note=f"no recording at {data.name}/{name}",
            )
            continue
        with tempfile.TemporaryDirectory() as folder:
            yield from rows_of(data / name, aims, Path(folder), is_calibrated=is_calibrated)


def rows_of(
    recording: Path, aims: list[Aim], scratch: Path, *, is_calibrated: bool
) -> Iterator[Row]:
    """Yield the rows of one replay."""
    zones = scratch / "zones.csv" if recording.name in WITH_ZONES and is_calibrated else None
    fixes = scratch / "fixes.csv"
    summary = replay_recording(recording, emit=fixes, emit_zones=zones, is_calibrated=is_calibrated)
    report = score_files(recording, fixes)
    groups = {score.name: score for score in (*report.groups, report.overall)}
    for aim in aims:
        yield from rows_of_aim(aim, groups[aim.group])
    row = Row(measure="", scene=aims[0].scene, figure="", value=0.0, unit="s")
    note = f"{summary.readings:,} readings"
    yield replace(row, figure="replay of the whole", value=summary.seconds, note=note)
    for side_m, share in shares_of_sizes(recording, fixes):
        yield replace(row, figure=f"in the right square of {side_m:g} m", value=share, unit="")
    if zones is not None:
        yield from rows_of_zones(recording, zones, aims[0].scene)


def rows_of_aim(aim: Aim, score: Score) -> Iterator[Row]:
    """Yield one group's figures beside what is aimed at."""
    least = {"located": LOCATED_MIN, "in 90 % ellipse": ELLIPSE[0], **aim.least}
    for figure, name in FIGURES.items():
        value = getattr(score, name)
        if value is None:
            continue
        yield Row(
            measure="M6",
            scene=aim.scene,
            figure=figure,
            value=value,
            unit="m" if figure.startswith("p") else "",
            target=least.get(figure, aim.most.get(figure)),
            is_floor=figure in least,
        )
    yield Row(
        measure="M6",
        scene=aim.scene,
        figure="in 90 % ellipse",
        value=score.inside_ellipse_90,
        unit="",
        target=ELLIPSE[1],
    )


def rows_of_zones(recording: Path, zones: Path, scene: str) -> Iterator[Row]:
    """Yield how well the shelves or shops were named."""
    score = score_zone_file(recording, zones)
    best = WITH_ZONES[recording.name]
    for figure, value, target in (
        ("nearest zone right", score.hit_rate, best),
        ("named with P ≥ 0.8", score.sure_share, None),
        ("right among these", score.sure_hit_rate, None),
        ("ECE", score.ece, None),
    ):
        yield Row(
            measure="M6",
            scene=scene,
            figure=figure,
            value=value,
            unit="",
            target=target,
            is_floor=True,
        )
