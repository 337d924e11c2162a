"""Say which anchors a gateway may report for.

Layer: rules. Takes: the site map, and the aliases by which other vendors' gateways and anchors go.
Gives: a table from anchor name to index for each gateway, to rtls.ingest.reception. A gateway that
reports for another's anchor could move every shopper; so the anchor must be its own, unless the map
leaves open whose it is. Only a shopper's own phone may name any anchor: it moves nobody else.
"""

from collections import ChainMap
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rtls.ingest.formats.decoded import NO_ANCHOR, PHONE_GATEWAY
from rtls.model.site_map import SiteMap
from rtls.model.units import GatewayId

ANCHORS_MAX: Final = 65_536  # rtls.ingest.epoch packs the index into 16 bits
NO_ALIASES: Final[Mapping[str, str]] = MappingProxyType({})


class Admission:
    """Anchors by gateway, made once from the map and the alias table.

    Parameters
    ----------
    site_map
        Where the anchors are, and whose they are.
    aliases
        Name of a foreign gateway or anchor → anchor of the map: the gateway of that name may report
        for the anchor, and whoever may report for the anchor may call it by that name.

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

    A foreign gateway is known by an alias, or by bearing the name of an anchor of nobody.

    >>> admission = Admission(SiteMap(site="s", name="S", floors=floors, zones=(),
    ...                               anchors=(anchor("kitchen", None),)),
    ...                       aliases={"ac233fc03641": "kitchen"})
    >>> [admission.anchors_of(name)[""] for name in ("kitchen", "ac233fc03641")]
    [0, 0]
    """

    def __init__(self, site_map: SiteMap, *, aliases: Mapping[str, str] = NO_ALIASES) -> None:
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
            if default is not None:
                own[NO_ANCHOR] = default
        named = {alias: self.index[anchor] for alias, anchor in aliases.items()}
        for alias, index in named.items():
            owner = site_map.anchors[index].gateway
            names = self._of_nobody if owner is None else self._of_gateway[owner]
            names.setdefault(alias, index)
        for own in self._of_gateway.values():
            own.update(self._of_nobody)
        for alias, index in named.items():
            own = self._of_gateway.setdefault(alias, {})
            own |= {aliases[alias]: index, alias: index, NO_ANCHOR: index}
        self._of_all = {**named, **self.index}

    def anchors_of(self, gateway: GatewayId) -> Mapping[str, int] | None:
        """Return the anchors that the gateway may report for, or None if it is unknown."""
        own = self._of_gateway.get(gateway)
        if own is not None:
            return own
        if gateway == PHONE_GATEWAY:
            return self._of_all
        itself = self._of_nobody.get(gateway)
        if itself is not None:
            return ChainMap({NO_ANCHOR: itself}, self._of_nobody)
        return self._of_nobody or None
