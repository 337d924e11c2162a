"""Name what reception counts.

Layer: nouns. Takes: nothing. Gives: `ReceptionCounters` to rtls.ingest.reception, plain numbers to
metrics. The names are fixed here, so a stranger's input can never add one.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class ReceptionCounters:
    """How often each thing happened since the start of the process."""

    messages_received: int = 0
    messages_accepted: int = 0
    messages_duplicate: int = 0
    messages_quarantined: int = 0
    messages_unknown_gateway: int = 0
    messages_undated: int = 0
    """of a format without a clock, sent again by the broker after an outage"""
    messages_dated_by_arrival: int = 0
    """accepted, but the gateway's clock could not be used"""
    status_messages: int = 0
    readings_left_out: int = 0
    """that a decoder could not use, in messages whose others it could"""
    readings_received: int = 0
    """in messages accepted; the sum of all below and of those that wait or went into a batch"""
    readings_not_admitted: int = 0
    """of tags whose shopper has not consented, or withdrew"""
    readings_unknown_anchor: int = 0
    readings_foreign_anchor: int = 0
    readings_too_late: int = 0
    readings_for_revision: int = 0
    """too late for their epoch, but kept for another run of their tag"""
    readings_no_room: int = 0
    readings_no_tag_slot: int = 0
