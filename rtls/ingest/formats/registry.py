"""Choose the decoder of a message by its topic, as the site's configuration says.

Layer: rules. Takes: the site's `FormatSettings`; topic and bytes from a source. Gives: what the
format's decoder gives, to rtls.ingest.reception; the topic filters to the source.

A wire format is one file beside this one and one line in `FORMATS`. What its file must have:

- ``TOPICS``, the filters where its makers publish;
- ``decode(topic, payload, received_at_ms) -> Outcome``, which never raises. It finds its levels
  from the end of the topic or from a level that is always there, so that a site may move it; or
  a maker of decoders that takes what `DecoderOptions` has, where a message lacks something that
  only the site knows: the name of its gateway, the frame of its coordinates.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec

from rtls.ingest.formats import (
    april_brother,
    dwm1001,
    espresense,
    ingics,
    kontakt,
    minew,
    omlox,
    openmqttgateway,
    packed,
    phone_scan,
    pozyx,
    reference,
    shelly,
    theengs,
)
from rtls.ingest.formats.decoded import Decoded, GatewayStatus, Rejection, RejectionReason
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.identifiers import normalised_name
from rtls.ingest.formats.site_frame import SiteFrame
from rtls.ingest.formats.topic_filter import covers, first_match_of, specificity
from rtls.model.errors import InvalidFormat
from rtls.model.units import GatewayId, UnixMs

Outcome = Decoded | GatewayStatus | Rejection
Decoder = Callable[[str, bytes, UnixMs], Outcome]
TOPICS_REMEMBERED_MAX: Final = 4096
THEENGS_GATEWAY: Final = GatewayId("theengsgateway")
"""as the maker's topics have it, where the site runs one process only"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderOptions:
    """What a site knows and a message may lack."""

    gateway: GatewayId | None
    """who publishes on this topic, where the site says so"""
    frames: Mapping[str, SiteFrame]
    """how ready-made positions of a source lie in the site's floor"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFormat:
    """Where a format is heard unless the site says otherwise, and how it is read."""

    topics: tuple[str, ...]
    make: Callable[[DecoderOptions], Decoder]
    is_from_broker: bool = True
    """False where another door than the broker brings it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One topic filter of one format."""

    name: FormatName
    topic_filter: str
    prefix: str
    wire_format: WireFormat


def plain(decode: Decoder) -> Callable[[DecoderOptions], Decoder]:
    """Return how a decoder that needs to be told nothing is made.

    Where the site names the gateway, that name replaces the message's own.
    """

    def make(options: DecoderOptions) -> Decoder:
        gateway = options.gateway
        if gateway is None:
            return decode

        def decode_of_gateway(topic: str, payload: bytes, received_at_ms: UnixMs) -> Outcome:
            outcome = decode(topic, payload, received_at_ms)
            return msgspec.structs.replace(outcome, gateway=gateway)

        return decode_of_gateway

    return make


FORMATS: Final[Mapping[FormatName, tuple[WireFormat, ...]]] = {
    FormatName.REFERENCE: (
        WireFormat(topics=(reference.TOPIC_UP,), make=plain(reference.decode_up)),
        WireFormat(topics=(reference.TOPIC_STATUS,), make=plain(reference.decode_status)),
    ),
    FormatName.PACKED: (
        WireFormat(topics=(packed.TOPIC_UP,), make=plain(packed.decode_up)),
        WireFormat(topics=(reference.TOPIC_STATUS,), make=plain(reference.decode_status)),
    ),
    FormatName.PHONE_SCAN: (
        WireFormat(topics=(phone_scan.TOPIC,), make=plain(phone_scan.decode), is_from_broker=False),
    ),
    FormatName.ESPRESENSE: (WireFormat(topics=espresense.TOPICS, make=plain(espresense.decode)),),
    FormatName.OPENMQTTGATEWAY: (
        WireFormat(topics=openmqttgateway.TOPICS, make=plain(openmqttgateway.decode)),
    ),
    FormatName.THEENGS: (
        WireFormat(
            topics=theengs.TOPICS,
            make=lambda options: theengs.decoder(gateway=options.gateway or THEENGS_GATEWAY),
        ),
    ),
    FormatName.DWM1001: (
        WireFormat(
            topics=dwm1001.TOPICS,
            make=lambda options: dwm1001.Dwm1001Decoder(options.gateway, options.frames),
        ),
    ),
    FormatName.MINEW: (WireFormat(topics=minew.TOPICS, make=plain(minew.decode)),),
    FormatName.KONTAKT: (WireFormat(topics=kontakt.TOPICS, make=plain(kontakt.decode)),),
    FormatName.SHELLY: (WireFormat(topics=shelly.TOPICS, make=plain(shelly.decode)),),
    FormatName.OMLOX: (
        WireFormat(
            topics=omlox.TOPICS,
            make=lambda options: omlox.OmloxDecoder(options.gateway, options.frames),
        ),
        WireFormat(
            topics=(omlox.TOPIC_OF_API,),
            make=lambda options: omlox.OmloxDecoder(options.gateway, options.frames),
            is_from_broker=False,
        ),
    ),
    FormatName.POZYX: (
        WireFormat(
            topics=pozyx.TOPICS,
            make=lambda options: pozyx.PozyxDecoder(options.gateway, options.frames),
        ),
    ),
    FormatName.INGICS: (WireFormat(topics=ingics.TOPICS, make=plain(ingics.decode)),),
    FormatName.APRIL_BROTHER: (
        WireFormat(topics=april_brother.TOPICS, make=plain(april_brother.decode)),
    ),
}


class Registry:
    """The decoders of one site.

    Raises
    ------
    InvalidFormat
        If a format is on that nobody has written.

    Examples
    --------
    >>> Registry(FormatSettings()).topics
    ('inaisle/v1/gw/+/status', 'inaisle/v1/gw/+/up')
    """

    def __init__(self, settings: FormatSettings) -> None:
        self._settings = settings
        self._routes = sorted(_routes(settings), key=lambda route: specificity(route.topic_filter))
        self._first_match = first_match_of([route.topic_filter for route in self._routes])
        unnamed = DecoderOptions(gateway=None, frames=settings.frames)
        self._unnamed = [route.wire_format.make(unnamed) for route in self._routes]
        # Bounded, for topics are strangers' text; a method would be remembered with its object.
        self._decoder_of = lru_cache(maxsize=TOPICS_REMEMBERED_MAX)(self._find)

    @property
    def topics(self) -> tuple[str, ...]:
        """Return what to subscribe to: no filter twice, and none that another one covers.

        A broker may send a message once for each filter that matches it.
        """
        wanted = dict.fromkeys(r.topic_filter for r in self._routes if r.wire_format.is_from_broker)
        return tuple(
            sorted(one for one in wanted if not any(covers(o, one) for o in wanted if o != one))
        )

    def decode(self, topic: str, payload: bytes, received_at_ms: UnixMs) -> Outcome:
        """Decode a message of any format that is on. Never raises: bad content is a `Rejection`."""
        found = self._decoder_of(topic)
        if found is None:
            return Rejection(reason=RejectionReason.UNKNOWN_TOPIC)
        decoder, inner_topic = found
        return decoder(inner_topic, payload, received_at_ms)

    def name_of(self, topic: str) -> FormatName | None:
        """Return the format whose filter a topic matches, or None."""
        at = self._first_match(topic)
        return None if at is None else self._routes[at].name

    def _find(self, topic: str) -> tuple[Decoder, str] | None:
        at = self._first_match(topic)
        if at is None:
            return None
        route = self._routes[at]
        inner_topic = topic.removeprefix(route.prefix)
        gateway = self._gateway_of(route.name, topic, inner_topic)
        if gateway is None:
            return self._unnamed[at], inner_topic
        options = DecoderOptions(gateway=gateway, frames=self._settings.frames)
        return route.wire_format.make(options), inner_topic

    def _gateway_of(self, name: FormatName, topic: str, inner_topic: str) -> GatewayId | None:
        """Return the gateway that the site's configuration gives to a topic, if it does."""
        if not self._settings.gateways and name not in self._settings.gateway_levels:
            return None
        below = (b for b in self._settings.gateways if topic == b or topic.startswith(f"{b}/"))
        beginning = max(below, key=len, default=None)
        if beginning is not None:
            return GatewayId(self._settings.gateways[beginning])
        level = self._settings.gateway_levels.get(name)
        levels = inner_topic.split("/")
        if level is None or level > len(levels):
            return None
        gateway = normalised_name(levels[level - 1])
        return None if gateway is None else GatewayId(gateway)


def _routes(settings: FormatSettings) -> Iterator[Route]:
    for name in settings.on:
        if name not in FORMATS:
            raise InvalidFormat(
                f"formats.on contains {name.value!r}; expected of "
                f"{', '.join(known.value for known in FORMATS)}."
            )
        for wire_format in FORMATS[name]:
            filters, prefix = wire_format.topics, ""
            if wire_format.is_from_broker and settings.prefixes.get(name):
                prefix = settings.prefixes[name].rstrip("/") + "/"
            if wire_format.is_from_broker and wire_format is FORMATS[name][0]:
                # A site moves what brings readings.
                filters = settings.topics.get(name, filters)
            for topic_filter in filters:
                yield Route(
                    name=name,
                    topic_filter=prefix + topic_filter,
                    prefix=prefix,
                    wire_format=wire_format,
                )


_DEFAULT: Final = Registry(FormatSettings())


def decode(topic: str, payload: bytes, received_at_ms: UnixMs) -> Outcome:
    """Decode a message of a format that is on by default. Never raises."""
    return _DEFAULT.decode(topic, payload, received_at_ms)
