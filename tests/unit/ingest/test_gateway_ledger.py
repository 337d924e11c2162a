"""gateway_ledger: a gateway forgets what is acknowledged, so every claim must be exactly true."""

import json

from rtls.ingest.formats.decoded import MessageKey
from rtls.ingest.gateway_ledger import (
    BOOTS_KEPT,
    MISSING_NAMED_MAX,
    PATIENCE_MS,
    BootLedger,
    GatewayLedger,
)
from rtls.model.units import GatewayId, UnixMs
from tests.unit.ingest.made_messages import BOOT, NOW, OTHER_BOOT

G1 = GatewayId("g1")


def note(ledger: BootLedger, *seqs: int, at: int = NOW, low: int = 0) -> list[bool]:
    return [ledger.note(MessageKey(BOOT, seq, low), at) for seq in seqs]


def test_messages_in_order_leave_nothing_missing() -> None:
    """The normal case costs one number."""
    ledger = BootLedger()
    assert note(ledger, 0, 1, 2, 3) == [True] * 4
    assert ledger.claim() == (3, [])


def test_a_second_copy_is_known() -> None:
    """Resending is how gateways make sure; counting twice would double a reading."""
    ledger = BootLedger()
    assert note(ledger, 0, 1, 1, 0, 2, 2) == [True, True, False, False, True, False]


def test_a_hole_is_named_and_can_be_filled() -> None:
    """Messages of one gateway overtake each other when it resends."""
    ledger = BootLedger()
    note(ledger, 0, 5)
    assert ledger.claim() == (5, [1, 2, 3, 4])
    assert note(ledger, 3, 3) == [True, False]
    assert ledger.claim() == (5, [1, 2, 4])
    note(ledger, 1, 2, 4)
    assert ledger.claim() == (5, [])


def test_the_first_message_heard_claims_nothing_about_those_before() -> None:
    """Our state may be lost; a gateway would delete an hour of readings on a careless word."""
    ledger = BootLedger()
    note(ledger, 10_234)
    upto, missing = ledger.claim()
    assert missing == list(range(MISSING_NAMED_MAX))
    assert upto == MISSING_NAMED_MAX - 1
    assert note(ledger, 9_000) == [True]


def test_low_says_what_will_not_come() -> None:
    """With it a long-running gateway is acknowledged from the first message on."""
    ledger = BootLedger()
    note(ledger, 10_234, low=10_230)
    assert ledger.claim() == (10_234, [10_230, 10_231, 10_232, 10_233])


def test_what_never_comes_is_given_up_after_patience() -> None:
    """Else a message lost with a gateway's disk would be asked for as long as the gateway runs."""
    ledger = BootLedger()
    note(ledger, 0, 2)
    for second in range(PATIENCE_MS // 1000 + 1):
        note(ledger, 3 + second, at=NOW + second * 1_000)
        assert ledger.claim()[1] == [1]
    note(ledger, 184, at=NOW + PATIENCE_MS + 1_000)
    assert ledger.claim() == (184, [])
    assert ledger.given_up == 1


def test_patience_does_not_run_while_the_gateway_is_away() -> None:
    """After an hour without a line its first message must not write off its whole spool."""
    ledger = BootLedger()
    note(ledger, 0, 2)
    note(ledger, 3, at=NOW + 3_600_000)
    assert ledger.claim() == (3, [1])


def test_a_slowly_emptying_spool_is_waited_for() -> None:
    """A day's spool takes longer to send than any fixed patience; progress renews it."""
    ledger = BootLedger()
    note(ledger, 1_000)
    for seq in range(900):
        assert note(ledger, seq, at=NOW + seq * 1_000) == [True]
    assert ledger.given_up == 0


def test_two_starts_of_one_gateway_are_told_apart() -> None:
    """After a power cut the numbers begin anew while the spool still holds the old ones."""
    ledger = GatewayLedger()
    assert ledger.note(G1, MessageKey(BOOT, 0), UnixMs(NOW))
    assert ledger.note(G1, MessageKey(OTHER_BOOT, 0), UnixMs(NOW))
    assert not ledger.note(G1, MessageKey(BOOT, 0), UnixMs(NOW))
    assert [json.loads(payload) for _, payload in ledger.acknowledgements()] == [
        {"boot": BOOT, "upto": 0, "missing": []},
        {"boot": OTHER_BOOT, "upto": 0, "missing": []},
    ]


def test_only_gateways_that_sent_are_answered_and_duplicates_again() -> None:
    """A duplicate means that the last answer was lost on the way."""
    ledger = GatewayLedger()
    ledger.note(G1, MessageKey(BOOT, 0), UnixMs(NOW))
    assert [topic for topic, _ in ledger.acknowledgements()] == ["inaisle/v1/gw/g1/down"]
    assert ledger.acknowledgements() == []
    ledger.note(G1, MessageKey(BOOT, 0), UnixMs(NOW))
    assert len(ledger.acknowledgements()) == 1


def test_an_answer_that_would_claim_nothing_is_not_sent() -> None:
    """It would only cost the line."""
    ledger = GatewayLedger()
    ledger.note(G1, MessageKey(BOOT, 5_000), UnixMs(NOW))
    assert ledger.acknowledgements() == []


def test_memory_is_bounded_whatever_the_gateway_sends() -> None:
    """A gateway that reboots in a loop or numbers at random must not fill the memory."""
    ledger = GatewayLedger()
    for boot in range(100):
        ledger.note(G1, MessageKey(f"{boot:016x}", 0), UnixMs(NOW))
    for seq in range(0, 4_000, 2):
        ledger.note(G1, MessageKey(BOOT, seq), UnixMs(NOW))
    (boots,) = ledger.state().values()
    assert len(boots) == BOOTS_KEPT
    assert len(boots[BOOT].gaps) <= 256
    assert ledger.given_up == 2_000 - 1 - 256
