"""Say which anchors a gateway may report for.

Layer: rules. Takes: the site map. Gives: a table from anchor id to index for each gateway, to
rtls.ingest.reception. A gateway that reports for another's anchor could move every shopper; so the
anchor must be its own, unless the map leaves open whose it is.
"""

from collections.abc import Mapping
from typing import Final

from rtls.ingest.formats.decoded import NO_ANCHOR
from rtls.model.site_map import SiteMap
from rtls.model.units import GatewayId

ANCHORS_MAX: Final = 65_536  # rtls.ingest.epoch packs the index into 16 bits


class Admission:
    """Anchors by gateway, made once from the map.

    Examples
    --------
    A gateway sees its own anchors and those of nobody; the name `NO_ANCHOR` is its own, if it has
    just one.

    >>> from rtls.model.site_map import Anchor, Floor, Radio
    >>> def anchor(name, gateway):
    ...     return Anchor(anchor=name, radio=Radio.UWB, floor=0, x_m=1.0, y_m=1.0, z_m=2.0,
    ...                   gateway=gateway)
    >>> floors = (Floor(floor=0, name="ground", width_m=9.0, height_m=9.0),)
    >>> anchors = (anchor("a1", "g1"), anchor("a2", "g2"))
    >>> admission = Admission(SiteMap(site="s", name="S", floors=floors, zones=(),
    ...                               anchors=anchors))
    >>> admission.anchors_of("g2"), admission.anchors_of("g3")
    ({'a2': 1, '': 1}, None)
    """

    def __init__(self, site_map: SiteMap) -> None:
        assert len(site_map.anchors) <= ANCHORS_MAX
        self.index: Mapping[str, int] = {str(a): i for a, i in site_map.anchor_index.items()}
        self._of_nobody: dict[str, int] = {}
        self._of_gateway: dict[str, dict[str, int]] = {}
        for index, anchor in enumerate(site_map.anchors):
            if anchor.gateway is None:
                self._of_nobody[anchor.anchor] = index
            else:
                self._of_gateway.setdefault(anchor.gateway, {})[anchor.anchor] = index
        for gateway, own in self._of_gateway.items():
            default = own.get(gateway) if len(own) > 1 else next(iter(own.values()))
            own.update(self._of_nobody)
            if default is not None:
                own[NO_ANCHOR] = default

    def anchors_of(self, gateway: GatewayId) -> Mapping[str, int] | None:
        """Return the anchors that the gateway may report for, or None if it is unknown."""
        return self._of_gateway.get(gateway) or self._of_nobody or None
