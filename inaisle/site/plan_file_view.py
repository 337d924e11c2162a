"""Turn a plan of foreign make into a draft of a site map, and a site map into IMDF.

Layer: doors. Takes: files. Gives: `inaisle site-map import` and `site-map export` to
inaisle.commands.cli_site: what was found, and the file that was asked for.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from inaisle.clock import SystemClock
from inaisle.errors import ExitStatus, InvalidSettings
from inaisle.settings_sections import SiteSection
from inaisle.site.map_in_force import maps_to_run_on
from inaisle.site.plan_desk import import_plan
from rtls.geofence.site_map_check import check_site_map
from rtls.model.errors import InvalidSiteMap
from rtls.model.georeference import Georeference
from rtls.model.imported_plan import ImportedPlan, Json, PlanFormat, PlanRequest, PlanUnits
from rtls.model.site_map_geojson import parse_site_map
from rtls.plan_files.imdf_writing import render_imdf
from rtls.plan_files.limits import FILE_BYTES_MAX
from rtls.plan_files.plan_json import plan_json, site_map_json
from rtls.plan_files.plan_placing import in_metres

FORMS: Final = {
    ".png": PlanFormat.IMAGE,
    ".jpg": PlanFormat.IMAGE,
    ".jpeg": PlanFormat.IMAGE,
    ".webp": PlanFormat.IMAGE,
    ".pdf": PlanFormat.PDF,
    ".dxf": PlanFormat.DXF,
    ".svg": PlanFormat.SVG,
    ".geojson": PlanFormat.GEOJSON,
    ".json": PlanFormat.GEOJSON,
    ".zip": PlanFormat.IMDF,
    ".imdf": PlanFormat.IMDF,
}
LON_AND_LAT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What `inaisle site-map import` was told."""

    out: Path
    form: str | None
    floor: int
    page: int
    m_per_unit: float | None
    origin: str | None
    rotation_deg: float
    site: str
    name: str
    as_json: bool


def run_import(path: Path, options: ImportOptions) -> ExitStatus:
    """Read a plan, write what it becomes, and say what was found."""
    request = PlanRequest(
        source=str(path),
        form=_form(path, options.form),
        floor=options.floor,
        page=options.page,
        georeference=parse_origin(options.origin, options.rotation_deg),
    )
    plan = import_plan(_read(path), request)
    if options.m_per_unit is not None:
        plan = in_metres(plan, options.m_per_unit)
    open_questions: tuple[str, ...] = ()
    if plan.picture is not None:
        _write(options.out, plan.picture.png)
    else:
        document = _document(plan, path, options)
        _write(options.out, _lines(document))
        open_questions = _problems(document)
    _print(plan, options, open_questions)
    return ExitStatus.DONE


def run_export(section: SiteSection, *, out: Path, form: str) -> ExitStatus:
    """Write the map in force as another file: IMDF, or GeoJSON as it is.

    Raises
    ------
    InvalidSettings
        If it is to be written as something else.
    """
    content = next(maps_to_run_on(section)).published.content
    renderers: dict[str, Callable[[], bytes]] = {
        PlanFormat.GEOJSON: lambda: content,
        PlanFormat.IMDF: lambda: _imdf(content),
    }
    if form not in renderers:
        raise InvalidSettings(
            f"--format is {form!r}; expected one of {sorted(renderers)}. Leave it out for IMDF."
        )
    _write(out, renderers[form]())
    return ExitStatus.DONE


def parse_origin(text: str | None, rotation_deg: float) -> Georeference | None:
    """Return where the frame lies, from ``lon,lat``.

    Raises
    ------
    InvalidSettings
        If it is not two numbers.
    """
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != LON_AND_LAT:
        raise InvalidSettings(
            f"--origin is {text!r}; expected longitude,latitude of the lower left corner of the "
            "floors, as in 9.18,48.78."
        )
    return Georeference(lon_deg=numbers[0], lat_deg=numbers[1], rotation_deg=rotation_deg)


def _imdf(content: bytes) -> bytes:
    now = datetime.fromtimestamp(SystemClock().now_ms() / 1000.0, tz=UTC)
    return render_imdf(json.loads(content), created=now)


def _form(path: Path, given: str | None) -> PlanFormat:
    try:
        return PlanFormat(given) if given is not None else FORMS[path.suffix.lower()]
    except (ValueError, KeyError) as error:
        raise InvalidSettings(
            f"{path}: what it is cannot be told from {given or path.suffix!r}; expected one of "
            f"{[form.value for form in PlanFormat]}. Give --format."
        ) from error


def _document(plan: ImportedPlan, path: Path, options: ImportOptions) -> Json:
    if plan.units is not PlanUnits.METRE:
        raise InvalidSettings(
            f"{path}: its units are {plan.units.value}, from {plan.extent[:2]} to "
            f"{plan.extent[2:]}; expected metres. Give --m-per-unit: the metres of something that "
            "you know, divided by its length on the plan. Or import it in the floor studio."
        )
    return site_map_json(plan, site=options.site, name=options.name)


def _problems(document: Json) -> tuple[str, ...]:
    """Return what keeps a draft from being a map; it is written all the same."""
    try:
        check_site_map(parse_site_map(json.dumps(document).encode(), source="draft"))
    except InvalidSiteMap as error:
        return tuple(str(error).splitlines())
    return ()


def _lines(document: Json) -> bytes:
    features = document["features"]
    assert isinstance(features, list)
    rows = ",\n".join("  " + json.dumps(each, ensure_ascii=False) for each in features)
    rest = {name: value for name, value in document.items() if name != "features"}
    head = json.dumps(rest, ensure_ascii=False, indent=1)[:-2]
    return f'{head},\n "features": [\n{rows}\n]}}\n'.encode()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)  # one more: enough to be refused
    except OSError as error:
        raise InvalidSettings(
            f"{path}: cannot be read ({error.strerror}). Give a readable file."
        ) from error


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InvalidSettings(
            f"{path}: cannot be written ({error.strerror}). Give --out a writable place."
        ) from error


def _print(plan: ImportedPlan, options: ImportOptions, open_questions: tuple[str, ...]) -> None:
    if options.as_json:
        told = plan_json(plan, background=str(options.out)) | {"problems": list(open_questions)}
        json.dump(told, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    console = Console()
    if plan.picture is not None:
        console.print(
            f"{options.out}: a picture of {plan.picture.width_px} × {plan.picture.height_px} "
            f"pixels, of page {options.page} of {plan.pages}. Draw over it in the floor studio.",
            markup=False,
        )
    else:
        x0, y0, x1, y1 = plan.extent
        console.print(f"{options.out}: from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}) m", markup=False)
        table = Table("kind", "count")
        for kind, count in Counter(feature.kind.value for feature in plan.features).items():
            table.add_row(kind, str(count))
        console.print(table)
    for line in (*plan.warnings, *(f"to do: {problem}" for problem in open_questions)):
        console.print(line, markup=False, soft_wrap=True)
