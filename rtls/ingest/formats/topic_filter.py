"""Compare MQTT topic filters with topics and with each other (MQTT 5, section 4.7).

Layer: rules. Takes: filters of the site's configuration, topics of messages. Gives: which filter a
topic belongs to, and which filter another one makes superfluous, to rtls.ingest.formats.registry.
"""

import re
from collections.abc import Callable, Sequence


def matches(topic_filter: str, topic: str) -> bool:
    """Say whether an MQTT topic filter matches a topic as a broker would.

    Examples
    --------
    >>> matches("inaisle/v1/gw/+/up", "inaisle/v1/gw/g1/up")
    True
    >>> matches("home/#", "home"), matches("home/+", "home/a/b"), matches("#", "$SYS/uptime")
    (True, False, False)
    """
    wanted, given = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    if wanted[-1] == "#":
        wanted.pop()
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(
        want in {"+", level} for want, level in zip(wanted, given, strict=True)
    )


def covers(wide: str, narrow: str) -> bool:
    """Say whether every topic that ``narrow`` matches is matched by ``wide`` too.

    Examples
    --------
    >>> covers("home/+/BTtoMQTT/+", "home/TheengsGateway/BTtoMQTT/+"), covers("a/+", "a/#")
    (True, False)
    """
    outer, inner = wide.split("/"), narrow.split("/")
    if outer[-1] == "#":
        outer.pop()
        inner = inner[: len(outer)]
    return len(outer) == len(inner) and all(
        have == "+" != give != "#" or (have == give)
        for have, give in zip(outer, inner, strict=True)
    )


def specificity(topic_filter: str) -> list[int]:
    """Return a sort key by which the filter that says most comes first.

    Examples
    --------
    >>> sorted(["home/+/BTtoMQTT/+", "home/#", "home/TheengsGateway/BTtoMQTT/+"], key=specificity)
    ['home/TheengsGateway/BTtoMQTT/+', 'home/+/BTtoMQTT/+', 'home/#']
    """
    return [
        ("+", "#").index(level) + 1 if level in {"+", "#"} else 0
        for level in topic_filter.split("/")
    ]


def first_match_of(filters: Sequence[str]) -> Callable[[str], int | None]:
    """Return what tells the index of the first filter that matches a topic, or None.

    One pattern for all filters: a gateway that puts the tag into its topic makes more topics than
    can be remembered, and to compare level by level took three times as long.

    Examples
    --------
    >>> find = first_match_of(["home/TheengsGateway/+", "home/#"])
    >>> find("home/TheengsGateway/LWT"), find("home"), find("shop")
    (0, 1, None)
    """
    pattern = re.compile("|".join(f"({_pattern(one)})" for one in filters), re.DOTALL)

    def find(topic: str) -> int | None:
        found = pattern.fullmatch(topic) if filters else None
        return None if found is None or found.lastindex is None else found.lastindex - 1

    return find


def _pattern(topic_filter: str) -> str:
    if topic_filter == "#":
        return r"(?!\$).*"
    levels = topic_filter.split("/")
    is_open = levels[-1] == "#"  # then the level above it matches too
    named = levels[:-1] if is_open else levels
    body = "/".join("[^/]*" if level == "+" else re.escape(level) for level in named)
    return (r"(?!\$)" if levels[0] == "+" else "") + body + ("(?:/.*)?" if is_open else "")
