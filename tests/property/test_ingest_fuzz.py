"""A hundred thousand damaged payloads: no exception, no false number, nothing lost behind."""

import random

import numpy as np

from rtls.ingest.formats.decoded import Decoded, GatewayStatus, Rejection
from rtls.ingest.formats.registry import decode
from rtls.ingest.reception import Reception
from rtls.model.units import UnixMs
from rtls.ports import RawMessage
from tests.property.payload_damage import damaged
from tests.unit.ingest.made_messages import NOW, TOPIC, heard, make_reception, raw, up

PAYLOADS = 100_000
SEED = 20_261
UP_TOPICS = (TOPIC, TOPIC, TOPIC, TOPIC, "inaisle/v1/gw/\x00/up", "a/b")
EXAMPLES = (
    up(
        {"a": "a1", "id": "app:9f3c", "k": "rssi", "v": -67, "dt": -80, "ch": 38, "ref": -59},
        {"a": "a1", "id": "tag:0d13", "k": "range", "v": 4.31, "sd": 0.12, "m": "uwb_twr"},
        {"id": "tag:0d13", "k": "aoa", "az": 0.61, "el": -0.9, "sd": 0.05},
        {"id": "tag:0d13", "k": "tdoa", "ref_a": "a2", "v": -2.17},
        seq=7,
        clk={"src": "ntp", "err_ms": 4},
    ),
    up(heard(), heard("tag:2", 3.0, dt=-5), seq=7, low=0),
)
STATUS = b'{"v":1,"online":true,"t":1795255200000}'
STATUS_TOPIC = "inaisle/v1/gw/g1/status"


def check_finite(reception: Reception, at_ms: int) -> int:
    """All that reaches the engine is a number, a known tag and a known anchor; return how many."""
    seen = 0
    for batch in reception.advance(UnixMs(at_ms)):
        rows = batch.readings
        assert np.isfinite(rows["value"]).all()
        assert not np.isinf(rows["value_2"]).any()
        assert not (rows["sigma"] <= 0).any()
        assert ((rows["anchor"] >= 0) & (rows["anchor"] < 2) & (rows["tag"] >= 0)).all()
        assert ((rows["value"] >= -300) & (rows["value"] <= 300)).all()
        seen += len(rows)
    return seen


def test_no_damaged_payload_raises_or_brings_a_number_that_is_none() -> None:
    """One exception that leaves the decoder is an outage; one NaN in the filter is another."""
    chance = random.Random(SEED)
    outcomes = {Decoded: 0, Rejection: 0, GatewayStatus: 0}
    reception = make_reception()
    located = 0
    messages: list[RawMessage] = []
    for number in range(PAYLOADS):
        now = NOW + number // 10
        example = chance.choice(EXAMPLES).replace(b'"seq":7', b'"seq":%d' % number)
        example = example.replace(b"%d" % NOW, b"%d" % now)
        payload, topic = damaged(example, chance), chance.choice(UP_TOPICS)
        if chance.random() < 0.1:
            payload, topic = damaged(STATUS, chance), STATUS_TOPIC
        outcomes[type(decode(topic, payload, UnixMs(now)))] += 1
        messages.append(raw(payload, at=now, topic=topic))
        if number % 100 == 99:
            reception.receive(messages)
            messages = []
            located += check_finite(reception, now)
    assert sum(outcomes.values()) == PAYLOADS
    assert all(count > 1_000 for count in outcomes.values()), outcomes  # no damage is too great
    assert located > 1_000
    counters = reception.counters
    quarantined = sum(n for name, n in counters.items() if name.startswith("quarantined_"))
    assert quarantined == counters["messages_quarantined"] > PAYLOADS // 4

    honest = raw(up(heard("honest", 7.0), boot="f" * 16, t=NOW + PAYLOADS), at=NOW + PAYLOADS)
    reception.receive([honest])
    introduced = [
        one for b in reception.advance(UnixMs(NOW + PAYLOADS + 10_000)) for one in b.introduced
    ]
    assert "honest" in [tag for _, tag in introduced]
