"""Say which wire formats a site hears, where, and what the names in them mean.

Layer: rules. Takes: names and tables from the door's settings. Gives: `FormatSettings` to
rtls.ingest.formats.registry and rtls.ingest.admission. Everything that depends on the site and not
on the vendor stands here, so that a decoder never asks what it cannot know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeVar

from rtls.ingest.formats.format_name import DEFAULT_ON, FormatName
from rtls.ingest.formats.identifiers import normalised_name
from rtls.ingest.formats.site_frame import SiteFrame
from rtls.model.errors import InvalidFormat
from rtls.model.site_map import ID_PATTERN

ALIASES_MAX: Final = 65_536
FILTERS_MAX: Final = 256
TOPIC_BYTES_MAX: Final = 512
LEVELS_MAX: Final = 32
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatSettings:
    """What one site hears.

    Parameters
    ----------
    on
        The formats that are heard.
    topics
        Topic filters of a format, instead of its maker's.
    prefixes
        Levels that stand before a format's topics on this broker, e.g. ``shop7``; taken off before
        the decoder sees the topic.
    gateways
        Beginning of a topic → the gateway that publishes below it, for formats that do not name
        their gateway, or name it badly; the longest beginning counts.
    gateway_levels
        The level of the topic (from 1, without prefix) that names the gateway, instead of what the
        format itself says.
    aliases
        The name by which a gateway or anchor goes in its own format → anchor of the site map. Keys
        are normalised (`normalised_name`), so they may be written as they are printed on the box.
    frames
        Source of ready-made positions → how its coordinates lie in ours.

    Raises
    ------
    InvalidFormat
        If an entry cannot work; names field, value, what was expected, and the remedy.
    """

    on: tuple[FormatName, ...] = DEFAULT_ON
    topics: Mapping[FormatName, tuple[str, ...]] = field(default_factory=dict)
    prefixes: Mapping[FormatName, str] = field(default_factory=dict)
    gateways: Mapping[str, str] = field(default_factory=dict)
    gateway_levels: Mapping[FormatName, int] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    frames: Mapping[str, SiteFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, filters in self.topics.items():
            _check_count(f"topics.{name}", filters, most=FILTERS_MAX)
            for topic_filter in filters:
                check_filter(f"topics.{name}", topic_filter)
        for name, prefix in self.prefixes.items():
            _check_beginning(f"prefixes.{name}", prefix)
        for beginning in self.gateways:
            _check_beginning("gateways", beginning)
        for name, level in self.gateway_levels.items():
            if not 1 <= level <= LEVELS_MAX:
                raise InvalidFormat(
                    f"gateway_levels.{name} is {level}; expected 1 to {LEVELS_MAX}: the level of "
                    "the topic that names the gateway, counted from 1."
                )
        _check_count("aliases", self.aliases, most=ALIASES_MAX)
        self._freeze("gateways", _gateway_ids(self.gateways))
        self._freeze("aliases", _anchor_ids(_normalised("aliases", self.aliases)))
        self._freeze("frames", _normalised("frames", self.frames))
        for table in ("topics", "prefixes", "gateway_levels"):
            self._freeze(table, getattr(self, table))

    def _freeze(self, name: str, table: Mapping[str, object]) -> None:
        object.__setattr__(self, name, MappingProxyType(dict(table)))

    def check_anchors(self, known: Iterable[str]) -> None:
        """Refuse names of anchors that the site map does not have.

        Raises
        ------
        InvalidFormat
            If an alias or a frame names one.
        """
        anchors = set(known)
        named = [(f"aliases.{alias}", anchor) for alias, anchor in self.aliases.items()]
        named += [(f"frames.{name}.anchor", f.anchor) for name, f in self.frames.items()]
        for where, anchor in named:
            if anchor and anchor not in anchors:
                raise InvalidFormat(
                    f"formats.{where} is {anchor!r}; expected an anchor of the site map. Draw the "
                    "anchor in the map first, or correct the name."
                )


def check_filter(where: str, topic_filter: str) -> None:
    """Refuse what is no MQTT topic filter (MQTT 5, section 4.7), or would hear the broker itself.

    Raises
    ------
    InvalidFormat
        If ``topic_filter`` cannot be subscribed to.
    """
    levels = topic_filter.split("/")
    is_sound = (
        0 < len(topic_filter.encode(errors="replace")) <= TOPIC_BYTES_MAX
        and "\0" not in topic_filter
        and "#" not in "".join(levels[:-1])
        and all(level in {"+", "#"} or not set(level) & {"+", "#"} for level in levels)
    )
    if not is_sound or topic_filter.startswith("$") or topic_filter in {"#", "+/#"}:
        raise InvalidFormat(
            f"formats.{where} is {topic_filter!r}; expected an MQTT topic filter such as "
            "'home/+/BTtoMQTT/+': '+' for one whole level, '#' for all the last ones, not "
            "everything that the broker has and nothing that begins with '$'."
        )


def _check_beginning(where: str, beginning: str) -> None:
    if not beginning.strip("/") or set(beginning) & {"+", "#", "\0"} or beginning.startswith("$"):
        raise InvalidFormat(
            f"formats.{where} is {beginning!r}; expected the beginning of a topic, whole levels "
            "without '+' and '#', such as 'home/TheengsGateway'."
        )


def _check_count(where: str, entries: Iterable[str], *, most: int) -> None:
    count = sum(1 for _ in entries)
    if not 1 <= count <= most and where != "aliases":
        raise InvalidFormat(f"formats.{where} has {count} entries; expected 1 to {most}.")
    if count > most:
        raise InvalidFormat(f"formats.{where} has {count} entries; expected at most {most}.")


def _normalised(where: str, table: Mapping[str, Value]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for raw, value in table.items():
        name = normalised_name(raw)
        if name is None:
            raise InvalidFormat(
                f"formats.{where} has the key {raw!r}; expected the name of a gateway, an anchor "
                "or a source, with a letter or digit in it and at most 63 characters."
            )
        if name in found and found[name] != value:
            raise InvalidFormat(
                f"formats.{where}.{raw} is said twice, for {name!r} is the same name in another "
                "spelling; expected one entry a name. Remove one."
            )
        found[name] = value
    return found


def _gateway_ids(gateways: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for beginning, raw in gateways.items():
        name = normalised_name(raw)
        if name is None:
            raise InvalidFormat(
                f"formats.gateways.{beginning} is {raw!r}; expected the gateway's name, with a "
                "letter or digit in it and at most 63 characters."
            )
        found[beginning.rstrip("/")] = name
    return found


def _anchor_ids(aliases: Mapping[str, str]) -> dict[str, str]:
    for alias, anchor in aliases.items():
        if not ID_PATTERN.match(anchor):
            raise InvalidFormat(
                f"formats.aliases.{alias} is {anchor!r}; expected an anchor of the site map: 1 to "
                "63 of a-z, 0-9 and '-'."
            )
    return dict(aliases)
