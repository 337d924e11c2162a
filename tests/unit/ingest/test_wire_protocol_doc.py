"""docs/wire_protocol.md: integrators copy from it, so its examples must be what the code does."""

import json
import re
from pathlib import Path

from rtls.ingest.formats.decoded import Decoded, MessageKey
from rtls.ingest.formats.registry import decode
from rtls.ingest.gateway_ledger import GatewayLedger
from rtls.model.units import GatewayId, UnixMs
from tests.unit.ingest.made_messages import NOW

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "wire_protocol.md").read_text()
UP, DOWN = (block.encode() for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))


def test_the_message_of_the_description_is_read() -> None:
    """Every kind of reading, every optional member."""
    message = decode("inaisle/v1/gw/g1/up", UP, UnixMs(NOW))
    assert isinstance(message, Decoded)
    assert message.key == MessageKey("6f2c9a10b7e4d853", 10_234, 10_230)
    assert len(message.columns) == 4


def test_the_acknowledgement_of_the_description_is_the_one_given() -> None:
    """The message of the description, after three of the four before it."""
    ledger = GatewayLedger()
    for seq in (10_231, 10_232, 10_233, 10_234):
        key = MessageKey("6f2c9a10b7e4d853", seq, 10_230)
        ledger.note(GatewayId("g1"), key, UnixMs(NOW))
    ((topic, payload),) = ledger.acknowledgements()
    assert topic == "inaisle/v1/gw/g1/down"
    assert json.loads(payload) == json.loads(DOWN)
