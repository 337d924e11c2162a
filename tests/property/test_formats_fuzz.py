"""A million damaged payloads of all formats: no exception, and no number that is none."""

import math
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from rtls.ingest.formats.decoded import Decoded, GatewayStatus, ReadingColumns, Rejection
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.identifiers import are_anchor_ids, are_tag_ids
from rtls.ingest.formats.registry import Decoder
from rtls.model.units import UnixMs
from tests.property.payload_damage import damaged
from tests.property.test_ingest_fuzz import EXAMPLES as REFERENCE
from tests.unit.ingest.formats.gateway_payloads import EXAMPLES as GATEWAYS
from tests.unit.ingest.formats.position_payloads import DWM_CONFIG, EVERYTHING, RECEIVED
from tests.unit.ingest.formats.position_payloads import EXAMPLES as POSITIONS
from tests.unit.ingest.made_messages import TOPIC

SEED = 20_263
TOPICS: Sequence[tuple[str, bytes]] = (
    *((one.topic, one.payload) for one in (*GATEWAYS, *POSITIONS)),
    *((TOPIC, payload) for payload in REFERENCE),
    ("inaisle/v1/gw/g1/status", b'{"v":1,"online":true,"t":1795255200000}'),
    ("espresense/rooms/kitchen/status", b"online"),
    ("dwm/node/0D13/uplink/status", b'{"present":false}'),
    ("dwm/node/0D13/uplink/config", DWM_CONFIG),
)
# Some formats are published where their user likes: there the decoder is asked, not the registry.
CORPUS: Sequence[tuple[Decoder, str, bytes]] = (
    *((EVERYTHING.decode, topic, payload) for topic, payload in TOPICS),
    *((one.decode, one.topic, one.payload) for one in GATEWAYS),
)


def check(column: ReadingColumns) -> None:
    """Every number is finite and every column as long as the others."""
    count = len(column.tags)
    numbers = (column.values, column.values_2, column.values_3, column.sigmas, column.ages_ms)
    for one in (*numbers, column.anchors, column.ref_anchors, column.channels, column.orders):
        assert one is None or len(one) == count
    assert all(math.isfinite(sum(one)) for one in numbers if one is not None)
    assert are_tag_ids(column.tags)
    assert are_anchor_ids([name for name in column.anchors if name])
    assert max(column.ages_ms) <= 1
    assert max(map(abs, column.values)) <= 10_000.0


def fuzz(payloads: int) -> Counter[type]:
    """Decode so many damaged payloads; return how many came to what."""
    chance = random.Random(SEED)
    outcomes: Counter[type] = Counter()
    for _ in range(payloads):
        decode, topic, payload = CORPUS[chance.randrange(len(CORPUS))]
        outcome = decode(topic, damaged(payload, chance), UnixMs(RECEIVED))
        outcomes[type(outcome)] += 1
        if type(outcome) is Decoded:
            for column in outcome.columns:
                check(column)
    return outcomes


def test_the_corpus_has_a_payload_of_every_format() -> None:
    """A format whose examples are on no route would be damaged in vain."""
    routes = {EVERYTHING.name_of(topic) for topic, _ in TOPICS}
    assert routes - {None} == set(FormatName)


@pytest.mark.parametrize(
    "payloads",
    [100_000, pytest.param(1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
def test_no_damaged_payload_of_any_format_raises_or_brings_a_number_that_is_none(
    payloads: int,
) -> None:
    """One exception that leaves a decoder is an outage of the shop; one NaN is another."""
    outcomes = fuzz(payloads)
    assert sum(outcomes.values()) == payloads
    assert set(outcomes) == {Decoded, Rejection, GatewayStatus}
    assert all(count > payloads // 1_000 for count in outcomes.values()), outcomes
