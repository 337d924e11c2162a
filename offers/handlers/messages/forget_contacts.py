"""Forget trips, deliveries, mails and told events when their time is over.

Layer: flow. Takes: the time. Gives: how much was deleted to expire_overdue.
"""

from typing import Final

from offers.handlers.messages.tell_webhook import EVENTS_KEPT_MS
from offers.model.conditions.fact import DAY_MS
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

TRIPS_KEPT_MS: Final = 30 * DAY_MS  # as long as dwell events may be kept at all
DELIVERIES_KEPT_MS: Final = 396 * DAY_MS  # as long as offers: 13 months
MAILS_KEPT_MS: Final = 396 * DAY_MS  # so that a mail of one kind and subject goes once


def forget_contacts(*, work: UnitOfWork, now_ms: UnixMs, limit: int) -> int:
    """Delete at most ``limit`` rows of each; return how many."""
    return (
        work.trips.forget_before(UnixMs(now_ms - TRIPS_KEPT_MS), limit=limit)
        + work.contacts.forget_before(UnixMs(now_ms - DELIVERIES_KEPT_MS), limit=limit)
        + work.mails.forget_before(UnixMs(now_ms - MAILS_KEPT_MS), limit=limit)
        + work.webhooks.forget_before(UnixMs(now_ms - EVENTS_KEPT_MS), limit=limit)
    )
