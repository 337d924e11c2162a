"""Render live fixes as omlox locations.

Layer: edges. Takes: `LiveFixes` of a reader. Gives: JSON to the operator's routes and stream. The
names are those of the omlox hub (location object, ``location_updates`` messages), so that software
written for a hub reads ours; what omlox has no name for stands under ``properties``.
"""

import math
from collections.abc import Iterator
from typing import Final, Literal

import msgspec
import numpy as np
from typing_extensions import TypedDict

from rtls.model.fix import radius_95
from rtls.model.reading import ReadingKind
from rtls.model.units import SiteId, UnixMs
from rtls.ports import LiveFixes

ProviderType = Literal["uwb", "ibeacon", "virtual", "unknown"]
# The most precise kind of reading that went into a fix names its provider type.
PROVIDERS: Final[tuple[tuple[ReadingKind, ProviderType], ...]] = (
    (ReadingKind.RANGE, "uwb"),
    (ReadingKind.TDOA, "uwb"),
    (ReadingKind.AOA, "ibeacon"),
    (ReadingKind.RSSI, "ibeacon"),
    (ReadingKind.POSITION, "virtual"),
)
COLUMNS: Final = (
    "floor",
    "x_m",
    "y_m",
    "z_m",
    "cov_xx",
    "cov_xy",
    "cov_yy",
    "vx_m_s",
    "vy_m_s",
    "p_standing",
    "evidence_at_ms",
    "kinds",
)
DECIMALS: Final = 3  # a millimetre; more digits would only claim more than the radio knows


class Point(TypedDict):
    """GeoJSON in shape; metres in the frame of the floor, with the height where it is known."""

    type: Literal["Point"]
    coordinates: list[float]


class LocationProperties(TypedDict):
    """What omlox has no name for."""

    covariance_m2: list[float]
    """xx, xy, yy"""
    p_standing: float
    """probability that the tag stands still"""
    evidence_at: str
    """the youngest reading that went into the fix; older than the fix while it coasts"""


class Location(TypedDict):
    """One tag's latest fix (omlox location)."""

    position: Point
    source: str
    """the site"""
    provider_type: ProviderType
    provider_id: str
    """the tag"""
    crs: Literal["local"]
    accuracy: float
    """radius in metres that holds the tag with 95 %"""
    floor: int
    timestamp_generated: str
    """the instant of the fix, RFC 3339"""
    speed: float
    """m/s"""
    properties: LocationProperties


class LocationList(TypedDict):
    """The latest fixes of a site."""

    site: str
    at: str
    """the server's now, RFC 3339"""
    locations: list[Location]


class LocationUpdates(TypedDict):
    """One message of the stream (omlox wrapper)."""

    event: Literal["message"]
    topic: Literal["location_updates"]
    payload: list[Location]


def render_locations(fixes: LiveFixes, *, site: SiteId, now_ms: UnixMs) -> bytes:
    """Return a `LocationList` as JSON."""
    at = rfc_3339(np.array([now_ms]))[0]
    return msgspec.json.encode(
        LocationList(site=site, at=at, locations=list(locations(fixes, site=site)))
    )


def render_updates(fixes: LiveFixes, *, site: SiteId) -> bytes:
    """Return a `LocationUpdates` as JSON."""
    return msgspec.json.encode(
        LocationUpdates(
            event="message",
            topic="location_updates",
            payload=list(locations(fixes, site=site)),
        )
    )


def locations(fixes: LiveFixes, *, site: SiteId) -> Iterator[Location]:
    """Yield each fix as a `Location`."""
    rows = fixes.rows[list(COLUMNS)].tolist()
    at = rfc_3339(fixes.at_ms)
    evidence_at = rfc_3339(fixes.rows["evidence_at_ms"])
    for tag, row, fix_at, heard_at in zip(fixes.tags, rows, at, evidence_at, strict=True):
        floor, x, y, z, cov_xx, cov_xy, cov_yy, vx, vy, p_standing, _, kinds = row
        place = (x, y, z) if math.isfinite(z) else (x, y)
        yield Location(
            position=Point(type="Point", coordinates=[round(c, DECIMALS) for c in place]),
            source=site,
            provider_type=provider_type(kinds),
            provider_id=tag,
            crs="local",
            accuracy=round(radius_95(cov_xx, cov_xy, cov_yy), DECIMALS),
            floor=floor,
            timestamp_generated=fix_at,
            speed=round(math.hypot(vx, vy), DECIMALS),
            properties=LocationProperties(
                covariance_m2=[cov_xx, cov_xy, cov_yy],
                p_standing=round(p_standing, DECIMALS),
                evidence_at=heard_at,
            ),
        )


def provider_type(kinds: int) -> ProviderType:
    """Return the omlox provider type of a fix, from the bits of the reading kinds in it.

    Examples
    --------
    >>> provider_type(1 << ReadingKind.RSSI | 1 << ReadingKind.RANGE), provider_type(0)
    ('uwb', 'unknown')
    """
    return next((name for kind, name in PROVIDERS if kinds & 1 << kind), "unknown")


def rfc_3339(at_ms: np.ndarray) -> list[str]:
    """Return instants as text in UTC with milliseconds.

    Examples
    --------
    >>> rfc_3339(np.array([1_760_000_000_250]))
    ['2025-10-09T08:53:20.250Z']
    """
    instants = at_ms.astype("datetime64[ms]")
    texts: list[str] = np.datetime_as_string(instants, unit="ms", timezone="UTC").tolist()
    return texts
