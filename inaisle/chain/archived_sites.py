"""Keep of each site of a chain what its archive needs: clocks, floors of zones, salts, who counts.

Layer: doors. Takes: the library, the folder of salts, randomness. Gives: `ArchivedSite`s to the
archive. A map that was changed is found again after a while.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from inaisle.chain.site_library import SiteLibrary
from inaisle.errors import InvalidSettings
from rtls.model.counted_tag import CountedTag, parse_counted
from rtls.model.errors import InvalidCalibration, InvalidReading, InvalidSiteMap
from rtls.model.units import SiteId, UnixMs
from rtls.storage.archive.archive_writer import ArchivedSite
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.salt_book import SaltBook

log = structlog.get_logger("inaisle.archive")
KNOWN_MS: Final = 3_600_000
SITES_MAX: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    until_ms: UnixMs
    site: ArchivedSite | None


class ArchivedSites:
    """The sites that are archived. Used by one thread.

    Parameters
    ----------
    salts
        Folder of the salts, shared by all processes that write this archive.
    counts_all
        Whether whatever is located counts: of recordings and simulated chains.
    settle_ms
        How long after its end a day is still told.
    """

    def __init__(
        self,
        library: SiteLibrary,
        *,
        salts: Path,
        new_salt: Callable[[int], bytes],
        settle_ms: int,
        now_ms: Callable[[], UnixMs],
        counts_all: bool = False,
    ) -> None:
        self._library = library
        self._salts = salts
        self._new_salt = new_salt
        self._settle_ms = settle_ms
        self._now_ms = now_ms
        self._counts_all = counts_all
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._counted: dict[str, CountedTags] = {}

    def sites(self) -> tuple[SiteId, ...]:
        """Return the sites of the library."""
        return self._library.sites()

    def find(self, name: str) -> ArchivedSite | None:
        """Return a site, or None where the library does not hold it or its map cannot be read."""
        known = self._known.get(name)
        if known is None or known.until_ms <= self._now_ms():
            before = None if known is None else known.site
            until_ms = UnixMs(self._now_ms() + KNOWN_MS)
            known = self._known[name] = _Known(until_ms=until_ms, site=self._load(name, before))
            while len(self._known) > SITES_MAX:
                self._known.popitem(last=False)
        return known.site

    def replace_counted(self, name: SiteId, texts: Iterable[str]) -> None:
        """Count exactly these tags of a site from now on; what cannot be read counts not."""
        self._counted_at(name).replace(_counted_of(texts))

    def _counted_at(self, name: str) -> CountedTags:
        # Apart from the site: its map may be unreadable just now, and its consents are not.
        if name not in self._counted:
            self._counted[name] = CountedTags.all() if self._counts_all else CountedTags()
        return self._counted[name]

    def _load(self, name: str, before: ArchivedSite | None) -> ArchivedSite | None:
        try:
            found = self._library.find(name)
        except (InvalidSiteMap, InvalidCalibration, InvalidSettings) as error:
            log.warning("a site cannot be read; it stays as it was", site=name, reason=str(error))
            return before
        if found is None:
            return None
        site_map = found.site_map
        return ArchivedSite(
            site=site_map.site,
            time_zone=site_map.time_zone,
            floors={zone.zone: zone.floor for zone in site_map.zones},
            counted=self._counted_at(site_map.site),
            salts=SaltBook(
                self._salts / site_map.site,
                site=site_map.site,
                time_zone=site_map.time_zone,
                new_salt=self._new_salt,
                settled_ms=self._settle_ms,
            ),
        )


def _counted_of(texts: Iterable[str]) -> list[CountedTag]:
    found = []
    for text in texts:
        try:
            found.append(parse_counted(text))
        except InvalidReading as error:
            log.warning("a counted tag cannot be read", reason=str(error))
    return found
