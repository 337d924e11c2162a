"""Bring phones' scans from the API to the locating loop, of the same process or by Redis.

Layer: doors. Takes: the section `formats`, the queue that leads to the loop. Gives: the sink that
the API puts scans into. This is the one place where the tag that `offers` knows from a pairing
becomes the topic of a message that `rtls` decodes.
"""

from typing import Protocol

from inaisle.settings_sections import FormatsSection
from offers.api.services import ScanSink
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.phone_scan import TOPIC_OF_TAG
from rtls.model.units import TagId


class MessageQueue(Protocol):
    """What leads to the loop: a `QueueSource`, or a `ScanPublisher` where it is elsewhere."""

    def put(self, topic: str, payload: bytes) -> bool:
        """Take a message from any thread; False if it cannot be taken."""
        ...


class QueuedScans:
    """A `ScanSink` that feeds a queue."""

    def __init__(self, queue: MessageQueue) -> None:
        self._queue = queue

    def put(self, tag: TagId, readings: bytes) -> bool:
        """Take what a phone heard; False if too many wait."""
        return self._queue.put(TOPIC_OF_TAG.format(tag), readings)


def phone_scans(section: FormatsSection, queue: MessageQueue) -> ScanSink | None:
    """Return where scans go, None where the site does not hear phones."""
    return QueuedScans(queue) if FormatName.PHONE_SCAN in section.on else None
