"""Take what the app is used for: that it was opened, and which product was scanned.

Layer: edges. Takes: requests of the app. Gives: whether it was noted, and what it earned. Both are
as good once as twice: the day and the product name what is noted.
"""

from typing import Annotated

from fastapi import APIRouter, status
from pydantic import Field, StrictStr

from offers.api.auth import ShopperDep
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.handlers.profile.note_use import (
    PRODUCTS_A_DAY_MAX,
    ProductScan,
    ScanNoted,
    note_app_opened,
    note_product_scan,
)
from offers.model.ids import TEXT_CHARACTERS_MAX
from offers.ports import UnitOfWork

use_routes = APIRouter(tags=["app"])

Named = Annotated[StrictStr, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX // 2)]


class ProductScanBody(Body):
    """A product that was scanned with the app."""

    sku: Named = Field(examples=["4006209123456"])
    category: Named | None = Field(default=None, examples=["dowels"])


class UseNotedBody(Body):
    """Whether it was noted."""

    is_new: bool = Field(
        description="false: known from today, without the consent `personalise`, or more than "
        f"{PRODUCTS_A_DAY_MAX} products today"
    )


class ScanNotedBody(UseNotedBody):
    """Whether the scan was noted, and how often it earned something (see GET /v1/me/points)."""

    earned: int

    @classmethod
    def of(cls, noted: ScanNoted) -> "ScanNotedBody":
        """Render what came of a scan."""
        return cls(is_new=noted.is_new, earned=sum(earned.is_new for earned in noted.earned))


@use_routes.post(
    "/me/app-opened",
    operation_id="noteAppOpened",
    status_code=status.HTTP_200_OK,
    responses=problems(),
)
async def app_opened(shopper: ShopperDep, services: ServicesDep) -> UseNotedBody:
    """Say that the app was opened: conditions can ask on how many days it was."""
    site, now_ms = services.site_map.site, services.now_ms()
    is_new = await services.write(
        lambda work: note_app_opened(shopper, site, work=work, now_ms=now_ms)
    )
    return UseNotedBody(is_new=is_new)


@use_routes.post("/me/product-scans", operation_id="reportProductScan", responses=problems())
async def product_scanned(
    body: ProductScanBody, shopper: ShopperDep, services: ServicesDep
) -> ScanNotedBody:
    """Say that a product was scanned: conditions can ask for it, and it may earn points."""
    scan = ProductScan(sku=body.sku, category=body.category)

    def note(work: UnitOfWork) -> ScanNoted:
        return note_product_scan(
            shopper,
            scan,
            services.site_map.site,
            work=work,
            now_ms=services.now_ms(),
            secrets=services.secrets,
        )

    return ScanNotedBody.of(await services.write(note))
