"""Find out that a campaign could never make an offer, or works against itself, before it starts.

Layer: rules. Takes: a `CampaignRevision`, the time, the site's rules. Gives: what is wrong with it
and what to do, to start_campaign. What cannot be seen from the document alone (a segment without
shoppers, a zone where nobody stays) is for the simulation on history to show.
"""

from typing import Final
from zoneinfo import ZoneInfo

from offers.decision.schedule import can_ever_be
from offers.decision.unsatisfiable import impossible_place
from offers.model.campaigns.benefit import EarlyAccess, Event
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import InvalidCampaign
from rtls.model.units import UnixMs

YEAR_MS: Final = 366 * 86_400_000
LASTS_YEARS_MAX: Final = 20


def check_makes_sense(revision: CampaignRevision, *, zone: ZoneInfo, now_ms: UnixMs) -> None:
    """Refuse a campaign that contradicts itself.

    Parameters
    ----------
    revision
        What is to be started.
    zone
        The site's time zone.
    now_ms
        The time.

    Raises
    ------
    InvalidCampaign
        If it can never make an offer, has no end, or its coupons pile up on each other.
    """
    complaint = (
        _time_complaint(revision, now_ms=now_ms)
        or _schedule_complaint(revision, zone=zone)
        or _condition_complaint(revision)
        or _benefit_complaint(revision)
        or _stacking_complaint(revision)
    )
    if complaint is not None:
        raise InvalidCampaign(f"campaign {revision.campaign}: {complaint}")


def _time_complaint(revision: CampaignRevision, *, now_ms: UnixMs) -> str | None:
    validity = revision.validity
    if validity.until_ms <= now_ms:
        return (
            "validity.until has passed, so it can never make an offer; expected an instant to "
            "come. Give the revision a new validity."
        )
    if validity.until_ms - validity.from_ms > LASTS_YEARS_MAX * YEAR_MS:
        return (
            f"validity lasts more than {LASTS_YEARS_MAX} years, which is no end; expected one "
            "that somebody will see. A later revision can prolong it."
        )
    return None


def _schedule_complaint(revision: CampaignRevision, *, zone: ZoneInfo) -> str | None:
    if can_ever_be(revision.schedule, revision.validity, zone):
        return None
    return (
        "schedule allows no instant within validity, so it can never make an offer; expected at "
        f"least one by the clocks of {zone.key}. Change weekdays, hours or dates, or the validity."
    )


def _condition_complaint(revision: CampaignRevision) -> str | None:
    found = impossible_place(revision)
    if found is None:
        return None
    place, why = found
    return f"{place} can never hold, so it can never make an offer: {why}."


def _benefit_complaint(revision: CampaignRevision) -> str | None:
    benefit, validity = revision.benefit, revision.validity
    if isinstance(benefit, Event) and validity.until_ms > benefit.starts_at_ms:
        return (
            "validity.until is after benefit.starts_at: tickets would go out for what is over; "
            "expected the campaign to end before the event begins."
        )
    if isinstance(benefit, EarlyAccess) and validity.until_ms > benefit.public_from_ms:
        return (
            "validity.until is after benefit.public_from: what everybody can get is no privilege; "
            "expected the campaign to end by then."
        )
    return None


def _stacking_complaint(revision: CampaignRevision) -> str | None:
    cap = revision.frequency_cap
    is_many_at_once = cap.offers_max > 1 or revision.coupon_valid_s > cap.window_s
    if not revision.has_coupon or revision.stacking is not StackingClass.COMBINABLE:
        return None
    if not is_many_at_once:
        return None
    return (
        "stacking is 'combinable', and a shopper may hold several coupons of this campaign at "
        "once: they would add up on the same line. Expected coupon_valid_s of at most "
        "frequency_cap.window_s with offers_max 1, or stacking 'one_a_line'."
    )
