"""One site of the bridge: its frames, and the state that it goes on from."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from inaisle.chain.bridge_site import OLD_AFTER_MS, BridgeSite, BridgeState, youngest
from inaisle.chain.gateway_sites import GatewaySites
from inaisle.errors import InvalidSettings
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.reception import Reception, ReceptionSettings
from rtls.ingest.slot_book import SlotBook
from rtls.model.anchor_order import anchor_order
from rtls.model.errors import InvalidSnapshot
from rtls.model.reading import ReadingBatch
from rtls.model.reading_frame import READINGS_MAX, unpack_batch
from rtls.model.units import GatewayId, SiteId, UnixMs
from rtls.ports import RawMessage
from tests.property.test_shard_laws import batch_of
from tests.unit.ingest.made_messages import NOW, heard, make_map, raw, up

SLOTS_MAX = 32_768


def open_site(*, shards: int = 1, now_ms: int = NOW) -> BridgeSite:
    settings = ReceptionSettings(hold_ms_max=0)
    return BridgeSite(
        SiteId("shop"),
        reception=Reception(make_map(), admitted=AdmittedTags.all(), settings=settings),
        book=SlotBook(shards=shards, slots_max=SLOTS_MAX, ttl_ms=600_000),
        anchors=anchor_order(make_map()),
        shards=shards,
        now_ms=UnixMs(now_ms),
    )


def hear(site: BridgeSite, *, seq: int, at: int) -> None:
    """One reading, and the time that its epoch needs."""
    site.receive([raw(up(heard(), seq=seq, t=at), at=at)])
    site.advance(UnixMs(at))
    site.advance(UnixMs(at + 700))


def batches(site: BridgeSite) -> list[ReadingBatch]:
    return [unpack_batch(frame.value) for frame in site.frames]


def test_what_is_not_known_to_be_in_the_log_is_told_again_as_it_was() -> None:
    """After a kill a worker must see the same bytes under the same number."""
    site = open_site()
    hear(site, seq=0, at=NOW)
    state = site.pack(UnixMs(NOW + 700))
    again = open_site(now_ms=NOW + 5_000)
    again.restore(state)
    assert again.frames == site.frames
    assert len(again.frames) >= 1
    again.forget(len(again.frames))
    hear(again, seq=1, at=NOW + 6_000)
    told = [batch.sequence for batch in batches(site)]
    assert batches(again)[0].sequence == told[-1] + 1


def test_without_a_state_the_numbers_go_on_above_all_that_were_given() -> None:
    """A worker would pass over everything below what it has had."""
    first = open_site()
    for second in range(5):
        hear(first, seq=second, at=NOW + second * 1_000)
    highest = batches(first)[-1].sequence
    anew = open_site(now_ms=NOW + 5_000)
    hear(anew, seq=5, at=NOW + 6_000)
    assert batches(anew)[0].sequence > highest


def test_an_old_state_goes_on_above_what_may_have_been_given_after_it() -> None:
    """A disk that was put back from a backup knows nothing of what came later."""
    site = open_site()
    hear(site, seq=0, at=NOW)
    state = site.pack(UnixMs(NOW + 700))
    later = NOW + OLD_AFTER_MS + 10_000
    again = open_site(now_ms=later)
    again.restore(state)
    again.forget(len(again.frames))
    hear(again, seq=1, at=later)
    assert batches(again)[0].sequence > later


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"version": 2}, "version of the bridge's state is 2; expected 1"),
        ({"site": "moon"}, "site of the bridge's state is 'moon'; expected 'shop'"),
        ({"shards": 8}, "shards of the bridge's state is 8; expected 1"),
    ],
)
def test_a_state_that_is_not_ours_is_refused_by_name(changed: dict, named: str) -> None:
    """With other shards a tag would be in two of them; a guess would be worse than an end."""
    site = open_site()
    state = msgspec.msgpack.decode(site.pack(UnixMs(NOW)), type=BridgeState)
    other = msgspec.msgpack.encode(msgspec.structs.replace(state, **changed))
    with pytest.raises(InvalidSnapshot, match=named):
        open_site().restore(other)
    with pytest.raises(InvalidSnapshot, match="cannot be read"):
        open_site().restore(other[:20])


def test_a_frame_that_is_full_keeps_the_youngest_and_counts_the_others() -> None:
    """After an outage an epoch can hold more than a message may; the newest say where he is."""
    slots = list(range(READINGS_MAX + 5))
    batch = batch_of(1, NOW, slots, slots)
    batch.readings["heard_at_ms"] = NOW - (np.arange(len(slots)) >= READINGS_MAX)
    site = open_site()
    site._make_frames(batch)
    (frame,) = batches(site)
    assert frame.readings["tag"].tolist() == slots[: len(frame.readings)]
    assert site.counters.readings_over_frame == len(slots) - len(frame.readings) >= 5
    assert {slot for slot, _ in frame.introduced} == set(frame.readings["tag"].tolist())
    # Who found no room is introduced when he is heard again.
    left_out = slots[-1]
    site._make_frames(replace(batch_of(2, NOW + 100, [left_out], []), sequence=2))
    assert [slot for slot, _ in batches(site)[-1].introduced] == [left_out]


def test_the_youngest_stay_in_the_order_of_the_batch() -> None:
    """The engine asks for readings sorted by slot."""
    batch = batch_of(1, NOW, [0, 1, 2, 3], [0, 1, 2, 3])
    batch.readings["heard_at_ms"] = [NOW, NOW - 90, NOW - 10, NOW - 50]
    assert youngest(batch, 2).readings["tag"].tolist() == [0, 2]
    assert youngest(batch, 4) is batch
    assert len(youngest(batch, 0).readings) == 0


def test_frames_say_by_which_anchors_they_are_to_be_read() -> None:
    """A worker with another list of anchors would put every shopper somewhere else."""
    listed = [("a1", "g1"), ("a2", "g2")]
    assert anchor_order(make_map(listed)) == anchor_order(make_map(listed))
    assert anchor_order(make_map(listed)) != anchor_order(make_map(listed[::-1]))
    assert anchor_order(make_map(listed)) != anchor_order(make_map([*listed, ("a3", "g1")]))
    site = open_site()
    hear(site, seq=0, at=NOW)
    assert {frame.anchors for frame in site.frames} == {anchor_order(make_map())}


def message_of(gateway: str) -> RawMessage:
    return raw(b"{}", topic=f"inaisle/v1/gw/{gateway}/up")


def test_messages_are_sorted_by_whose_gateway_it_is() -> None:
    """A topic names no site; a reading in the wrong shop would put a stranger there."""
    north, south = make_map([("a1", "g1")]), make_map([("a1", "g2")])
    routes = GatewaySites({SiteId("north"): north, SiteId("south"): south}, FormatSettings())
    sorted_out = routes.sort([message_of("g2"), message_of("g1"), message_of("g3")])
    assert {site: len(messages) for site, messages in sorted_out.items()} == {
        "north": 1,
        "south": 1,
    }
    assert routes.unknown.as_dict() == {"g3": 1}
    assert list(GatewaySites({SiteId("north"): north}, FormatSettings()).sort([message_of("g9")]))


def test_what_could_not_be_sorted_is_refused_at_the_start() -> None:
    """Found out in operation it would be a shop without readings, or with a neighbour's."""
    mine, theirs = make_map([("a1", "g1")]), make_map([("a2", "g1")])
    both = {SiteId("north"): mine, SiteId("south"): theirs}
    with pytest.raises(InvalidSettings, match="gateway 'g1' stands in the maps of 'north' and"):
        GatewaySites(both, FormatSettings())
    nobodys = {SiteId("north"): mine, SiteId("south"): make_map([("a2", None)])}
    with pytest.raises(InvalidSettings, match="anchor 'a2' of site 'south' names no gateway"):
        GatewaySites(nobodys, FormatSettings())
    foreign = FormatSettings(on=(FormatName.MINEW,), gateways={"home/x": GatewayId("door-2")})
    with pytest.raises(InvalidSettings, match=r"minew, gateways; expected .* --site"):
        GatewaySites(both, foreign)
