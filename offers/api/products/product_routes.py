"""Let shoppers find products: by what they type, and by number.

Layer: edges. Takes: requests of the app. Gives: products with the shelves that they stand at, in
the language of the request. What somebody looks for is not written down.
"""

from functools import partial
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Header, Path, Query

from offers.api.auth import ShopperDep
from offers.api.offering.offer_routes import locale_of
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.products.catalogue_routes import SKU_CHARACTERS_MAX, products_away
from offers.api.products.product_desk import IndexedCatalogue
from offers.api.products.product_schema import FoundProductBody, HitBody, HitsBody, zones_of
from offers.api.services import Services, ServicesDep
from offers.model.catalogue.search import HITS_MAX, QUERY_CHARACTERS_MAX, SearchQuery
from offers.model.ids import ShopperId
from offers.model.people.shopper import Locale
from offers.search.asked_language import asked_language
from offers.search.find_products import find_products

HITS_USUAL: Final = 10
CATEGORY_CHARACTERS_MAX: Final = 200

product_routes = APIRouter(tags=["app"])

InShopQuery = Annotated[bool, Query(description="only what stands at a shelf")]
LanguageHeader = Annotated[
    str | None,
    Header(
        alias="Accept-Language",
        description="de or en; without either, the language that the shopper enrolled in",
        examples=["en-GB, de;q=0.5"],
    ),
]


@product_routes.get(
    "/me/products",
    operation_id="searchProducts",
    responses=problems(ProblemCode.TOO_MANY_REQUESTS, ProblemCode.PRODUCTS_AWAY),
)
async def search_products(
    shopper: ShopperDep,
    services: ServicesDep,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=QUERY_CHARACTERS_MAX,
            description="words, the beginning of one, an EAN or a sku",
            examples=["dübel"],
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=HITS_MAX)] = HITS_USUAL,
    category: Annotated[str | None, Query(max_length=CATEGORY_CHARACTERS_MAX)] = None,
    in_shop: InShopQuery = False,  # noqa: FBT002 - a query parameter has no position
    language: LanguageHeader = None,
) -> HitsBody:
    """Find products, also while one types and with typing errors; the likeliest first."""
    limit_searches(shopper, services)
    indexed = indexed_of(services)
    query = SearchQuery(text=q, hits_max=limit, category=category, is_in_shop=in_shop)
    locale = await locale_for(shopper, services, language)
    hits = await anyio.to_thread.run_sync(
        partial(find_products, query, indexed.index), limiter=services.turns
    )
    zones = zones_of(services.site_map)
    return HitsBody(hits=tuple(HitBody.of(hit, locale, zones) for hit in hits))


@product_routes.get(
    "/me/products/{sku:path}",
    operation_id="findProduct",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.PRODUCTS_AWAY),
)
async def find_product(
    sku: Annotated[str, Path(max_length=SKU_CHARACTERS_MAX)],
    shopper: ShopperDep,
    services: ServicesDep,
    language: LanguageHeader = None,
) -> FoundProductBody:
    """Return a product with the shelves that it stands at."""
    product = indexed_of(services).product(sku)
    locale = await locale_for(shopper, services, language)
    return FoundProductBody.of(product, locale, zones_of(services.site_map))


def indexed_of(services: Services) -> IndexedCatalogue:
    """Return the catalogue that is ready.

    Raises
    ------
    products_away
        Before the first one is.
    """
    indexed = None if services.products is None else services.products.indexed
    if indexed is None:
        raise products_away()
    return indexed


async def locale_for(shopper: ShopperId, services: Services, language: str | None) -> Locale:
    """Return the language to answer in."""
    own = await services.read(partial(locale_of, shopper))
    return asked_language(language, own)


def limit_searches(shopper: ShopperId, services: Services) -> None:
    """Let a shopper wait who asks more often than anybody types.

    Raises
    ------
    Problem
        429, with the seconds to wait.
    """
    now_ms = services.now_ms()
    wait_s = services.searches.wait_s(shopper, now_ms=now_ms)
    if wait_s:
        raise Problem(
            ProblemCode.TOO_MANY_REQUESTS,
            f"More than {services.settings.searches_in_10_s_max} searches and routes in 10 s; "
            f"again in {wait_s} s. Search when the typing pauses.",
            retry_after_s=wait_s,
        )
    services.searches.count_failure(shopper, now_ms=now_ms)
