"""Write and read the calibration of a site: calibration.json.

Layer: doors. Takes: a `Calibration` and what it was made from. Gives: the file, and from the file
the `Calibration` to inaisle.site.site_loading. The file belongs to one map: it holds a digest of
what the radio sees of it, and is refused where anchors, walls or furniture have changed since.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from inaisle.calibration.radio_map_file import load_radio_map, save_radio_map
from inaisle.errors import Unavailable
from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import SiteMap
from rtls.model.units import AnchorId, Dbm, Metre, TagId
from rtls.positioning.calibration import AnchorLoss, Calibration, LinkRange

FORMAT: Final = "inaisle-calibration"
VERSION: Final = 1
DIGEST_BYTES: Final = 16
FILE_BYTES_MAX: Final = 50_000_000


class LossRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Path loss of one anchor."""

    anchor: str
    rssi_at_1m: float
    exponent: float
    sigma_db: float
    bias_sd_db: float


class RangeRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Range error of one anchor; of one tag to it where a tag is named."""

    anchor: str
    bias_m: float
    slope: float
    bias_sd_m: float | None = None
    tag: str | None = None


class DeviceRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much louder than the mean a surveying device hears."""

    tag: str
    offset_db: float


class MadeFrom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the calibration stands on, and how good it proved."""

    recording: str
    points: int
    readings: int
    anchor_links: int
    verdict: str
    p50_m: float | None = None
    p90_m: float | None = None


class CalibrationDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    format: str
    version: int
    site: str
    map_digest: str
    made_from: MadeFrom
    losses: tuple[LossRow, ...] = ()
    ranges: tuple[RangeRow, ...] = ()
    links: tuple[RangeRow, ...] = ()
    devices: tuple[DeviceRow, ...] = ()
    radio_map: str | None = None
    """name of the file beside this one"""


def radio_digest(site_map: SiteMap) -> str:
    """Return a digest of what radio sees of a map: anchors, floors, walls and furniture.

    Zones and names may change without a new calibration.
    """
    anchors = [(a.anchor, a.radio, a.floor, a.x_m, a.y_m, a.z_m) for a in site_map.anchors]
    floors = [(floor.floor, floor.width_m, floor.height_m) for floor in site_map.floors]
    walls = [(wall.floor, wall.line) for wall in site_map.walls]
    fixtures = [(fixture.floor, fixture.ring) for fixture in site_map.fixtures]
    content = repr((site_map.site, sorted(anchors), floors, walls, fixtures))
    return hashlib.blake2b(content.encode(), digest_size=DIGEST_BYTES).hexdigest()


def save_calibration(
    path: Path,
    calibration: Calibration,
    *,
    site_map: SiteMap,
    made_from: MadeFrom,
    offset_db: Mapping[str, float],
) -> None:
    """Write the file, whole or not at all, and the radio map beside it.

    Raises
    ------
    Unavailable
        If it cannot be written.
    """
    map_name = None
    if calibration.radio_map is not None:
        map_name = f"{path.stem}.radio_map.npz"
        save_radio_map(path.with_name(map_name), calibration.radio_map, site_map)
    document = CalibrationDocument(
        format=FORMAT,
        version=VERSION,
        site=site_map.site,
        map_digest=radio_digest(site_map),
        made_from=made_from,
        losses=tuple(
            LossRow(anchor, loss.rssi_at_1m, loss.exponent, loss.sigma_db, loss.bias_sd_db)
            for anchor, loss in sorted(calibration.losses.items())
        ),
        ranges=tuple(
            RangeRow(anchor, error.bias_m, error.slope, error.bias_sd_m)
            for anchor, error in sorted(calibration.ranges.items())
        ),
        links=tuple(
            RangeRow(anchor, error.bias_m, error.slope, error.bias_sd_m, tag)
            for (tag, anchor), error in sorted(calibration.links.items())
        ),
        devices=tuple(DeviceRow(tag, offset) for tag, offset in sorted(offset_db.items())),
        radio_map=map_name,
    )
    content = msgspec.json.format(msgspec.json.encode(document), indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".new")
        beside.write_bytes(content + b"\n")
        beside.replace(path)
    except OSError as error:
        raise Unavailable(
            f"{path}: cannot be written ({error.strerror}). Give --out a writable path."
        ) from error


def load_calibration_file(path: Path, site_map: SiteMap) -> Calibration:
    """Read the file and refuse one of another map.

    Raises
    ------
    InvalidCalibration
        If it cannot be read, is of another version, site or map, or holds a value out of range.
    """
    document = _document(path)
    if (document.format, document.version) != (FORMAT, VERSION):
        raise InvalidCalibration(
            f"{path}: format {document.format!r} version {document.version}; expected {FORMAT!r} "
            f"version {VERSION}. Run inaisle calibrate with this program."
        )
    if document.site != site_map.site:
        raise InvalidCalibration(
            f"{path}: site is {document.site!r}; expected {site_map.site!r}, the site of the map. "
            "Set site.calibration to the file of this site, or calibrate it."
        )
    if document.map_digest != radio_digest(site_map):
        raise InvalidCalibration(
            f"{path}: map_digest is {document.map_digest}; expected {radio_digest(site_map)}: "
            "anchors, floors, walls or furniture of the map have changed since the survey. Run "
            "inaisle calibrate again on the new map, or remove the file."
        )
    calibration = _calibration(document)
    if document.radio_map is None:
        return calibration
    radio_map = load_radio_map(path.with_name(Path(document.radio_map).name), site_map)
    return replace(calibration, radio_map=radio_map)


def _document(path: Path) -> CalibrationDocument:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise InvalidCalibration(
                f"{path}: larger than {FILE_BYTES_MAX} bytes; expected a calibration.json."
            )
        return msgspec.json.decode(path.read_bytes(), type=CalibrationDocument)
    except OSError as error:
        raise InvalidCalibration(
            f"{path}: cannot be read ({error.strerror}). Set site.calibration to a readable file, "
            "or leave it empty."
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidCalibration(
            f"{path}: is no calibration.json ({error}). Run inaisle calibrate to write one."
        ) from error


def _calibration(document: CalibrationDocument) -> Calibration:
    return Calibration(
        losses={
            AnchorId(row.anchor): AnchorLoss(
                rssi_at_1m=Dbm(row.rssi_at_1m),
                exponent=row.exponent,
                sigma_db=row.sigma_db,
                bias_sd_db=row.bias_sd_db,
            )
            for row in document.losses
        },
        ranges={AnchorId(row.anchor): _range(row) for row in document.ranges},
        links={(TagId(row.tag or ""), AnchorId(row.anchor)): _range(row) for row in document.links},
    )


def _range(row: RangeRow) -> LinkRange:
    sd = None if row.bias_sd_m is None else Metre(row.bias_sd_m)
    return LinkRange(bias_m=Metre(row.bias_m), slope=row.slope, bias_sd_m=sd)
