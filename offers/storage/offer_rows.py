"""Turn an offer into a row and back.

Layer: edges. Takes: an `Offer` or a row. Gives: the other to sql_offers.
"""

import sqlalchemy as sa

from offers.model.ids import (
    CampaignId,
    ConsentId,
    DecisionId,
    OfferId,
    ShopperId,
    VisitId,
)
from offers.model.offering.offer import Offer, OfferState
from rtls.model.units import SiteId, UnixMs, ZoneId


def row_of_offer(offer: Offer) -> dict[str, object]:
    """Return the values of the row; the sequence is the database's to give."""
    return {
        "offer_id": offer.offer,
        "shopper_id": offer.shopper,
        "campaign_id": offer.campaign,
        "revision": offer.revision,
        "decision_id": offer.decision,
        "site": offer.site,
        "occasion": offer.occasion,
        "zone": offer.zone,
        "visit_id": offer.visit,
        "locate_consent_id": offer.locate_consent,
        "personalise_consent_id": offer.personalise_consent,
        "may_notify": offer.may_notify,
        "state": offer.state.value,
        "issued_at_ms": offer.issued_at_ms,
        "expires_at_ms": offer.expires_at_ms,
        "delivered_at_ms": offer.delivered_at_ms,
        "opened_at_ms": offer.opened_at_ms,
        "ended_at_ms": offer.ended_at_ms,
    }


def offer_of_row(row: sa.Row[*tuple[object, ...]]) -> Offer:
    """Return the offer that the row holds."""
    return Offer(
        offer=OfferId(row.offer_id),
        shopper=ShopperId(row.shopper_id),
        campaign=CampaignId(row.campaign_id),
        revision=row.revision,
        decision=DecisionId(row.decision_id),
        site=SiteId(row.site),
        occasion=row.occasion,
        zone=None if row.zone is None else ZoneId(row.zone),
        visit=None if row.visit_id is None else VisitId(row.visit_id),
        locate_consent=_locate_consent(row.locate_consent_id),
        personalise_consent=ConsentId(row.personalise_consent_id),
        may_notify=row.may_notify,
        state=OfferState(row.state),
        issued_at_ms=UnixMs(row.issued_at_ms),
        expires_at_ms=UnixMs(row.expires_at_ms),
        delivered_at_ms=row.delivered_at_ms,
        opened_at_ms=row.opened_at_ms,
        ended_at_ms=row.ended_at_ms,
    )


def _locate_consent(found: str | None) -> ConsentId | None:
    return None if found is None else ConsentId(found)
