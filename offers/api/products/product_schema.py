"""Describe products and their shelves on the wire.

Layer: edges. Takes: `Product`s, `SearchHit`s and the site map. Gives: bodies to the routes of
products. Names are told in the asked language where the catalogue has them, else in the other.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import Field

from offers.api.schema import Body, Instant, MoneyBody, render_instant
from offers.model.catalogue.packed import CatalogueRevision
from offers.model.catalogue.product import Product
from offers.model.catalogue.search import MatchKind, SearchHit
from offers.model.people.shopper import Locale
from rtls.model.site_map import SiteMap, Zone
from rtls.model.units import ZoneId

ZONES_ABOVE_MAX: Final = 8


class ShelfBody(Body):
    """A zone that a product stands at, and what it lies in."""

    zone: str = Field(examples=["dowels"])
    name: str = Field(examples=["Dowels"])
    floor: int = Field(examples=[0])
    within: tuple[str, ...] = Field(
        description="names of the zones around it, from the nearest out: aisle, department",
        examples=[["Aisle 3", "Fixings"]],
    )


class FoundProductBody(Body):
    """A product as a shopper sees it."""

    sku: str = Field(examples=["D-1"])
    name: str = Field(examples=["Wood dowel"])
    brand: str = Field(examples=["fischer"])
    category: str = Field(examples=["dowels"])
    price: MoneyBody | None
    shelves: tuple[ShelfBody, ...] = Field(
        description="where it stands; empty: not in the shop, or the map no longer knows the zones"
    )

    @classmethod
    def of(
        cls, product: Product, locale: Locale, zones: Mapping[ZoneId, Zone]
    ) -> "FoundProductBody":
        """Render a product in a language."""
        return cls(
            sku=product.sku,
            name=name_of(product, locale),
            brand=product.brand,
            category=product.category,
            price=MoneyBody.of_limit(product.price),
            shelves=tuple(shelf(zones[zone], zones) for zone in product.zones if zone in zones),
        )


class MatchBody(Body):
    """Which word of the query met which word of the product, and how."""

    asked: str = Field(examples=["dubel"])
    met: str = Field(examples=["holzdubel"])
    kind: MatchKind = Field(examples=["part"])


class HitBody(Body):
    """A product that was found, and why."""

    product: FoundProductBody
    score: float = Field(ge=0.0, le=1.0, examples=[0.82])
    matches: tuple[MatchBody, ...]

    @classmethod
    def of(cls, hit: SearchHit, locale: Locale, zones: Mapping[ZoneId, Zone]) -> "HitBody":
        """Render a hit in a language."""
        return cls(
            product=FoundProductBody.of(hit.product, locale, zones),
            score=min(1.0, round(hit.score, 3)),
            matches=tuple(
                MatchBody(asked=match.asked, met=match.met, kind=match.kind)
                for match in hit.matches
            ),
        )


class HitsBody(Body):
    """What was found, the likeliest first."""

    hits: tuple[HitBody, ...]


class CatalogueBody(Body):
    """Which catalogue the site has."""

    revision: int = Field(description="its ETag", examples=[3])
    products: int = Field(examples=[12_000])
    imported_at: Instant
    fingerprint: str = Field(description="SHA-256 of the products")
    is_searched: bool = Field(
        description="false while its words are laid out: the catalogue before still answers"
    )

    @classmethod
    def of(cls, found: CatalogueRevision, *, is_searched: bool) -> "CatalogueBody":
        """Render a revision."""
        return cls(
            revision=found.revision,
            products=found.products,
            imported_at=render_instant(found.at_ms),
            fingerprint=found.fingerprint,
            is_searched=is_searched,
        )


class ProductBody(Body):
    """A product as the catalogue says it."""

    sku: str = Field(examples=["D-1"])
    name_de: str = Field(examples=["Holzdübel"])
    name_en: str = Field(examples=["Wood dowel"])
    brand: str
    category: str
    eans: tuple[str, ...] = Field(examples=[["4006381333931"]])
    keywords: tuple[str, ...]
    zones: tuple[str, ...] = Field(examples=[["dowels"]])
    price: MoneyBody | None
    unknown_zones: tuple[str, ...] = Field(
        description="those of `zones` that the site map does not have: nobody is led there"
    )

    @classmethod
    def of(cls, product: Product, zones: Mapping[ZoneId, Zone]) -> "ProductBody":
        """Render a product."""
        return cls(
            sku=product.sku,
            name_de=product.name_de,
            name_en=product.name_en,
            brand=product.brand,
            category=product.category,
            eans=product.eans,
            keywords=product.keywords,
            zones=tuple(product.zones),
            price=MoneyBody.of_limit(product.price),
            unknown_zones=tuple(zone for zone in product.zones if zone not in zones),
        )


class ProductsBody(Body):
    """A page of products, by sku."""

    products: tuple[ProductBody, ...]
    next: str | None = Field(description="what `after` takes for the next page; null at the end")


def zones_of(site_map: SiteMap) -> dict[ZoneId, Zone]:
    """Return the zones of a map by their ids."""
    return {zone.zone: zone for zone in site_map.zones}


def name_of(product: Product, locale: Locale) -> str:
    """Return what a product is called in a language, or in the other where it has no name in it."""
    names = (product.name_de, product.name_en)
    return (names[0] or names[1]) if locale is Locale.DE else (names[1] or names[0])


def shelf(zone: Zone, zones: Mapping[ZoneId, Zone]) -> ShelfBody:
    """Render a zone with the names of those around it."""
    within: list[str] = []
    around = zone.parent
    while around is not None and around in zones and len(within) < ZONES_ABOVE_MAX:
        within.append(zones[around].name)
        around = zones[around].parent
    return ShelfBody(zone=zone.zone, name=zone.name, floor=zone.floor, within=tuple(within))
