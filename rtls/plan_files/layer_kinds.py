"""Guess from the name of a layer what is drawn on it, in German and in English.

Layer: rules. Takes: names of layers and of features. Gives: a suggestion to the readers; people
correct it in the floor studio.
"""

import re
from dataclasses import dataclass
from typing import Final

from rtls.model.imported_plan import FeatureKind
from rtls.model.site_map import ZoneKind
from rtls.plan_files.plan_text import folded


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerKind:
    """What a layer seems to hold; ``kind`` None: nothing that belongs into a map."""

    kind: FeatureKind | None
    zone_kind: ZoneKind | None = None


def _zone(zone_kind: ZoneKind) -> LayerKind:
    return LayerKind(kind=FeatureKind.ZONE, zone_kind=zone_kind)


_NOT_IN_A_MAP: Final = """
    bemass mass dimension dims text beschrift annot schraff hatch rahmen schriftfeld title defpoints
    viewport achse grid raster tuer door fenster window elektr sanit
"""
_FURNITURE: Final = """
    regal regale gondel moebel einrichtung theke stuetze saeule pfeiler furn furniture fixture
    fixtures shelf shelves shelving rack racks column columns pillar counter equip
"""
_WORDS: Final = (
    (_NOT_IN_A_MAP, LayerKind(kind=None)),
    ("kasse kassen checkout till tills", _zone(ZoneKind.CHECKOUT)),
    ("eingang eingaenge ausgang ausgaenge entrance exit entry", _zone(ZoneKind.ENTRANCE)),
    ("abteilung abteilungen department dept", _zone(ZoneKind.DEPARTMENT)),
    ("warengruppe warengruppen sortiment category", _zone(ZoneKind.CATEGORY)),
    ("begehbar verkehrsflaeche walkable walkway", LayerKind(kind=FeatureKind.WALKABLE)),
    (_FURNITURE, LayerKind(kind=FeatureKind.FIXTURE)),
    ("gang gaenge aisle aisles", _zone(ZoneKind.AISLE)),
    (
        "wand waende mauer mauern fassade wall walls partition facade",
        LayerKind(kind=FeatureKind.WALL),
    ),
    ("zone zonen zones bereich bereiche area flaeche", _zone(ZoneKind.DEPARTMENT)),
)
"""In this order: an Eingang is no Gang, and a Wandregal no Wand."""
_TOKEN: Final = re.compile(r"[^a-z0-9]+")


def kind_of_layer(name: str) -> LayerKind | None:
    """Return what a name speaks of; None where it says nothing.

    Examples
    --------
    >>> kind_of_layer("A-WALL-FULL").kind.value
    'wall'
    >>> kind_of_layer("Eingänge").zone_kind.value
    'entrance'
    """
    tokens = [token for token in _TOKEN.split(folded(name)) if token]
    for words, found in _WORDS:
        for word in words.split():
            if any(token.startswith(word) or token.endswith(word) for token in tokens):
                return found
    return None
