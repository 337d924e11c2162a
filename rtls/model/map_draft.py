"""A site map that is being drawn, and those that were published.

Layer: nouns. Takes: what the floor plan sends and the store holds. Gives: drafts, revisions and
backgrounds to the store, the door and the routes. What is drawn may be faulty while it is a draft:
the document is kept as it was sent.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import COORDINATE_M_MAX
from rtls.model.units import UnixMs

Json = Mapping[str, object]
BACKGROUND_PATTERN: Final = re.compile(r"\A[0-9a-f]{32}\Z")
BACKGROUNDS_MAX: Final = 32
PIXELS_MAX: Final = 20_000
NOTE_CHARS_MAX: Final = 500
BY_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """A picture that lies under the plan of a floor while it is drawn.

    Parameters
    ----------
    background
        Id of the picture in the store.
    x_m, y_m, m_per_px, rotation_deg
        Where its upper left corner lies, how large a pixel is, and how far it is turned
        counter-clockwise about that corner.
    opacity
        0 to 1.
    """

    background: str
    floor: int
    x_m: float
    y_m: float
    m_per_px: float
    rotation_deg: float
    width_px: int
    height_px: int
    opacity: float

    def __post_init__(self) -> None:
        check_background_id(self.background)
        for name, low, high in (
            ("x_m", -COORDINATE_M_MAX, COORDINATE_M_MAX),
            ("y_m", -COORDINATE_M_MAX, COORDINATE_M_MAX),
            ("m_per_px", 1e-5, 100.0),
            ("rotation_deg", -360.0, 360.0),
            ("width_px", 1, PIXELS_MAX),
            ("height_px", 1, PIXELS_MAX),
            ("opacity", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise InvalidSiteMap(
                    f"background {self.background}: {name} is {value}; expected {low:g} to "
                    f"{high:g}. Set the scale of the picture anew."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class MapDraft:
    """The map that is being drawn.

    Parameters
    ----------
    version
        Grows with each save, and goes on growing after the draft was published or thrown away, so
        that nobody saves over what he has not seen.
    based_on
        The revision that it was begun from; 0 is the file of the settings.
    document
        The map as it was sent; None where there is no draft.
    """

    version: int
    based_on: int
    document: Json | None
    backgrounds: tuple[Background, ...] = ()

    def __post_init__(self) -> None:
        if len(self.backgrounds) > BACKGROUNDS_MAX:
            raise InvalidSiteMap(
                f"{len(self.backgrounds)} backgrounds; expected at most {BACKGROUNDS_MAX}. Remove "
                "those that are no longer drawn after."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRevision:
    """What is known of a published map besides the map itself.

    Parameters
    ----------
    revision
        1, 2, …; a number is never given out twice.
    published_by
        The credential that published it.
    backgrounds
        What it was drawn after, for who goes on drawing.
    """

    revision: int
    published_at_ms: UnixMs
    published_by: str
    note: str
    backgrounds: tuple[Background, ...] = ()

    def __post_init__(self) -> None:
        for name, most in (("note", NOTE_CHARS_MAX), ("published_by", BY_CHARS_MAX)):
            if len(getattr(self, name)) > most:
                raise InvalidSiteMap(
                    f"{name} has {len(getattr(self, name))} characters; expected at most {most}."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedMap:
    """A published map as it was sent."""

    about: MapRevision
    content: bytes


def check_background_id(name: str) -> None:
    """Refuse an id that the store has never given, above all one that is a path.

    Raises
    ------
    InvalidSiteMap
        If ``name`` breaks the grammar.
    """
    if not BACKGROUND_PATTERN.match(name):
        raise InvalidSiteMap(
            f"background is {name[:80]!r}; expected 32 of 0-9 and a-f, as the import gave it."
        )
