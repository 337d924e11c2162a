"""Keep campaigns, their revisions and their budgets in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Campaigns`. A budget is
two counters in one row; each step is one conditional UPDATE, and a CHECK stands behind it.
"""

import json
from functools import lru_cache

import sqlalchemy as sa

from offers.model.campaign import Budget, Campaign, CampaignRevision, CampaignState
from offers.model.campaign_json import parse_campaign, render_campaign
from offers.model.ids import CampaignId
from offers.model.trigger import KIND_OF_TRIGGER, TriggerKind, zone_of
from offers.storage.insert_once import insert_once
from offers.storage.tables import CAMPAIGN_REVISIONS, CAMPAIGNS
from rtls.model.units import SiteId, ZoneId

_C = CAMPAIGNS.c
_R = CAMPAIGN_REVISIONS.c
_IS_CAMPAIGN = _C.campaign_id == sa.bindparam("campaign")
_CURRENT = sa.select(_C.campaign_id, _C.site, _C.state, _R.revision, _R.document).join_from(
    CAMPAIGNS,
    CAMPAIGN_REVISIONS,
    sa.and_(_R.campaign_id == _C.campaign_id, _R.revision == _C.revision),
)
_FIND = _CURRENT.where(_IS_CAMPAIGN)
_OF_SITE = _CURRENT.where(_C.site == sa.bindparam("site")).order_by(_C.campaign_id)
_WAITING = _CURRENT.where(
    _C.site == sa.bindparam("site"),
    _C.trigger_kind == sa.bindparam("kind"),
    _C.state == CampaignState.ACTIVE.value,
).order_by(_C.campaign_id)
_WAITING_IN_ZONE = _WAITING.where(_C.zone == sa.bindparam("zone"))
_REVISION = sa.select(_R.document).where(
    _R.campaign_id == sa.bindparam("campaign"), _R.revision == sa.bindparam("number")
)
_MAKE_CURRENT = (
    sa.update(CAMPAIGNS)
    .where(_IS_CAMPAIGN)
    .values(
        trigger_kind=sa.bindparam("to_kind"),
        zone=sa.bindparam("to_zone"),
        revision=sa.bindparam("number"),
        state=CampaignState.ACTIVE.value,
    )
)
_SET_STATE = sa.update(CAMPAIGNS).where(_IS_CAMPAIGN).values(state=sa.bindparam("to_state"))
_HAS_ROOM = sa.or_(_C.redemptions_max.is_(None), _C.held + _C.used < _C.redemptions_max)
_WITHOUT_BUDGET = sa.select(_C.campaign_id).where(
    _C.site == sa.bindparam("site"), sa.not_(_HAS_ROOM)
)
_HAS_BUDGET = sa.select(_C.campaign_id).where(_IS_CAMPAIGN, _HAS_ROOM)
_USED = sa.select(_C.used).where(_IS_CAMPAIGN)
_RESERVE = sa.update(CAMPAIGNS).where(_IS_CAMPAIGN, _HAS_ROOM).values(held=_C.held + 1)
_RELEASE = sa.update(CAMPAIGNS).where(_IS_CAMPAIGN).values(held=_C.held - 1)
_USE_FREE = sa.update(CAMPAIGNS).where(_IS_CAMPAIGN, _HAS_ROOM).values(used=_C.used + 1)
_USE_RESERVED = (
    sa.update(CAMPAIGNS).where(_IS_CAMPAIGN, _C.held > 0).values(held=_C.held - 1, used=_C.used + 1)
)
_UNDO = sa.update(CAMPAIGNS).where(_IS_CAMPAIGN).values(used=_C.used - 1)
_UNDO_RESERVED = sa.update(CAMPAIGNS).where(_IS_CAMPAIGN).values(used=_C.used - 1, held=_C.held + 1)
_SET_BUDGET = (
    sa.update(CAMPAIGNS)
    .where(
        _IS_CAMPAIGN,
        sa.or_(
            sa.bindparam("most", type_=sa.BigInteger).is_(None),
            _C.held + _C.used <= sa.bindparam("most", type_=sa.BigInteger),
        ),
    )
    .values(redemptions_max=sa.bindparam("most", type_=sa.BigInteger))
)


@lru_cache(maxsize=1_024)
def _revision_of(document: str, number: int) -> CampaignRevision:
    # A revision never changes, and on_visit reads all of a zone at every dwell event.
    return parse_campaign(json.loads(document), revision=number)


class SqlCampaigns:
    """Campaigns, their revisions, and the counters that hold their budgets."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(CAMPAIGNS, connection.dialect.name)

    def add_revision(self, revision: CampaignRevision) -> None:
        """Write a revision, make it the current one, and the campaign active."""
        most = None if revision.budget is None else revision.budget.redemptions_max
        kind, zone = KIND_OF_TRIGGER[type(revision.trigger)], zone_of(revision.trigger)
        fresh = {
            "campaign_id": revision.campaign,
            "site": revision.site,
            "trigger_kind": kind.value,
            "zone": zone,
            "state": CampaignState.ACTIVE.value,
            "revision": revision.revision,
            "redemptions_max": most,
            "held": 0,
            "used": 0,
        }
        self._connection.execute(self._insert, fresh)
        self._connection.execute(
            sa.insert(CAMPAIGN_REVISIONS),
            {
                "campaign_id": revision.campaign,
                "revision": revision.revision,
                "document": render_campaign(revision),
            },
        )
        current = {
            "campaign": revision.campaign,
            "to_kind": kind.value,
            "to_zone": zone,
            "number": revision.revision,
        }
        self._connection.execute(_MAKE_CURRENT, current)

    def find(self, campaign: CampaignId) -> Campaign | None:
        """Return the campaign with its current revision, or None."""
        row = self._connection.execute(_FIND, {"campaign": campaign}).one_or_none()
        return None if row is None else _campaign(row)

    def of_site(self, site: SiteId) -> tuple[Campaign, ...]:
        """Return all campaigns of a site, by id."""
        return tuple(_campaign(row) for row in self._connection.execute(_OF_SITE, {"site": site}))

    def waiting_for(
        self, site: SiteId, kind: TriggerKind, *, zone: ZoneId | None
    ) -> tuple[CampaignRevision, ...]:
        """Return the current revisions of active campaigns with such a trigger, by id."""
        given = {"site": site, "kind": kind.value, "zone": zone}
        query = _WAITING if zone is None else _WAITING_IN_ZONE
        rows = self._connection.execute(query, given)
        return tuple(_revision_of(row.document, row.revision) for row in rows)

    def revision(self, campaign: CampaignId, revision: int) -> CampaignRevision:
        """Return one revision; it must exist."""
        given = {"campaign": campaign, "number": revision}
        document = self._connection.execute(_REVISION, given).scalar_one()
        return _revision_of(document, revision)

    def set_state(self, campaign: CampaignId, state: CampaignState) -> bool:
        """Pause or resume; False where the campaign is unknown."""
        return self._is_done(_SET_STATE, {"campaign": campaign, "to_state": state.value})

    def has_budget(self, campaign: CampaignId) -> bool:
        """Say whether one more redemption could be paid for."""
        found = self._connection.execute(_HAS_BUDGET, {"campaign": campaign})
        return found.one_or_none() is not None

    def without_budget(self, site: SiteId) -> frozenset[CampaignId]:
        """Return the campaigns of which not one more redemption could be paid for."""
        found = self._connection.execute(_WITHOUT_BUDGET, {"site": site}).scalars()
        return frozenset(map(CampaignId, found))

    def reserve(self, campaign: CampaignId) -> bool:
        """Set one redemption aside, if the budget allows it."""
        return self._is_done(_RESERVE, {"campaign": campaign})

    def release(self, campaign: CampaignId) -> None:
        """Give back one redemption that was set aside."""
        self._is_done(_RELEASE, {"campaign": campaign})

    def use(self, campaign: CampaignId, *, is_reserved: bool) -> bool:
        """Count one redemption; False where the budget is spent."""
        step = _USE_RESERVED if is_reserved else _USE_FREE
        return self._is_done(step, {"campaign": campaign})

    def give_back(self, campaign: CampaignId, *, is_reserved: bool) -> None:
        """Take one redemption off the count, since it is reversed; set it aside again if asked."""
        self._is_done(_UNDO_RESERVED if is_reserved else _UNDO, {"campaign": campaign})

    def used(self, campaign: CampaignId) -> int:
        """Return how many redemptions have been counted."""
        count: int = self._connection.execute(_USED, {"campaign": campaign}).scalar_one()
        return count

    def set_budget(self, campaign: CampaignId, budget: Budget | None) -> bool:
        """Change the limit; False where more is used and set aside already."""
        most = None if budget is None else budget.redemptions_max
        return self._is_done(_SET_BUDGET, {"campaign": campaign, "most": most})

    def _is_done(self, step: sa.Update, given: dict[str, object]) -> bool:
        return self._connection.execute(step, given).rowcount == 1


def _campaign(row: sa.Row[*tuple[object, ...]]) -> Campaign:
    return Campaign(
        campaign=CampaignId(row.campaign_id),
        site=SiteId(row.site),
        state=CampaignState(row.state),
        revision=_revision_of(row.document, row.revision),
    )
