"""Wire the floor plan: the desk of drafts, and the routes that draw, import, publish and compute.

Layer: doors. Takes: settings, the map in force, the offers half. Gives: routers to
inaisle.service.assembly.
"""

from fastapi import APIRouter

from inaisle.service.offers_side import OffersSide
from inaisle.service.service import Service
from inaisle.site.map_access import authorise_planners
from inaisle.site.map_desk import DeskParts, MapDesk
from inaisle.site.map_in_force import map_folder
from inaisle.site.map_objections import map_objections
from inaisle.site.plan_desk import import_plan
from rtls.api.site_map.coverage_routes import CoverageParts, coverage_router
from rtls.api.site_map.draft_routes import draft_router
from rtls.api.site_map.import_routes import import_router
from rtls.api.site_map.plan_routes import plan_router


def map_routers(service: Service, offers: OffersSide) -> tuple[APIRouter, ...]:
    """Return the routes below /v1/operator/site-map, and that of coverage."""
    settings, in_force = service.settings, service.in_force
    site_map = in_force.site_map
    desk = MapDesk(
        DeskParts(
            folder=map_folder(settings.site),
            in_force=in_force,
            now_ms=service.around.clock.now_ms,
            objections=map_objections(settings, offers.reader, in_force=site_map),
            published=offers.note_map,
        )
    )
    authorise = authorise_planners(site_map.site)
    coverage = CoverageParts(site_map=site_map, calibration=service.calibration)
    return (
        draft_router(desk, authorise=authorise),
        plan_router(desk, authorise=authorise),
        import_router(desk, read_plan=import_plan, authorise=authorise),
        coverage_router(coverage, authorise=authorise),
    )
