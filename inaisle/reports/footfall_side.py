"""Put the reports of footfall together: history, plan, rules of release.

Layer: doors. Takes: settings and the plan. Gives: `FootfallReports` to the API and to commands.
"""

import hashlib
from typing import Final

from inaisle.database.database_place import key_file
from inaisle.reports.history_side import open_history_reader
from inaisle.settings import Settings
from offers.storage.secret_source import load_key
from rtls.footfall.release import ReleaseRules
from rtls.footfall_reports import FootfallReports, ReportSettings
from rtls.model.site_map import SiteMap
from rtls.model.units import Metre
from rtls.ports import FootfallSource, ZoneOffersSource

PURPOSE: Final = b"inaisle footfall"


def open_footfall(
    settings: Settings,
    *,
    site_map: SiteMap,
    source: FootfallSource | None = None,
    offers: ZoneOffersSource | None = None,
) -> FootfallReports:
    """Return the reports of a site; `InvalidSettings` where the history's libraries are missing.

    Parameters
    ----------
    source
        Another history than that of the data folder.
    offers
        Where offers and purchases are counted.
    """
    section = settings.footfall
    rules = ReleaseRules(key=release_key(settings), k=section.k)
    return FootfallReports(
        source or open_history_reader(settings),
        site_map=site_map,
        settings=ReportSettings(
            rules=rules, cell_m=Metre(section.cell_m), tells_cohorts=section.tells_cohorts
        ),
        offers=offers,
    )


def release_key(settings: Settings) -> bytes:
    """Return the key of the rounding, made of the secret of the data folder.

    It stays as long as that secret: a second key would let somebody average two roundings.
    """
    secret = load_key(key_file(settings))
    return hashlib.blake2b(PURPOSE, key=secret[:64], digest_size=32).digest()
