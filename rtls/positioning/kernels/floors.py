"""Weigh which floor a tag is on.

Layer: kernels. Takes: the links of a track. Gives: a log probability for each floor of the site,
kept from second to second, to rtls.positioning.kernels.track_epoch.

A slab costs 15 dB and more, so the floor whose anchor is heard loudest, or nearest, is the
likeliest. One advert round a stairwell says otherwise now and then; so evidence adds up by the
second, each second has a bounded say, and doubt is never forgotten entirely: the log odds are
bounded too, as people do take the stairs.
"""

from numba import njit

from rtls.positioning.kernels.likelihood import POSITION_KIND, RANGE_KIND, RSSI_KIND, TDOA_KIND
from rtls.positioning.kernels.records import AnchorRecords, Floats, Parameters, Record

UNHEARD = -1e9
DB_PER_METRE = 3.0  # a metre nearer counts as so much louder
SAY_OF_POSITION_DB = 60.0


@njit(cache=True, nogil=True, error_model="numpy")
def level_of_link(track: Record, k: int, anchors: AnchorRecords) -> float:
    """Return how near a link says its anchor is, in dB above one metre."""
    kind = track["link_kind"][k]
    value = track["link_value"][k]
    if kind == RSSI_KIND:
        return float(value - anchors.own[track["link_anchor"][k] - 1]["rssi_at_1m"])
    if kind == RANGE_KIND:
        return -DB_PER_METRE * float(value)
    if kind == POSITION_KIND:
        return SAY_OF_POSITION_DB
    if kind == TDOA_KIND:
        return -DB_PER_METRE * 10.0 - float(value)  # who hears it earlier is nearer
    return -DB_PER_METRE * 10.0


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_floors(
    levels: Floats, track: Record, anchors: AnchorRecords, p: Parameters, since_ms: int, say: float
) -> int:
    """Add what the links heard after ``since_ms`` say of each floor; return the likeliest's index.

    ``say`` is the seconds since the last time, the share of a second's say that this has.
    """
    floors = anchors.floors.size
    odds = track["floor_log_odds"]
    for f in range(floors):
        levels[f] = UNHEARD
    loudest = UNHEARD
    for k in range(track["link_anchor"].size):
        anchor = track["link_anchor"][k] - 1
        if anchor < 0 or anchor >= anchors.own.size or track["link_heard_ms"][k] <= since_ms:
            continue
        level = level_of_link(track, k, anchors)
        f = anchors.own[anchor]["floor_index"]
        levels[f] = max(levels[f], level)
        loudest = max(loudest, level)
    best = 0
    for f in range(floors):
        if loudest > UNHEARD:
            behind = max(p.floor_nats_per_db * (levels[f] - loudest), -p.floor_say_max)
            odds[f] += say * behind
        if odds[f] > odds[best]:
            best = f
    top = odds[best]
    for f in range(floors):
        odds[f] = max(odds[f] - top, -p.floor_log_odds_max)
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def floor_index_of(floor: int, anchors: AnchorRecords) -> int:
    """Return the index of a floor of the site, 0 where it is not one."""
    for f in range(anchors.floors.size):
        if anchors.floors[f] == floor:
            return f
    return 0
