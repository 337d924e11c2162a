"""Keep campaigns and their revisions in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Campaigns`.
"""

import json
from functools import lru_cache

import sqlalchemy as sa

from offers.model.campaigns.campaign import Campaign, CampaignRevision, CampaignState
from offers.model.campaigns.campaign_json import parse_campaign, render_campaign
from offers.model.campaigns.trigger import KIND_OF_TRIGGER, TriggerKind, zone_of
from offers.model.ids import CampaignId
from offers.storage.insert_once import insert_once
from offers.storage.tables import CAMPAIGN_REVISIONS, CAMPAIGNS
from rtls.model.units import SiteId, ZoneId

_ADD_CAMPAIGN_REVISIONS = sa.insert(CAMPAIGN_REVISIONS)
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


@lru_cache(maxsize=1_024)
def _revision_of(document: str, number: int) -> CampaignRevision:
    # A revision never changes, and on_visit reads all of a zone at every dwell event.
    return parse_campaign(json.loads(document), revision=number)


class SqlCampaigns:
    """Campaigns and their revisions."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(CAMPAIGNS, connection.dialect.name)
        # Nobody else changes them before this transaction ends, and its tills all ask for the same.
        self._found: dict[CampaignId, Campaign | None] = {}
        self._revisions: dict[tuple[CampaignId, int], CampaignRevision] = {}

    def add_revision(self, revision: CampaignRevision) -> None:
        """Write a revision, make it the current one, and the campaign active."""
        self._found.pop(revision.campaign, None)
        kind, zone = KIND_OF_TRIGGER[type(revision.trigger)], zone_of(revision.trigger)
        fresh = {
            "campaign_id": revision.campaign,
            "site": revision.site,
            "trigger_kind": kind.value,
            "zone": zone,
            "state": CampaignState.ACTIVE.value,
            "revision": revision.revision,
        }
        self._connection.execute(self._insert, fresh)
        self._connection.execute(
            _ADD_CAMPAIGN_REVISIONS,
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
        if campaign not in self._found:
            row = self._connection.execute(_FIND, {"campaign": campaign}).one_or_none()
            self._found[campaign] = None if row is None else _campaign(row)
        return self._found[campaign]

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
        found = self._revisions.get((campaign, revision))
        if found is None:
            given = {"campaign": campaign, "number": revision}
            document = self._connection.execute(_REVISION, given).scalar_one()
            found = self._revisions[campaign, revision] = _revision_of(document, revision)
        return found

    def set_state(self, campaign: CampaignId, state: CampaignState) -> bool:
        """Pause or resume; False where the campaign is unknown."""
        self._found.pop(campaign, None)
        given = {"campaign": campaign, "to_state": state.value}
        return self._connection.execute(_SET_STATE, given).rowcount == 1


def _campaign(row: sa.Row[*tuple[object, ...]]) -> Campaign:
    return Campaign(
        campaign=CampaignId(row.campaign_id),
        site=SiteId(row.site),
        state=CampaignState(row.state),
        revision=_revision_of(row.document, row.revision),
    )
