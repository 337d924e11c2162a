"""Compare MQTT topic filters with topics and with each other (MQTT 5, section 4.7).

Layer: rules. Takes: filters of the site's configuration, topics of messages. Gives: which filter a
topic belongs to, and which filter another one makes superfluous, to rtls.ingest.formats.registry.
"""


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
