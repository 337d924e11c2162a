"""Put zone events into a chain's log.

Layer: edges. Takes: events from a worker, or from a store's forwarder. Gives: the same events, in
order, at least once, to whoever reads the topic of events; a header names each event, so that a
second copy is known without reading it.
"""

from collections.abc import Sequence
from typing import Final

from rtls.model.units import SiteId
from rtls.model.visit import ZoneEvent
from rtls.model.visit_json import render_event
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import partition_key

EVENT_HEADER: Final = "event"
DURABLE_WITHIN_S: Final = 10.0


class KafkaEventSink:
    """Events of one shard to the topic of events (port `EventSink`).

    Parameters
    ----------
    producer
        May be shared with other sinks of the same thread.
    topic
        Name of the topic of events.
    site, shard
        Where the events come from: their key, which keeps them in order.
    durable_within_s
        How long `publish` waits for the brokers.
    """

    def __init__(
        self,
        producer: KafkaProducer,
        *,
        topic: str,
        site: SiteId,
        shard: int,
        durable_within_s: float = DURABLE_WITHIN_S,
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._key = partition_key(site, shard)
        self._durable_within_s = durable_within_s

    def publish(self, events: Sequence[ZoneEvent]) -> None:
        """Hand over events, in order; durable on return.

        `NotDurable` says that the brokers have not taken them yet: publish them again, a second
        copy is harmless.
        """
        for event in events:
            self._producer.send(
                self._topic,
                key=self._key,
                value=render_event(event),
                headers={EVENT_HEADER: event.event_id.encode()},
            )
        if events:
            self._producer.flush(self._durable_within_s)
