"""FailureLimit: who guesses codes waits."""

from hypothesis import given
from hypothesis import strategies as st

from offers.api.failure_limit import FailureLimit
from rtls.model.units import UnixMs


def test_ten_failures_in_a_minute_make_the_eleventh_attempt_wait() -> None:
    """At 10 a minute, 60 bits of a code are out of reach."""
    limit = FailureLimit(failures_max=10)
    for second in range(10):
        assert limit.wait_s("till-1", now_ms=UnixMs(second * 1000)) == 0
        limit.count_failure("till-1", now_ms=UnixMs(second * 1000))
    assert limit.wait_s("till-1", now_ms=UnixMs(10_000)) == 50
    assert limit.wait_s("till-1", now_ms=UnixMs(59_999)) == 1
    assert limit.wait_s("till-1", now_ms=UnixMs(60_000)) == 0


def test_one_guesser_does_not_lock_the_others() -> None:
    """A broken till must not close the shop."""
    limit = FailureLimit(failures_max=1)
    limit.count_failure("till-1", now_ms=UnixMs(0))
    assert limit.wait_s("till-1", now_ms=UnixMs(0)) == 60
    assert limit.wait_s("till-2", now_ms=UnixMs(0)) == 0


@given(st.lists(st.text(max_size=3), max_size=200))
def test_memory_is_bounded_whatever_identities_come(identities: list[str]) -> None:
    """Invented identities are cheap for an attacker and must be cheap for us."""
    limit = FailureLimit(identities_max=5)
    for identity in identities:
        limit.count_failure(identity, now_ms=UnixMs(0))
    assert len(limit) <= 5
