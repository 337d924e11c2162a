"""Serve who keeps the catalogue: put a new one in, say which there is, leaf through it.

Layer: edges. Takes: requests of the staff. Gives: the catalogue of the key's own site. A file comes
as the body, as it is; the key is checked before the first byte of it is read, and of two files at
once the second has to come again.
"""

from functools import partial
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Header, Path, Query, Request, Response

from offers.api.auth import CallerDep, SiteDep
from offers.api.problem import ERRORS_MAX, Fault, Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.products.product_desk import IndexedCatalogue, ProductDesk
from offers.api.products.product_schema import CatalogueBody, ProductBody, ProductsBody, zones_of
from offers.api.services import PAGE_MAX, Services, ServicesDep
from offers.handlers.campaigns.replace_catalogue import replace_catalogue
from offers.model.audit import Actor
from offers.model.catalogue.packed import CatalogueRevision, PackedCatalogue
from offers.model.errors import InvalidCatalogue, NotFound
from offers.model.people.shopper import Credential
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs, ZoneId

CATALOGUE_PATH: Final = "/operator/catalogue"
SOURCE: Final = "the body"
RETRY_S: Final = 5
SKU_CHARACTERS_MAX: Final = 40
FILE: Final = {
    "requestBody": {
        "required": True,
        "description": "CSV or JSON Lines, as docs/search_and_routes.md describes it.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/jsonl": {"schema": {"type": "string"}},
        },
    }
}

catalogue_routes = APIRouter(prefix=CATALOGUE_PATH, tags=["operator"])

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="ETag of the catalogue that is to be replaced; without it, whichever there is.",
        examples=['"3"'],
    ),
]


@catalogue_routes.get("", operation_id="getCatalogue", responses=problems(ProblemCode.NOT_FOUND))
async def get_catalogue(site: SiteDep, services: ServicesDep, response: Response) -> CatalogueBody:
    """Return which catalogue the site has; the ETag is for If-Match.

    Raises
    ------
    NotFound
        If the site has none.
    """
    found = await services.read(lambda work: work.catalogues.revision_of(site))
    if found is None:
        raise NotFound("the site has no catalogue yet; expected one. PUT it.")
    return _told(found, services, response)


@catalogue_routes.put(
    "",
    operation_id="replaceCatalogue",
    openapi_extra=FILE,
    responses=problems(
        ProblemCode.NOT_FOUND, ProblemCode.PRECONDITION_FAILED, ProblemCode.PRODUCTS_AWAY
    ),
)
async def replace(
    request: Request,
    staff: CallerDep,
    site: SiteDep,
    services: ServicesDep,
    response: Response,
    if_match: IfMatch = None,
) -> CatalogueBody:
    """Put a whole catalogue in the place of the one before; with one fault nothing changes.

    Raises
    ------
    Problem
        `PRODUCTS_AWAY` while another one is being read, `VALIDATION_FAILED` with all faults found.
    """
    desk = _desk(services, site)
    turn = services.imports
    if turn.locked():
        raise Problem(
            ProblemCode.PRODUCTS_AWAY,
            "Another catalogue is being read. Send this one again when it is through.",
            retry_after_s=RETRY_S,
        )
    async with turn:
        content = await request.body()
        packed = await anyio.to_thread.run_sync(partial(_read, desk, content))
        del content
        stored = await services.write(
            partial(_replace, packed, if_match=if_match, staff=staff, now_ms=services.now_ms())
        )
    desk.changed()
    return _told(stored, services, response)


@catalogue_routes.get(
    "/products",
    operation_id="getProducts",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.PRODUCTS_AWAY),
)
async def get_products(
    site: SiteDep,
    services: ServicesDep,
    after: Annotated[
        str, Query(max_length=SKU_CHARACTERS_MAX, description="sku behind which the page begins")
    ] = "",
    zone: Annotated[
        str | None, Query(max_length=63, description="only what stands at this zone")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
) -> ProductsBody:
    """Return the products of the catalogue by sku."""
    indexed = _indexed(services, site)
    wanted = None if zone is None else ZoneId(zone)
    look = partial(indexed.page, after=after, zone=wanted, limit=limit + 1)
    found = await anyio.to_thread.run_sync(look)
    zones = zones_of(services.site_map)
    page = found[:limit]
    return ProductsBody(
        products=tuple(ProductBody.of(product, zones) for product in page),
        next=page[-1].sku if len(found) > limit else None,
    )


@catalogue_routes.get(
    "/products/{sku:path}",
    operation_id="getProduct",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.PRODUCTS_AWAY),
)
async def get_product(
    sku: Annotated[str, Path(max_length=SKU_CHARACTERS_MAX)],
    site: SiteDep,
    services: ServicesDep,
) -> ProductBody:
    """Return a product as the catalogue says it."""
    return ProductBody.of(_indexed(services, site).product(sku), zones_of(services.site_map))


def _desk(services: Services, site: SiteId) -> ProductDesk:
    if services.products is None or site != services.site_map.site:
        raise NotFound("no catalogue of the key's site is kept here; expected a key of this site.")
    return services.products


def _indexed(services: Services, site: SiteId) -> IndexedCatalogue:
    indexed = _desk(services, site).indexed
    if indexed is None:
        raise products_away()
    return indexed


def products_away() -> Problem:
    """Return what is answered before the first catalogue is ready."""
    return Problem(
        ProblemCode.PRODUCTS_AWAY,
        "The catalogue is being laid out for the first time since the start.",
        retry_after_s=RETRY_S,
    )


def _read(desk: ProductDesk, content: bytes) -> PackedCatalogue:
    try:
        return desk.read_file(content, source=SOURCE)
    except InvalidCatalogue as error:
        faults = str(error).split("\n")
        raise Problem(
            ProblemCode.VALIDATION_FAILED,
            f"The catalogue has {len(faults)} faults or more and is not taken; `errors` names "
            "the lines.",
            faults=[Fault(where="body", pointer="", detail=one) for one in faults[:ERRORS_MAX]],
        ) from error


def _replace(
    packed: PackedCatalogue,
    work: UnitOfWork,
    *,
    if_match: str | None,
    staff: Credential,
    now_ms: UnixMs,
) -> CatalogueRevision:
    before = work.catalogues.revision_of(packed.site)
    current = None if before is None else _etag(before)
    if if_match is not None and if_match.strip().removeprefix("W/") != current:
        raise Problem(
            ProblemCode.PRECONDITION_FAILED,
            f"If-Match does not name the current catalogue; expected {current}, or none at all.",
        )
    return replace_catalogue(packed, by=Actor.of(staff), work=work, now_ms=now_ms)


def _told(found: CatalogueRevision, services: Services, response: Response) -> CatalogueBody:
    response.headers["ETag"] = _etag(found)
    indexed = None if services.products is None else services.products.indexed
    known = None if indexed is None else indexed.revision
    is_searched = known is not None and known.fingerprint == found.fingerprint
    return CatalogueBody.of(found, is_searched=is_searched)


def _etag(found: CatalogueRevision) -> str:
    return f'"{found.revision}"'
