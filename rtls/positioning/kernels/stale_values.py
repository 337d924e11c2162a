"""Find readings that repeat a value more often than a live radio can.

Layer: kernels. Takes: readings of one epoch in order, and the links of each tag. Gives: a mark for
each stale reading, and counts by anchor. The rule is explained in rtls.positioning.stale_values.
"""

import math

from numba import njit

from rtls.positioning.kernels.records import Bytes, Record, Records

ROUNDED_SAME = 19.0  # before anything is known: 0.95 of rounded values repeat, as of 20 seen
ROUNDED_CHANGED = 1.0
FINE_SAME = 5.0  # and half of fine ones, as of 10
FINE_CHANGED = 5.0
MEMORY = 400.0  # transitions after which older ones count half
SAME_MAX = 0.98
LOG_CHANCE = -13.815510557964274  # ln 1e-6
PEER_CHANGES_MIN = 10


@njit(cache=True, nogil=True, error_model="numpy")
def find_link(links: Records, anchor: int, kind: int) -> int:
    """Return the place of the link, or of the one heard longest ago with the sign changed less 1.

    ``anchor`` counts from 1; 0 stands in a free place.
    """
    eldest = 0
    for k in range(links.size):
        if links[k]["anchor"] == anchor and links[k]["kind"] == kind:
            return k
        if links[k]["heard_at_ms"] < links[eldest]["heard_at_ms"]:
            eldest = k
    return -eldest - 1


@njit(cache=True, nogil=True, error_model="numpy")
def begin_link(link: Record, anchor: int, kind: int, value: float) -> None:
    """Begin to know a link."""
    is_rounded = value == math.floor(value)
    link["anchor"] = anchor
    link["kind"] = kind
    link["same"] = ROUNDED_SAME if is_rounded else FINE_SAME
    link["changed"] = ROUNDED_CHANGED if is_rounded else FINE_CHANGED


@njit(cache=True, nogil=True, error_model="numpy")
def begin_run(link: Record, value: float, value_2: float, changes: int) -> None:
    """Begin to count how often a link says ``value``, after ``changes`` of all the tag's links."""
    link["value"] = value
    link["value_2"] = value_2
    link["run"] = 0
    link["changes_before"] = changes


@njit(cache=True, nogil=True, error_model="numpy")
def is_too_often(link: Record, changes: int) -> bool:
    """Say whether chance alone would hardly repeat the value as often as it was."""
    share = min(link["same"] / (link["same"] + link["changed"]), SAME_MAX)
    by_chance = link["run"] * math.log(share)
    return bool(by_chance < LOG_CHANCE and changes - link["changes_before"] >= PEER_CHANGES_MIN)


@njit(cache=True, nogil=True, error_model="numpy")
def take_value(
    tag: Record, anchor: int, kind: int, value: float, value_2: float, at_ms: int
) -> bool:
    """Take one reading into the links of its tag; return whether it is stale."""
    links = tag["links"]
    place = find_link(links, anchor, kind)
    if place < 0:
        link = links[-place - 1]
        begin_link(link, anchor, kind, value)
        begin_run(link, value, value_2, tag["changes"])
        link["heard_at_ms"] = at_ms
        return False
    link = links[place]
    link["heard_at_ms"] = at_ms
    is_same_2 = link["value_2"] == value_2 or (math.isnan(value_2) and math.isnan(link["value_2"]))
    if link["value"] == value and is_same_2:
        link["run"] += 1
        return is_too_often(link, tag["changes"])
    # A run that was found stale says nothing of how often a live link repeats.
    if not is_too_often(link, tag["changes"]):
        link["same"] += link["run"]
    link["changed"] += 1.0
    if link["same"] + link["changed"] > MEMORY:
        link["same"] *= 0.5
        link["changed"] *= 0.5
    tag["changes"] += 1
    begin_run(link, value, value_2, tag["changes"])
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def mark_stale(readings: Records, tags: Records, watch: Records, marks: Bytes) -> int:
    """Mark the stale among ``readings`` and count by anchor; return how many there are."""
    found = 0
    for i in range(readings.size):
        marks[i] = 0
        slot = readings[i]["tag"]
        anchor = readings[i]["anchor"]
        if not (0 <= slot < tags.size and 0 <= anchor < watch.size):
            continue
        own = watch[anchor]
        own["taken"] += 1
        own["kinds"] |= 1 << readings[i]["kind"]
        if take_value(
            tags[slot],
            anchor + 1,
            readings[i]["kind"],
            readings[i]["value"],
            readings[i]["value_2"],
            readings[i]["heard_at_ms"],
        ):
            marks[i] = 1
            own["stale"] += 1
            found += 1
    return found
