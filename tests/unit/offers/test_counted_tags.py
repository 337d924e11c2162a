"""counted_tags: who agreed to be counted in reports, from when on, and as one of which segment."""

import pytest

from offers.model.loyalty.segment import Membership, Segment
from offers.model.outbox import OutboxKind
from offers.model.people.consent import Purpose
from rtls.model.counted_tag import CountedTag, parse_counted, render_counted
from rtls.model.errors import InvalidReading
from rtls.model.units import TagId, UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop

LATER_MS = START_MS + 60_000


def counted(shop: Shop, *, now_ms: int = LATER_MS, tag: str | None = None) -> list[CountedTag]:
    asked = None if tag is None else TagId(tag)
    return list(shop.work.pairings.counted_tags(SITE, now_ms=UnixMs(now_ms), tag=asked))


def test_only_who_granted_analytics_is_counted(shop: Shop) -> None:
    """To be located for an offer is one thing, to be in a report another."""
    shop.shopper(Purpose.LOCATE, Purpose.PERSONALISE, Purpose.NOTIFY, tag="tag:no")
    shop.shopper(Purpose.LOCATE, Purpose.ANALYTICS, tag="tag:yes")
    assert counted(shop) == [CountedTag(tag="tag:yes", since_ms=START_MS, first_held_ms=START_MS)]
    assert counted(shop, tag="tag:no") == []
    assert counted(shop, tag="tag:yes") == counted(shop)


def test_what_was_before_the_consent_does_not_count(shop: Shop) -> None:
    """A visit that was under way when the shopper agreed began without his leave."""
    anna = shop.shopper(Purpose.LOCATE, tag="tag:1")
    shop.say(anna, Purpose.ANALYTICS, is_granted=True, now_ms=LATER_MS)
    assert counted(shop) == [CountedTag(tag="tag:1", since_ms=LATER_MS, first_held_ms=START_MS)]


def test_what_another_shopper_did_with_the_tag_does_not_count(shop: Shop) -> None:
    """A visit is told seconds after its end; the trolley may be somebody else's by then."""
    anna = shop.shopper(Purpose.LOCATE, tag="trolley")
    ben = shop.shopper(Purpose.LOCATE, Purpose.ANALYTICS, tag=None)
    shop.unpair(anna, now_ms=LATER_MS - 10)
    shop.pair(ben, "trolley", now_ms=LATER_MS)
    assert counted(shop) == [CountedTag(tag="trolley", since_ms=LATER_MS, first_held_ms=LATER_MS)]


def test_who_renews_a_pairing_stays_the_same_visitor_of_the_same_visits(shop: Shop) -> None:
    """Apps renew at each start; the visit of the department goes on meanwhile."""
    anna = shop.shopper(tag="trolley")
    shop.unpair(anna, now_ms=START_MS + 1)
    shop.pair(anna, "trolley", now_ms=START_MS + 2)
    shop.pair(anna, "trolley", now_ms=START_MS + 3)
    assert [found.since_ms for found in counted(shop)] == [START_MS + 2]
    assert [found.first_held_ms for found in counted(shop)] == [START_MS]


def test_a_withdrawal_ends_it_and_locating_is_told(shop: Shop) -> None:
    """The tag is located as before, for offers; it is in no report from then on."""
    anna = shop.shopper(tag="tag:1")
    before = len(shop.work.outbox.waiting(limit=99))
    shop.say(anna, Purpose.ANALYTICS, is_granted=False, now_ms=LATER_MS)
    assert counted(shop) == []
    assert shop.work.pairings.admitted_tags(now_ms=UnixMs(LATER_MS)) == {"tag:1"}
    told = shop.work.outbox.waiting(limit=99)[before:]
    assert [(event.kind, event.subject) for event in told] == [(OutboxKind.TAG_ADMITTED, "tag:1")]


def test_the_cohort_is_the_segment_and_goes_with_the_profile(shop: Shop) -> None:
    """Segments stand on `personalise`; reports must not remember one longer than the shop does."""
    anna = shop.shopper(tag="tag:1")
    shop.work.memberships.enter(
        Membership(shopper=anna, site=SITE, segment=Segment.AT_RISK, entered_at_ms=START_MS)
    )
    assert [found.cohort for found in counted(shop)] == ["at_risk"]
    shop.say(anna, Purpose.PERSONALISE, is_granted=False, now_ms=LATER_MS)
    assert [found.cohort for found in counted(shop)] == [""]
    assert shop.work.outbox.waiting(limit=99)[-1].subject == "tag:1"


def test_a_counted_tag_crosses_the_seam_as_text() -> None:
    tag = CountedTag(tag="tag:1", since_ms=5, cohort="new", first_held_ms=4)
    assert parse_counted(render_counted(tag)) == tag


@pytest.mark.parametrize(
    "text", ["", "tag:1", "a\tb\tc", "\t1\tnew\t0", "tag:1\t1\tAnna Schmidt\t0"]
)
def test_nonsense_is_refused_by_name(text: str) -> None:
    """A segment is a group; a name in its place would end in a file that is kept for weeks."""
    with pytest.raises(InvalidReading, match="expected"):
        parse_counted(text)
