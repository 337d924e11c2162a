"""Read what was learnt of a site's links: per-link range errors, and a survey of signal strength.

Layer: doors. Takes: calib.csv and survey.csv of a recording or a shop. Gives: a `Calibration` to
the engine.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from inaisle.calibration.survey_csv import device_of, radio_map_of, read_points
from inaisle.recording.csv_table import find_table, finite, read_table
from rtls.ingest.recorded_table import anchor_id
from rtls.model.site_map import Radio, SiteMap
from rtls.model.survey import Survey
from rtls.model.units import AnchorId, Dbm, Metre, TagId
from rtls.positioning.calibration import Calibration
from rtls.positioning.path_loss import SurveySample, fit_path_loss

NameOf = Callable[[str, str], AnchorId]


def read_calibration(
    folder: Path, site_map: SiteMap, *, survey: Survey | None = None
) -> Calibration | None:
    """Return what a recording's calib.csv and survey say, or None where there is neither.

    Parameters
    ----------
    folder
        With calib.csv, survey.csv.
    site_map
        The anchors.
    survey
        Survey walks of the recording, where it has those in place of survey.csv.

    `InvalidRecording` names a row that cannot be read, `InvalidCalibration` one that cannot be
    right.
    """
    links_file, survey_file = find_table(folder, "calib"), find_table(folder, "survey")
    if survey is not None:
        return Calibration(radio_map=radio_map_of(site_map, survey))
    if links_file is None and survey_file is None:
        return None
    links = Calibration() if links_file is None else read_links(links_file, name_of=anchor_id)
    is_heard_by_strength = any(anchor.radio is Radio.BLE for anchor in site_map.anchors)
    if survey_file is None or not is_heard_by_strength:
        return links
    losses = fit_path_loss(site_map, tuple(_samples(survey_file))).losses
    radio_map = radio_map_of(site_map, read_points(survey_file))
    return Calibration(losses=losses, links=links.links, radio_map=radio_map)


def as_written(name: str, _where: str) -> AnchorId:
    """Take an anchor's name as it stands, as the map of a shop does."""
    return AnchorId(name)


def read_links(path: Path, *, name_of: NameOf = as_written) -> Calibration:
    """Read a table of tag, anchor, bias_m, slope.

    Parameters
    ----------
    path
        The file.
    name_of
        Makes an anchor id of a name and where it stands; recordings have a rule of their own.
    """
    return Calibration.from_links(
        (
            TagId(row["tag"]),
            name_of(row["anchor"], f"{path}:{line}"),
            finite(row, "bias_m", where=f"{path}:{line}"),
            finite(row, "slope", where=f"{path}:{line}"),
        )
        for line, row in read_table(path, ("tag", "anchor", "bias_m", "slope"))
    )


def _samples(path: Path) -> Iterator[SurveySample]:
    for line, row in read_table(path, ("point", "x", "y", "z", "anchor", "mean", "std")):
        where = f"{path}:{line}"
        x, y, z, mean = (finite(row, name, where=where) for name in ("x", "y", "z", "mean"))
        # A point heard once has no spread; the column is empty there.
        spread = finite(row, "std", where=where) if row["std"] else 0.0
        yield SurveySample(
            anchor=anchor_id(row["anchor"], where),
            x_m=Metre(x),
            y_m=Metre(y),
            z_m=Metre(z),
            rssi=Dbm(mean),
            spread_db=spread,
            device=device_of(row["point"]),
        )
