"""Tell the app how the retailer looks, before anybody has signed in.

Layer: edges. Takes: requests of apps. Gives: name, colour and logo of the site. An app takes them
as its theme, so that card, paper and mails look like one shop, and not like us.
"""

import base64
from typing import Final

from fastapi import APIRouter, Response
from pydantic import Field

from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.model.messages.brand import Brand

KEPT_S: Final = 300
PLAIN_ACCENT: Final = "#1a1a1a"

brand_routes = APIRouter(tags=["app"])


class BrandBody(Body):
    """How the retailer looks."""

    name: str = Field(examples=["Holz & Mehr"])
    accent: str = Field(
        description="#rrggbb; text in it can be read on white, and white text on it",
        examples=["#0a6b3b"],
    )
    logo_png: str | None = Field(description="base64; null: write the name")

    @classmethod
    def of(cls, brand: Brand | None, *, site_name: str) -> "BrandBody":
        """Render a brand; without one, the site's name in black."""
        if brand is None:
            return cls(name=site_name, accent=PLAIN_ACCENT, logo_png=None)
        logo = brand.logo_png
        return cls(
            name=brand.name,
            accent=brand.accent,
            logo_png=None if logo is None else base64.b64encode(logo).decode(),
        )


@brand_routes.get("/brand", operation_id="getBrand", responses=problems(is_open=True))
async def get_brand(services: ServicesDep, response: Response) -> BrandBody:
    """Return name, colour and logo of the site."""
    site_map = services.site_map
    programme = await services.read(lambda work: work.programmes.current(site_map.site))
    response.headers["Cache-Control"] = f"public, max-age={KEPT_S}"
    brand = None if programme is None else programme.settings.brand
    return BrandBody.of(brand, site_name=site_map.name)
