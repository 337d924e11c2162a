"""parse_idempotency_key: what makes a repeat a repeat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.api.idempotency import parse_idempotency_key
from offers.api.problem import Problem, ProblemCode

visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=120)


@pytest.mark.parametrize("length", [8, 128])
def test_the_documented_lengths_are_taken(length: int) -> None:
    """Tills print 8 digits, clouds send UUIDs: both ends of the range must work."""
    assert parse_idempotency_key("k" * length) == "k" * length


@pytest.mark.parametrize("header", ["", "k" * 7, "k" * 129, "with blank", "käse-käse", "tab\tkey1"])
def test_other_keys_are_refused(header: str) -> None:
    """A key that a log or an index cuts off would make two requests look like one."""
    with pytest.raises(Problem) as caught:
        parse_idempotency_key(header)
    assert caught.value.code is ProblemCode.IDEMPOTENCY_KEY_INVALID


def test_a_missing_key_has_its_own_code() -> None:
    """A client must be able to tell a forgotten header from a bad one."""
    with pytest.raises(Problem) as caught:
        parse_idempotency_key(None)
    assert caught.value.code is ProblemCode.IDEMPOTENCY_KEY_MISSING


@given(visible.filter(lambda key: not (key[0] == key[-1] == '"')))
def test_quotes_of_a_structured_field_make_no_difference(key: str) -> None:
    """The draft demands them, most clients forget them; a retry may pass another proxy."""
    assert parse_idempotency_key(f'"{key}"') == parse_idempotency_key(key)
