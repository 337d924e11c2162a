"""Gather from the parts how the service does in numbers.

Layer: doors. Takes: the halves that run in this process. Gives: a `FiguresDocument` to
rtls.api.figures_routes, at each question.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from inaisle.service.locating_side import LocatingSide
from inaisle.service.recent_times import RecentTimes
from rtls.api.figures_routes import METRICS, FiguresDocument, GatewayDocument, StagesDocument
from rtls.api.location_json import rfc_3339
from rtls.model.errors import LiveStateAway
from rtls.model.units import UnixMs
from rtls.ports import GatewayHeard, LiveStateReader

LOCATED_MS: Final = 10_000
NOT_USED: Final = (
    "messages_duplicate",
    "messages_unknown_gateway",
    "messages_undated",
    "readings_left_out",
    "readings_not_admitted",
    "readings_unknown_anchor",
    "readings_foreign_anchor",
    "readings_too_late",
    "readings_no_room",
    "readings_no_tag_slot",
)


def health_figures(
    locating: LocatingSide | None,
    *,
    live: LiveStateReader,
    fix_to_offer: RecentTimes,
    now_ms: UnixMs,
) -> FiguresDocument:
    """Return all figures.

    Parameters
    ----------
    locating
        None where it runs in another process.
    live
        Where tags are now.
    fix_to_offer
        Of the offers' half.
    now_ms
        The door's clock.
    """
    metrics = None if locating is None else locating.metrics
    return FiguresDocument(
        at=rfc_3339(np.array([now_ms]))[0],
        readings_per_s=None if metrics is None else metrics.readings_lately.a_second(),
        rejected={} if locating is None else not_used(locating.reception_counters()),
        lag_ms=None if metrics is None else metrics.lags.quantiles(),
        stages=StagesDocument(
            anchor_to_fix=None if metrics is None else metrics.anchor_to_fix.quantiles(),
            fix_to_offer=fix_to_offer.quantiles(),
        ),
        gateways=[] if locating is None else [_gateway(one) for one in locating.gateways()],
        shoppers_located=_located(live, now_ms),
        metrics=METRICS,
    )


def not_used(counters: Mapping[str, int]) -> dict[str, int]:
    """Return, of the counters of reception, those of what was turned away and did occur.

    Examples
    --------
    >>> not_used({"messages_received": 9, "quarantined_truncated": 1, "readings_no_room": 0})
    {'truncated': 1}
    """
    quarantined = {
        name.removeprefix("quarantined_"): count
        for name, count in counters.items()
        if name.startswith("quarantined_")
    }
    others = {name: counters.get(name, 0) for name in NOT_USED}
    return {name: count for name, count in (quarantined | others).items() if count}


def _gateway(heard: GatewayHeard) -> GatewayDocument:
    at_ms = heard.last_heard_at_ms
    return GatewayDocument(
        gateway=heard.gateway,
        last_heard_at=None if at_ms is None else rfc_3339(np.array([at_ms]))[0],
        messages=heard.messages,
        is_online=heard.is_online,
    )


def _located(live: LiveStateReader, now_ms: UnixMs) -> int | None:
    try:
        return len(live.latest(max_age_ms=LOCATED_MS, now_ms=now_ms).tags)
    except LiveStateAway:
        return None
