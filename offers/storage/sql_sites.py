"""Keep what holds for a whole site in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Sites`.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import sqlalchemy as sa

from offers.model.campaigns.budget import BudgetLimit, SiteBudgets
from offers.model.campaigns.budget_json import parse_limits, render_limits
from offers.storage.insert_once import insert_once
from offers.storage.tables import SITES
from rtls.model.units import SiteId

DEFAULT_TIME_ZONE: Final = "UTC"
_S = SITES.c
_IS_SITE = _S.site == sa.bindparam("at_site")
_FIND = sa.select(SITES).where(_IS_SITE)
_SET_ZONE = sa.update(SITES).where(_IS_SITE).values(time_zone=sa.bindparam("zone"))
_SET_LIMITS = sa.update(SITES).where(_IS_SITE).values(limits=sa.bindparam("document"))


@lru_cache(maxsize=256)
def _limits_of(document: str) -> tuple[BudgetLimit, ...]:
    return parse_limits(json.loads(document))


class SqlSites:
    """Time zones of sites, and the limits that their campaigns share."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(SITES, connection.dialect.name)
        self._found: dict[SiteId, SiteBudgets] = {}  # nobody else changes them meanwhile

    def note(self, site: SiteId, *, time_zone: str) -> None:
        """Write the time zone of the site."""
        self._make(site)
        self._connection.execute(_SET_ZONE, {"at_site": site, "zone": time_zone})

    def set_limits(self, site: SiteId, limits: Sequence[BudgetLimit]) -> None:
        """Write the limits that all campaigns of the site share."""
        self._make(site)
        document = json.dumps(render_limits(limits), sort_keys=True)
        self._connection.execute(_SET_LIMITS, {"at_site": site, "document": document})

    def budgets(self, site: SiteId) -> SiteBudgets:
        """Return what holds for the site; UTC and no limits where nothing was noted."""
        found = self._found.get(site)
        if found is None:
            found = self._found[site] = self._read(site)
        return found

    def _read(self, site: SiteId) -> SiteBudgets:
        row = self._connection.execute(_FIND, {"at_site": site}).one_or_none()
        if row is None:
            return SiteBudgets(time_zone=DEFAULT_TIME_ZONE)
        return SiteBudgets(time_zone=row.time_zone, limits=_limits_of(row.limits))

    def _make(self, site: SiteId) -> None:
        self._found.pop(site, None)
        row = {"site": site, "time_zone": DEFAULT_TIME_ZONE, "limits": "[]"}
        self._connection.execute(self._insert, row)
