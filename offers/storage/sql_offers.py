"""Keep offers and the slots of the frequency cap in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Offers`.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from offers.model.campaigns.campaign import FrequencyCap
from offers.model.ids import CampaignId, OfferId, ShopperId, VisitId
from offers.model.offering.decision import OfferPast
from offers.model.offering.offer import Offer, OfferCard, OfferState
from offers.storage.insert_once import insert_once
from offers.storage.offer_rows import offer_of_row, row_of_offer
from offers.storage.sql_campaigns import SqlCampaigns
from offers.storage.sql_coupons import SqlCoupons
from offers.storage.sql_sites import SqlSites
from offers.storage.tables import CAP_SLOTS, OFFERS
from rtls.model.units import SiteId, UnixMs

_O = OFFERS.c
_MOST = sa.bindparam("most", type_=sa.Integer)
_FIND = sa.select(OFFERS).where(_O.offer_id == sa.bindparam("offer"))
_CARDS_OF = (
    sa.select(OFFERS)
    .where(
        _O.shopper_id == sa.bindparam("shopper"),
        _O.sequence > sa.bindparam("after"),
        _O.state.in_(sa.bindparam("states", expanding=True)),
    )
    .order_by(_O.sequence)
    .limit(_MOST)
)
_IS_UNDELIVERED = _O.state == OfferState.ISSUED.value
_UNDELIVERED_OF_VISIT = (
    sa.select(OFFERS)
    .where(_O.visit_id == sa.bindparam("visit"), _IS_UNDELIVERED)
    .order_by(_O.sequence)
)
_REVOKED_OF_VISIT = (
    sa.select(OFFERS)
    .where(
        _O.visit_id == sa.bindparam("visit"),
        _O.state == OfferState.REVOKED.value,
        _O.delivered_at_ms.is_(None),
    )
    .order_by(_O.sequence)
)
_UNDELIVERED_OF_SHOPPER = (
    sa.select(OFFERS)
    .where(_O.shopper_id == sa.bindparam("shopper"), _IS_UNDELIVERED)
    .order_by(_O.sequence)
)
_OVERDUE = (
    sa.select(OFFERS)
    .where(
        _O.state.in_([OfferState.ISSUED.value, OfferState.DELIVERED.value]),
        _O.expires_at_ms <= sa.bindparam("now_ms"),
    )
    .limit(_MOST)
)
_OFFERED_ON = sa.select(_O.campaign_id).where(
    _O.shopper_id == sa.bindparam("shopper"), _O.occasion == sa.bindparam("occasion")
)
_DISMISSED_SINCE = (
    sa.select(_O.campaign_id, sa.func.max(_O.ended_at_ms).label("at_ms"))
    .where(
        _O.shopper_id == sa.bindparam("shopper"),
        _O.state == OfferState.DISMISSED.value,
        _O.ended_at_ms >= sa.bindparam("since_ms"),
    )
    .group_by(_O.campaign_id)
)
_COUNT_SINCE = sa.select(sa.func.count()).where(
    _O.shopper_id == sa.bindparam("shopper"),
    _O.site == sa.bindparam("site"),
    _O.locate_consent_id.is_not(None),
    _O.issued_at_ms >= sa.bindparam("since_ms"),
    sa.or_(_O.state != OfferState.REVOKED.value, _O.delivered_at_ms.is_not(None)),
)
_MOVE = (
    sa.update(OFFERS)
    .where(_O.offer_id == sa.bindparam("offer"), _O.state == sa.bindparam("before"))
    .values(
        state=sa.bindparam("after"),
        delivered_at_ms=sa.bindparam("delivered"),
        opened_at_ms=sa.bindparam("opened"),
        ended_at_ms=sa.bindparam("ended"),
    )
)
_S = CAP_SLOTS.c
_SLOTS = (
    sa.select(_S.slot, _S.taken_at_ms)
    .where(_S.shopper_id == sa.bindparam("shopper"), _S.campaign_id == sa.bindparam("campaign"))
    .order_by(_S.slot)
)
_SLOTS_OF_SHOPPER = (
    sa.select(_S.campaign_id, _S.taken_at_ms)
    .where(_S.shopper_id == sa.bindparam("shopper"))
    .order_by(_S.campaign_id, _S.slot)
)
_RETAKE = (
    sa.update(CAP_SLOTS)
    .where(
        _S.shopper_id == sa.bindparam("shopper"),
        _S.campaign_id == sa.bindparam("campaign"),
        _S.slot == sa.bindparam("number"),
        _S.taken_at_ms <= sa.bindparam("free_since_ms"),
    )
    .values(offer_id=sa.bindparam("offer"), taken_at_ms=sa.bindparam("at_ms"))
)
_FREE = sa.delete(CAP_SLOTS).where(_S.offer_id == sa.bindparam("offer"))


class SqlOffers:
    """Offers, and the slots that hold the frequency cap."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(OFFERS, connection.dialect.name)
        self._insert_slot = insert_once(CAP_SLOTS, connection.dialect.name)
        self._campaigns = SqlCampaigns(connection)
        self._coupons = SqlCoupons(connection)
        self._sites = SqlSites(connection)
        self._time_zones: dict[SiteId, str] = {}

    def add(self, offer: Offer) -> bool:
        """Write an offer; False where the shopper had the campaign on this occasion already."""
        return self._connection.execute(self._insert, row_of_offer(offer)).rowcount == 1

    def find(self, offer: OfferId) -> Offer | None:
        """Return the offer, or None."""
        found = self._read(_FIND, {"offer": offer})
        return found[0] if found else None

    def card(self, offer: OfferId) -> OfferCard | None:
        """Return the offer with revision, coupon and cursor, or None."""
        row = self._connection.execute(_FIND, {"offer": offer}).one_or_none()
        return None if row is None else self._card(row)

    def cards_of(
        self, shopper: ShopperId, *, after: int, limit: int, states: Sequence[OfferState]
    ) -> tuple[OfferCard, ...]:
        """Return the shopper's offers in these states behind the cursor, oldest first."""
        given = {
            "shopper": shopper,
            "after": after,
            "most": limit,
            "states": [state.value for state in states],
        }
        return tuple(self._card(row) for row in self._connection.execute(_CARDS_OF, given))

    def undelivered_of_visit(self, visit: VisitId) -> tuple[Offer, ...]:
        """Return the offers of a visit that are still issued only."""
        return self._read(_UNDELIVERED_OF_VISIT, {"visit": visit})

    def revoked_of_visit(self, visit: VisitId) -> tuple[Offer, ...]:
        """Return the offers of a visit that were revoked before they arrived, oldest first."""
        return self._read(_REVOKED_OF_VISIT, {"visit": visit})

    def undelivered_of_shopper(self, shopper: ShopperId) -> tuple[Offer, ...]:
        """Return the offers to a shopper that are still issued only, oldest first."""
        return self._read(_UNDELIVERED_OF_SHOPPER, {"shopper": shopper})

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[Offer, ...]:
        """Return issued and delivered offers whose time is over."""
        return self._read(_OVERDUE, {"now_ms": now_ms, "most": limit})

    def past_of(self, shopper: ShopperId, *, occasion: str, since_ms: UnixMs) -> OfferPast:
        """Return what the shopper's earlier offers say about others, in a fixed count of reads."""
        taken: dict[CampaignId, tuple[UnixMs, ...]] = {}
        for row in self._connection.execute(_SLOTS_OF_SHOPPER, {"shopper": shopper}):
            campaign = CampaignId(row.campaign_id)
            taken[campaign] = (*taken.get(campaign, ()), UnixMs(row.taken_at_ms))
        given = {"shopper": shopper, "occasion": occasion}
        offered = self._connection.execute(_OFFERED_ON, given).scalars()
        since = {"shopper": shopper, "since_ms": since_ms}
        dismissed = self._connection.execute(_DISMISSED_SINCE, since)
        return OfferPast(
            cap_taken_at_ms=taken,
            offered=frozenset(map(CampaignId, offered)),
            dismissed_at_ms={CampaignId(row.campaign_id): UnixMs(row.at_ms) for row in dismissed},
        )

    def count_since(self, shopper: ShopperId, site: SiteId, *, since_ms: UnixMs) -> int:
        """Return how many offers of places were made to the shopper at the site since then.

        One that was revoked before it arrived was none.
        """
        given = {"shopper": shopper, "site": site, "since_ms": since_ms}
        count: int = self._connection.execute(_COUNT_SINCE, given).scalar_one()
        return count

    def move(self, before: Offer, after: Offer) -> bool:
        """Write the new state, if the stored one is still that of ``before``; else False."""
        assert before.offer == after.offer
        given = {
            "offer": before.offer,
            "before": before.state.value,
            "after": after.state.value,
            "delivered": after.delivered_at_ms,
            "opened": after.opened_at_ms,
            "ended": after.ended_at_ms,
        }
        return self._connection.execute(_MOVE, given).rowcount == 1

    def take_cap_slot(self, offer: Offer, cap: FrequencyCap) -> bool:
        """Take a slot that has been free for the whole window; False where there is none."""
        slots = self._slots(offer.shopper, offer.campaign)
        free_since_ms = offer.issued_at_ms - cap.window_s * 1_000
        given: dict[str, object] = {
            "shopper": offer.shopper,
            "campaign": offer.campaign,
            "offer": offer.offer,
            "at_ms": offer.issued_at_ms,
            "free_since_ms": free_since_ms,
        }
        for number, taken_at_ms in slots:
            if number < cap.offers_max and taken_at_ms <= free_since_ms:
                return self._connection.execute(_RETAKE, {**given, "number": number}).rowcount == 1
        used = {number for number, _ in slots}
        fresh = next((n for n in range(cap.offers_max) if n not in used), None)
        return fresh is not None and self._take_fresh_slot(offer, fresh)

    def free_cap_slot(self, offer: OfferId) -> None:
        """Give the slot back: the offer never reached the shopper."""
        self._connection.execute(_FREE, {"offer": offer})

    def _take_fresh_slot(self, offer: Offer, number: int) -> bool:
        row = {
            "shopper_id": offer.shopper,
            "campaign_id": offer.campaign,
            "slot": number,
            "offer_id": offer.offer,
            "taken_at_ms": offer.issued_at_ms,
        }
        return self._connection.execute(self._insert_slot, row).rowcount == 1

    def _slots(self, shopper: ShopperId, campaign: CampaignId) -> list[tuple[int, UnixMs]]:
        given = {"shopper": shopper, "campaign": campaign}
        rows = self._connection.execute(_SLOTS, given)
        return [(row.slot, UnixMs(row.taken_at_ms)) for row in rows]

    def _card(self, row: sa.Row[*tuple[object, ...]]) -> OfferCard:
        offer = offer_of_row(row)
        return OfferCard(
            sequence=row.sequence,
            offer=offer,
            revision=self._campaigns.revision(offer.campaign, offer.revision),
            coupon=self._coupons.of_offer(offer.offer),
            time_zone=self._time_zone(offer.site),
        )

    def _time_zone(self, site: SiteId) -> str:
        if site not in self._time_zones:  # a page of cards asks once
            self._time_zones[site] = self._sites.budgets(site).time_zone
        return self._time_zones[site]

    def _read(
        self, query: sa.Select[*tuple[object, ...]], given: Mapping[str, object]
    ) -> tuple[Offer, ...]:
        return tuple(offer_of_row(row) for row in self._connection.execute(query, given))
