"""Let tills find what lies on the counter: by the number that was scanned, or by its name.

Layer: edges. Takes: requests of a till. Gives: products of its own site with category and price,
as a line of a basket needs them. A till that has its own price list never asks here.
"""

from functools import partial
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from offers.api.auth import SiteDep
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.products.product_routes import LanguageHeader, indexed_of
from offers.api.products.product_schema import FoundProductBody, zones_of
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.model.catalogue.search import QUERY_CHARACTERS_MAX, MatchKind, SearchQuery
from offers.model.errors import NotFound
from offers.model.people.shopper import Locale
from offers.search.asked_language import asked_language
from offers.search.find_products import find_products

SHOWN_MAX: Final = 8
"""what a cashier overlooks at a glance; who wants another types more"""

till_product_routes = APIRouter(prefix="/till", tags=["till"])


class TillProductsBody(Body):
    """What may be meant, the likeliest first."""

    is_number: bool = Field(description="the number of one product: it alone is in the list")
    products: tuple[FoundProductBody, ...]


@till_product_routes.get(
    "/products",
    operation_id="findTillProducts",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.PRODUCTS_AWAY),
)
async def find_till_products(
    site: SiteDep,
    services: ServicesDep,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=QUERY_CHARACTERS_MAX,
            description="an EAN or a sku as scanned, or words",
            examples=["4006209781234"],
        ),
    ],
    language: LanguageHeader = None,
) -> TillProductsBody:
    """Find products for the basket.

    Raises
    ------
    NotFound
        If the key is of another site than the catalogue.
    """
    if site != services.site_map.site:
        raise NotFound("no catalogue of the key's site is kept here; expected a key of this site.")
    indexed = indexed_of(services)
    query = SearchQuery(text=q, hits_max=SHOWN_MAX)
    hits = await anyio.to_thread.run_sync(
        partial(find_products, query, indexed.index), limiter=services.turns
    )
    locale, zones = asked_language(language, Locale.DE), zones_of(services.site_map)
    is_number = bool(hits) and hits[0].matches[0].kind is MatchKind.CODE
    return TillProductsBody(
        is_number=is_number,
        products=tuple(
            FoundProductBody.of(hit.product, locale, zones)
            for hit in (hits[:1] if is_number else hits)
        ),
    )
