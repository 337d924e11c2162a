"""Law of the ledger: whatever the line does, no claim is ever false and every copy is known."""

from hypothesis import given
from hypothesis import strategies as st

from rtls.ingest.formats.decoded import MessageKey
from rtls.ingest.gateway_ledger import BootLedger
from tests.unit.ingest.made_messages import BOOT, NOW

seqs = st.one_of(st.integers(0, 12), st.integers(0, 400), st.integers(0, 2**53 - 1))


@given(st.lists(seqs, max_size=60))
def test_a_claim_is_never_false(arrivals: list[int]) -> None:
    """A gateway deletes what is claimed; against a plain set of what came, nothing is wrong."""
    ledger = BootLedger()
    came: set[int] = set()
    for position, seq in enumerate(arrivals):
        assert ledger.note(MessageKey(BOOT, seq), NOW + position) == (seq not in came)
        came.add(seq)
        upto, missing = ledger.claim()
        holes = set(missing)
        assert holes.isdisjoint(came)
        assert upto + 1 - len(missing) == len([one for one in came if one <= upto])


@given(st.integers(0, 60), st.randoms(use_true_random=False), st.integers(0, 5))
def test_when_all_has_come_nothing_is_missing(last: int, chance, doubled: int) -> None:
    """The spool of a gateway empties in the end, in whatever order its messages came."""
    arrivals = list(range(last + 1)) + [chance.randrange(last + 1) for _ in range(doubled)]
    chance.shuffle(arrivals)
    ledger = BootLedger()
    for seq in arrivals:
        ledger.note(MessageKey(BOOT, seq), NOW)
    assert ledger.claim() == (last, [])
