"""review_anchors: who is silent, who contradicts the others, who repeats himself."""

import numpy as np
import pytest

from rtls.model.anchor_alarm import AlarmKind, AnchorAlarm
from rtls.model.errors import InvalidReading
from rtls.model.fix import FIX_DTYPE
from rtls.positioning import anchor_health
from rtls.positioning.anchor_health import (
    CONVICTED_AT,
    WATCH_DTYPE,
    AnchorPlaces,
    new_places,
    review_anchors,
    standing_alarms,
)
from rtls.positioning.stale_values import REPEATS_DTYPE
from rtls.positioning.tracking import full_trust
from tests.reference.radio_site import OCTAGON, site_with

RANGE_BIT = 2


class Site:
    """Eight anchors around a square; what the filters would have summed up, second by second."""

    def __init__(self, n: int = 8) -> None:
        self.places = AnchorPlaces.of(site_with(OCTAGON[:n]).anchors)
        self.health, self.watch = full_trust(n), np.zeros(n, WATCH_DTYPE)
        self.watch["kinds"] = RANGE_BIT
        self.at_ms = 0

    def second(
        self, *, off=None, deaf=(), tag=(5.0, 5.0), new=1, stale=()
    ) -> tuple[AnchorAlarm, ...]:
        """Each anchor has five innovations of ±1, those in ``off`` with a mean added.

        One tag is at ``tag``; somebody has come to ``new`` new places.
        """
        self.at_ms += 1_000
        noise = np.array([-1.0, 1.0, -1.0, 1.0, 0.0])
        for anchor in range(self.health.size):
            if anchor in deaf:
                continue
            z = np.clip(noise + (off or {}).get(anchor, 0.0), -5.0, 5.0)
            self.health[anchor]["residual_sum"] = z.sum()
            self.health[anchor]["residual_sq_sum"] = (z * z).sum()
            self.health[anchor]["count"] = z.size
            self.health[anchor]["heard_at_ms"] = self.at_ms
            self.health[anchor]["interval_ms"] = 200.0
            self.watch[anchor]["taken"] = 5
            self.watch[anchor]["stale"] = 5 if anchor in stale else 0
        fixes = np.zeros(1, FIX_DTYPE)
        fixes["x_m"], fixes["y_m"] = tag
        fixes["evidence_at_ms"] = self.at_ms if len(deaf) < self.health.size else 0
        fixes["kinds"] = RANGE_BIT
        return review_anchors(
            self.health,
            self.watch,
            fixes=fixes,
            places=self.places,
            new=new if len(deaf) < self.health.size else 0,
            at_ms=self.at_ms,
        )

    def seconds(self, n: int, **how) -> list[AnchorAlarm]:
        return [alarm for _ in range(n) for alarm in self.second(**how)]


def test_anchors_that_fit_are_trusted_in_full() -> None:
    """No alarm in ten minutes."""
    site = Site()
    assert site.seconds(600, tag=(5.0, 5.0)) == []
    assert site.health["weight"].tolist() == [1.0] * 8


def test_an_anchor_that_was_moved_loses_its_weight_within_seconds() -> None:
    """Its ranges are wrong by metres, thirty deviations: clipped at five."""
    site = Site()
    site.seconds(60)
    (alarm,) = site.seconds(10, off={3: 30.0})
    assert (alarm.anchor, alarm.kind, alarm.is_over) == ("a3", AlarmKind.BIASED, False)
    assert 60_000 < alarm.since_ms <= 66_000
    assert site.health["weight"].tolist() == [1.0] * 3 + [0.05] + [1.0] * 4


def test_an_anchor_covered_by_a_poster_loses_its_weight_within_half_a_minute() -> None:
    """15 dB less, of a radio with 6 dB: two and a half deviations."""
    site = Site()
    site.seconds(60)
    (alarm,) = site.seconds(30, off={3: -2.5})
    assert alarm.figure == pytest.approx(-1.8, abs=0.1)
    assert site.health["weight"][3] == 0.05


@pytest.mark.parametrize(("convicted_at", "alarms"), [(CONVICTED_AT, 0), (1.0, 1)])
def test_a_few_bad_places_convict_nobody(
    convicted_at: float, alarms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd that walks along one wall for some seconds; one place over the limit is too few.

    Without an anchor that is sound, who stands at the edge of a shelf is placed beside it.
    """
    monkeypatch.setattr(anchor_health, "CONVICTED_AT", convicted_at)
    site = Site()
    site.seconds(60)
    told = site.seconds(12, off={3: 2.0}) + site.seconds(60)
    assert sum(not alarm.is_over for alarm in told) == alarms


def test_trust_comes_back_when_the_anchor_has_fitted_for_a_while() -> None:
    """And not before: an anchor at the limit would flap."""
    site = Site()
    site.seconds(60)
    site.seconds(30, off={3: 3.0})
    assert site.seconds(15) == []
    (alarm,) = site.seconds(30)
    assert (alarm.anchor, alarm.is_over) == ("a3", True)
    assert site.health["weight"][3] == 1.0


def test_a_bias_that_all_share_is_nobodys() -> None:
    """The offset of a phone, or a calibration that is off: no anchor is worse than the others."""
    site = Site()
    assert site.seconds(120, off=dict.fromkeys(range(8), 2.5)) == []


def test_one_place_convicts_nobody() -> None:
    """Somebody stands for ten minutes where one anchor is heard three deviations too loud."""
    site = Site()
    assert site.seconds(600, off={3: 3.0}, new=0) == []


def test_a_single_walker_convicts_after_ten_places() -> None:
    """At 1 m/s every third second is a new one."""
    site = Site()
    alarms = [
        (second, alarm)
        for second in range(60)
        for alarm in site.second(off={3: 4.0}, new=int(second % 3 == 2))
    ]
    ((second, alarm),) = alarms
    assert alarm.anchor == "a3"
    assert second <= 30


def test_a_new_place_is_three_metres_from_the_last_one() -> None:
    """And each tag has its own; one that is not heard comes to none."""
    tags = np.zeros(2, REPEATS_DTYPE)
    fixes = np.zeros(2, FIX_DTYPE)
    fixes["tag"] = [0, 1]
    found = []
    for second, x in enumerate([5.0, 7.9, 8.1, 8.1, 5.2, 5.0]):
        fixes["x_m"] = [x, 5.0]
        fixes["evidence_at_ms"] = [1_000 * (second + 1), 1_000]
        found.append(new_places(fixes, tags, at_ms=1_000 * (second + 1)))
    assert found == [2, 0, 1, 0, 0, 1]


def test_frozen_multipath_makes_no_alarm() -> None:
    """Everybody is a little off, each by his own: the spread is that of the anchors."""
    site = Site()
    frozen = dict(enumerate([0.7, -1.1, 0.4, 1.2, -0.6, -0.9, 0.2, 1.0]))
    assert site.seconds(120, off=frozen) == []


def test_no_more_than_a_third_is_put_aside() -> None:
    """If half of the anchors seem wrong, the others may be."""
    site = Site()
    site.seconds(30, off={0: 4.0, 1: 4.5, 2: 4.9})
    assert np.count_nonzero(site.health["weight"] < 1.0) == 2
    assert site.health["weight"][2] < 1.0  # the worst is among them


def test_three_anchors_cannot_outvote_each_other() -> None:
    """One of them is wrong, and nobody can say which."""
    site = Site(3)
    assert site.seconds(60, off={0: 5.0}) == []


def test_an_anchor_that_misses_tags_beside_it_is_silent() -> None:
    """Its plug was pulled: 10 s after a tag came near it, somebody knows."""
    site = Site()
    site.seconds(30, tag=(9.0, 1.0))
    alarms = site.seconds(10, deaf={1}, tag=(9.0, 1.0))
    assert alarms == []
    (alarm,) = site.seconds(1, deaf={1}, tag=(9.0, 1.0))
    assert (alarm.anchor, alarm.kind, alarm.figure) == ("a1", AlarmKind.SILENT, 11.0)
    assert standing_alarms(site.watch, site.places) == (alarm,)
    (over,) = site.seconds(1, tag=(9.0, 1.0))
    assert over.is_over
    assert standing_alarms(site.watch, site.places) == ()


def test_an_anchor_in_an_empty_corner_is_not_silent() -> None:
    """All tags are at the other end of the shop."""
    site = Site()
    site.seconds(30)
    assert site.seconds(300, deaf={1}, tag=(1.0, 9.0)) == []


def test_an_anchor_that_is_seldom_heard_gets_longer() -> None:
    """A BLE advert every ten seconds: fifty seconds are five of them."""
    site = Site()
    site.seconds(30, tag=(9.0, 1.0))
    site.health["interval_ms"][1] = 10_000.0
    assert site.seconds(50, deaf={1}, tag=(9.0, 1.0)) == []
    assert len(site.seconds(1, deaf={1}, tag=(9.0, 1.0))) == 1


def test_a_tag_of_another_radio_says_nothing_of_an_anchor() -> None:
    """A BLE anchor does not hear the UWB tag under it."""
    site = Site()
    site.watch["kinds"][1] = 1
    site.seconds(30, tag=(9.0, 1.0))
    assert site.seconds(60, deaf={1}, tag=(9.0, 1.0)) == []


def test_an_anchor_that_repeats_itself_is_named() -> None:
    """It is heard all the time and says nothing."""
    site = Site()
    site.seconds(10)
    (alarm,) = site.seconds(20, stale={5})
    assert (alarm.anchor, alarm.kind) == ("a5", AlarmKind.STALE)
    (over,) = site.seconds(60)
    assert over.is_over


def test_the_sums_begin_anew_with_every_new_place() -> None:
    """Else yesterday would outvote today. Until then they gather what a walker shows."""
    site = Site()
    site.seconds(1, new=0)
    assert site.health["count"].tolist() == [5] * 8
    site.seconds(1)
    assert site.health["count"].tolist() == [0] * 8
    assert site.health["residual_sq_sum"].tolist() == [0.0] * 8


def test_a_second_without_readings_changes_nothing() -> None:
    """Empty seconds may be left out of a log."""
    site = Site()
    site.seconds(30, off={3: 3.0}, tag=(9.0, 1.0))
    before = site.watch.copy()
    assert site.seconds(20, deaf=range(8)) == []
    assert site.watch.tobytes() == before.tobytes()


def test_only_a_clock_can_be_beyond_measure() -> None:
    with pytest.raises(InvalidReading, match="figure"):
        AnchorAlarm(anchor="a", kind=AlarmKind.SILENT, since_ms=1, figure=float("nan"))
