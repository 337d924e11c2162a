"""What holds for whatever a decoder gives, of whatever bytes."""

import math

from rtls.ingest.formats.decoded import (
    NO_AGE,
    NO_ANCHOR,
    Decoded,
    GatewayStatus,
    Rejection,
    RejectionReason,
)
from rtls.ingest.formats.identifiers import are_anchor_ids, are_tag_ids
from rtls.ingest.formats.registry import Outcome


def check(outcome: Outcome) -> None:
    """Fail unless the outcome is sound: finite numbers in bounds and names in our grammar."""
    if isinstance(outcome, Rejection):
        assert outcome.reason in RejectionReason
        assert len(outcome.where) <= 64
        return
    assert isinstance(outcome, Decoded | GatewayStatus)
    assert are_anchor_ids([outcome.gateway])
    if isinstance(outcome, GatewayStatus):
        assert isinstance(outcome.is_online, bool)
        return
    assert outcome.left_out >= 0
    assert outcome.sent_at_ms is None or 0 < outcome.sent_at_ms < 2**53
    for column in outcome.columns:
        sizes = {len(column.tags), len(column.anchors), len(column.values), len(column.ages_ms)}
        assert len(sizes) == 1
        assert are_tag_ids(column.tags)
        assert are_anchor_ids([anchor for anchor in column.anchors if anchor != NO_ANCHOR])
        assert all(math.isfinite(value) and -120.0 <= value < 0.0 for value in column.values)
        assert all(type(value) is float for value in column.values)
        assert all(type(age) is int for age in column.ages_ms)
        assert all(-(2**53) < age <= 0 or age == NO_AGE for age in column.ages_ms)
