"""The commands with which a retailer surveys his own site.

Layer: doors. Takes: arguments. Gives: `inaisle calibrate`, `coverage`, `record` and `site-map` to
inaisle.cli.
"""

from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_context import FlagValues, broker_flags, end_with, load_for

site_app = typer.Typer()
map_app = typer.Typer(help="Work on the file of a site map.", no_args_is_help=True)
site_app.add_typer(map_app, name="site-map")
MapFlag = Annotated[
    Path | None, typer.Option("--map", help="Site map (GeoJSON); else site.map of the settings.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]


@site_app.command()
def coverage(
    context: typer.Context,
    *,
    site_map: MapFlag = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="rssi, range, aoa or tdoa; else what the map has.")
    ] = None,
    floor: Annotated[int | None, typer.Option(help="Only this floor.")] = None,
    cell: Annotated[float | None, typer.Option(help="Metres between the places looked at.")] = None,
    rssi_min: Annotated[float | None, typer.Option(help="dBm; weaker is not heard.")] = None,
    reach: Annotated[float | None, typer.Option(help="Metres a range reaches in the open.")] = None,
    wall_db: Annotated[float | None, typer.Option(help="What one wall takes.")] = None,
    best: Annotated[bool, typer.Option(help="Search the best place for one more anchor.")] = True,
    heat_map: Annotated[bool, typer.Option("--heat-map", help="Paint each floor.")] = False,
    geojson: Annotated[Path | None, typer.Option(help="Write the bound of each cell here.")] = None,
    json: JsonFlag = False,
) -> None:
    """Say what accuracy the anchors of the site map allow, and where one more would help."""
    from inaisle.site.coverage_report import CoverageOptions, coverage_settings
    from inaisle.site.coverage_view import run_coverage

    settings = load_for(context, map_flags(site_map)).settings
    options = CoverageOptions(
        kinds=tuple(kind or ()),
        floor=floor,
        wants_best_place=best,
        as_json=json,
        has_heat_map=heat_map,
        geojson=geojson,
    )
    given = {"cell_m": cell, "rssi_dbm_min": rssi_min, "reach_m": reach, "wall_db": wall_db}
    end_with(run_coverage(settings, options, coverage=coverage_settings(given)))


@site_app.command()
def calibrate(
    context: typer.Context,
    recording: Annotated[Path, typer.Argument(help="Folder of the survey.")],
    *,
    site_map: MapFlag = None,
    out: Annotated[Path | None, typer.Option(help="File; else <data>/calibration.json.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder of the service.")] = None,
    height: Annotated[float, typer.Option(help="Metres of the tag above the floor.")] = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Write it although it is bad.")] = False,
    json: JsonFlag = False,
) -> None:
    """Learn what the radio of the site does from a survey, and say how good that is."""
    from inaisle.calibration.calibration_report import CalibrationOptions
    from inaisle.calibration.calibration_view import run_calibrate

    flags = map_flags(site_map) | {("site", "data"): data}
    options = CalibrationOptions(
        folder=recording, out=out, tag_height_m=height, is_forced=force, as_json=json
    )
    end_with(run_calibrate(load_for(context, flags).settings, options))


@site_app.command()
def record(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of the survey; may hold some already.")],
    *,
    seconds: Annotated[float, typer.Option(help="How long.")] = 20.0,
    tag: Annotated[
        list[str] | None, typer.Option(help="Tag that consents; may repeat. Else anchors only.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="Where you stand: x,y in metres.")] = None,
    floor: Annotated[int, typer.Option(help="Floor of --at.")] = 0,
    waypoints: Annotated[
        Path | None, typer.Option(help="Table x,y,floor: press Enter at each while you walk.")
    ] = None,
    site_map: MapFlag = None,
    broker: Annotated[
        str | None, typer.Option("--broker", help="host:port of a running MQTT broker.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Record what the anchors hear of your own tag, for inaisle calibrate."""
    from inaisle.recording.record import RecordOptions, parse_place, run_record

    options = RecordOptions(
        folder=folder,
        seconds=seconds,
        tags=tuple(tag or ()),
        at=parse_place(at),
        floor=floor,
        waypoints=waypoints,
        as_json=json,
    )
    flags = map_flags(site_map) | broker_flags(broker)
    end_with(run_record(load_for(context, flags).settings, options))


@map_app.command("bay-pairs")
def bay_pairs(
    context: typer.Context,
    site_map: Annotated[Path, typer.Argument(help="Site map (GeoJSON).")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write the map with the pairs here; may be the same file.")
    ] = None,
    gap: Annotated[float, typer.Option(help="Metres between the strips of two shelves.")] = 3.0,
    json: JsonFlag = False,
) -> None:
    """Find the bays that face each other across an aisle, and add a zone for each two."""
    from inaisle.site.bay_pair_file import run_bay_pairs

    load_for(context, {})
    end_with(run_bay_pairs(site_map, out=out, gap_m=gap, as_json=json))


@map_app.command("import")
def import_plan(
    context: typer.Context,
    plan: Annotated[Path, typer.Argument(help="PNG, JPEG, WebP, PDF, DXF, SVG, GeoJSON or IMDF.")],
    *,
    out: Annotated[Path, typer.Option(help="Write the draft here; of a picture, a PNG.")],
    form: Annotated[
        str | None, typer.Option("--format", help="image, pdf, dxf, svg, geojson or imdf.")
    ] = None,
    floor: Annotated[int, typer.Option(help="Of a plan that knows no floors.")] = 0,
    page: Annotated[int, typer.Option(help="Of a PDF.")] = 1,
    m_per_unit: Annotated[
        float | None, typer.Option(help="Metres of one unit, where the plan does not say it.")
    ] = None,
    origin: Annotated[
        str | None, typer.Option(help="lon,lat of the lower left corner of the floors.")
    ] = None,
    rotation: Annotated[float, typer.Option(help="Degrees from east to the x axis.")] = 0.0,
    site: Annotated[str, typer.Option(help="Id, where the plan has none.")] = "site",
    name: Annotated[str, typer.Option(help="Name, where the plan has none.")] = "Site",
    json: JsonFlag = False,
) -> None:
    """Make a draft of a site map from a plan of another make."""
    from inaisle.site.plan_file_view import ImportOptions, run_import

    load_for(context, {})
    options = ImportOptions(
        out=out,
        form=form,
        floor=floor,
        page=page,
        m_per_unit=m_per_unit,
        origin=origin,
        rotation_deg=rotation,
        site=site,
        name=name,
        as_json=json,
    )
    end_with(run_import(plan, options))


@map_app.command()
def export(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="Write it here.")],
    site_map: MapFlag = None,
    form: Annotated[str, typer.Option("--format", help="imdf, or geojson as it is.")] = "imdf",
) -> None:
    """Write the map in force for other programs: IMDF 1.0.0, or GeoJSON in metres."""
    from inaisle.site.plan_file_view import run_export

    settings = load_for(context, map_flags(site_map)).settings
    end_with(run_export(settings.site, out=out, form=form))


def map_flags(site_map: Path | None) -> FlagValues:
    """Return what ``--map`` says as settings: who names a file means no published map."""
    if site_map is None:
        return {}
    return {("site", "map"): site_map, ("site", "published"): False}
