"""Say to which site a message belongs, where the gateways of several sites share one broker.

Layer: doors. Takes: the maps of the sites. Gives: messages by site to the bridge. A topic names the
gateway and nothing else; whose it is, the maps say.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from inaisle.errors import InvalidSettings
from rtls.ingest.bounded_counts import BoundedCounts
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId
from rtls.ports import RawMessage

TELLING_FORMATS: Final = frozenset({FormatName.REFERENCE, FormatName.PACKED, FormatName.PHONE_SCAN})
"""their topics name the gateway where it signed in"""
GATEWAY_LEVEL: Final = 3
"""of inaisle/v1/gw/{gateway}/up, counted from 0"""


class GatewaySites:
    """The site of each gateway; one site alone gets every message.

    Attributes
    ----------
    unknown
        Gateways of none of the sites, and how often they were heard.
    """

    def __init__(self, sites: Mapping[SiteId, SiteMap], formats: FormatSettings) -> None:
        self.unknown = BoundedCounts()
        self._alone = next(iter(sites)) if len(sites) == 1 else None
        self._site_of: dict[str, SiteId] = {}
        if self._alone is None:
            _refuse_formats_that_do_not_tell(formats)
            for site, site_map in sites.items():
                self._add(site, site_map)

    def sort(self, messages: Iterable[RawMessage]) -> Mapping[SiteId, Sequence[RawMessage]]:
        """Return the messages of each site, in their order; those of no site are counted."""
        if self._alone is not None:
            return {self._alone: list(messages)}
        sorted_out: dict[SiteId, list[RawMessage]] = {}
        for message in messages:
            levels = message.topic.split("/")
            gateway = levels[GATEWAY_LEVEL] if len(levels) > GATEWAY_LEVEL else ""
            site = self._site_of.get(gateway)
            if site is None:
                self.unknown.add(gateway)
            else:
                sorted_out.setdefault(site, []).append(message)
        return sorted_out

    def _add(self, site: SiteId, site_map: SiteMap) -> None:
        """Take the gateways of a map.

        Raises
        ------
        InvalidSettings
            If it cannot be said whose a gateway is.
        """
        for anchor in site_map.anchors:
            if anchor.gateway is None:
                raise InvalidSettings(
                    f"anchor {anchor.anchor!r} of site {site!r} names no gateway; expected one, "
                    "for the gateways of several sites share this broker. Name it in the map, or "
                    f"bridge this site by itself: --site {site}."
                )
            other = self._site_of.setdefault(anchor.gateway, site)
            if other != site:
                raise InvalidSettings(
                    f"gateway {anchor.gateway!r} stands in the maps of {other!r} and {site!r}; "
                    "expected one site. Name one of them otherwise."
                )


def _refuse_formats_that_do_not_tell(formats: FormatSettings) -> None:
    mute = sorted(set(formats.on) - TELLING_FORMATS)
    moved = [
        name
        for name in ("topics", "prefixes", "gateways", "gateway_levels", "aliases")
        if getattr(formats, name)
    ]
    if mute or moved:
        raise InvalidSettings(
            f"[formats] says {', '.join((*mute, *moved))}; expected the formats of our own "
            "gateways on their own topics, for several sites share this broker. Bridge a site with "
            "foreign gateways by itself: --site."
        )
