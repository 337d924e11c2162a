"""first_match_of: the same answer as comparing level by level, over any filters and topics."""

from hypothesis import example, given
from hypothesis import strategies as st

from rtls.ingest.formats.topic_filter import first_match_of, matches

LEVELS = st.sampled_from(["a", "b", "", "$x", "a.b", "a\nb", "(", "x|y"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join)
FILTERS = st.builds(
    lambda levels, end: "/".join(levels + end),
    st.lists(LEVELS | st.just("+"), min_size=1, max_size=3),
    st.sampled_from([[], ["#"]]),
) | st.just("#")


@example(filters=["/#"], topic="a")
@example(filters=["/#"], topic="/a")
@example(filters=["#"], topic="$SYS/a")
@example(filters=["+/a"], topic="$x/a")
@given(filters=st.lists(FILTERS, max_size=6), topic=TOPICS)
def test_one_pattern_finds_what_level_by_level_is_found(filters: list[str], topic: str) -> None:
    """A topic taken for another format's is a message put aside, or a tag in the wrong place."""
    expected = next((at for at, one in enumerate(filters) if matches(one, topic)), None)
    assert first_match_of(filters)(topic) == expected
