"""Smoothing: ten seconds later one knows better where somebody was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.errors import InvalidCalibration
from rtls.model.fix import FIX_DTYPE
from rtls.positioning.kernels.fixed_lag import smooth_oldest
from rtls.positioning.smoothing import FixedLagSmoother, SmoothingSettings
from tests.reference.fixed_lag import PlainSmoother, Seen, smoothed

START_MS = 1_795_255_200_000
NOBODY = np.empty(0, FIX_DTYPE)
Track = dict[int, tuple[float, float]]


def fix_at(at_ms: int, x: float, y: float = 0.0, *, tag: int = 0, **more: float) -> np.ndarray:
    fix = np.zeros(1, FIX_DTYPE)
    fix["tag"], fix["x_m"], fix["y_m"] = tag, x, y
    fix["cov_xx"] = fix["cov_yy"] = 1.0
    fix["evidence_at_ms"] = at_ms
    for name, value in more.items():
        fix[name] = value
    return fix


def looked_back(fixes: list[tuple[int, np.ndarray]], smoother: FixedLagSmoother) -> Track:
    """Feed all, then flush; return the smoothed place by instant."""
    batches = [smoother.take(fix, at_ms=at_ms) for at_ms, fix in fixes]
    batches.append(smoother.flush(np.array([0], np.int32)))
    return {
        int(at_ms): (float(row["x_m"]), float(row["y_m"]))
        for batch in batches
        for at_ms, row in zip(batch.at_ms, batch.rows, strict=True)
    }


def stop_and_go(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Walk 10 s along x, stand 20 s, walk on; return truth and fixes of a lagging filter, 2 Hz."""
    rng = np.random.default_rng(seed)
    speed = np.repeat([1.0, 0.0, 1.0], [20, 40, 20])
    truth = np.cumsum(0.5 * speed)
    noisy = truth + rng.normal(0.0, 1.5, truth.size)
    filtered = np.empty_like(truth)
    state = noisy[0]
    for k, value in enumerate(noisy):  # exponential mean: late and wandering, as filters are
        state += 0.25 * (value - state)
        filtered[k] = state
    return truth, np.column_stack([filtered, 1.0 * (speed == 0.0)])


@pytest.mark.parametrize("seed", range(5))
def test_looking_back_lowers_the_error_on_a_simulated_walk(seed: int) -> None:
    """Otherwise the accounting of dwell would gain nothing from waiting."""
    truth, seen = stop_and_go(seed)
    fixes = [
        (START_MS + 500 * k, fix_at(START_MS + 500 * k, x, p_standing=p))
        for k, (x, p) in enumerate(seen)
    ]
    found = looked_back(fixes, FixedLagSmoother())
    after = np.array([found[at_ms][0] for at_ms, _ in fixes])
    before_rms = np.sqrt(np.mean((seen[:, 0] - truth) ** 2))
    assert np.sqrt(np.mean((after - truth) ** 2)) < 0.9 * before_rms


def test_a_fix_comes_back_once_when_it_is_as_old_as_the_lag() -> None:
    """Each second of dwell is counted once, and after a known time."""
    smoother = FixedLagSmoother(SmoothingSettings(lag_s=2.0, spacing_s=0.5))
    ages = []
    for k in range(12):
        at_ms = START_MS + 500 * k
        batch = smoother.take(fix_at(at_ms, 1.0), at_ms=at_ms)
        ages += [at_ms - int(then) for then in batch.at_ms]
    assert ages == [2000] * 8


def test_a_tag_that_falls_silent_comes_back_nevertheless() -> None:
    """Its last seconds were dwelt, although nothing was heard after them."""
    smoother = FixedLagSmoother(SmoothingSettings(lag_s=2.0))
    for k in range(3):
        smoother.take(fix_at(START_MS + 500 * k, 1.0), at_ms=START_MS + 500 * k)
    nobody = np.empty(0, FIX_DTYPE)
    assert smoother.take(nobody, at_ms=START_MS + 1900).rows.size == 0
    assert smoother.take(nobody, at_ms=START_MS + 9000).rows.size == 3


def test_predictions_and_crowded_fixes_are_passed_over() -> None:
    """A prediction knows nothing new; ten fixes a second carry the same readings."""
    smoother = FixedLagSmoother()
    for at_ms, evidence_ms in ((0, 0), (100, 100), (500, 500), (2000, 500)):
        fix = fix_at(START_MS + at_ms, 1.0)
        fix["evidence_at_ms"] = START_MS + evidence_ms
        smoother.take(fix, at_ms=START_MS + at_ms)
    back = smoother.flush(np.array([0], np.int32))
    assert (back.at_ms - START_MS).tolist() == [0, 500]


def test_no_line_leads_from_one_floor_to_another() -> None:
    """The lift would else drag the tag through the ceiling."""
    smoother = FixedLagSmoother()
    smoother.take(fix_at(START_MS, 1.0), at_ms=START_MS)
    upstairs = fix_at(START_MS + 1000, 9.0)
    upstairs["floor"] = 1
    (row,) = smoother.take(upstairs, at_ms=START_MS + 1000).rows
    assert (float(row["x_m"]), int(row["floor"])) == (1.0, 0)


def test_memory_is_bounded_by_the_lag() -> None:
    """However long a tag is followed, a ring of fixes is all that is kept."""
    smoother = FixedLagSmoother()
    for k in range(200):
        smoother.take(fix_at(START_MS + 500 * k, 1.0), at_ms=START_MS + 500 * k)
    assert smoother.flush(np.array([0], np.int32)).rows.size <= smoother.settings.ring_size


def test_tags_do_not_mix() -> None:
    """Two shoppers at two shelves, each comes back at his own."""
    smoother = FixedLagSmoother(SmoothingSettings(lag_s=1.0))
    both = np.concatenate([fix_at(START_MS, 1.0), fix_at(START_MS, 5.0, tag=7)])
    smoother.take(both, at_ms=START_MS)
    back = smoother.take(np.empty(0, FIX_DTYPE), at_ms=START_MS + 1000)
    assert back.rows["tag"].tolist() == [0, 7]
    assert back.rows["x_m"].tolist() == [1.0, 5.0]


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_the_kernel_finds_what_whole_matrices_find(seed: int, count: int) -> None:
    """The kernel writes the inverse out; the twin solves."""
    rng = np.random.default_rng(seed)
    walk = []
    for k in range(count):
        a, b, c = rng.uniform(0.1, 2.0, 3)
        cov = (a * a, 0.5 * a * b, b * b)
        place, velocity = rng.normal(0, 5, 2), rng.normal(0, 1, 2)
        walk.append(Seen(k * c, tuple(place), tuple(velocity), float(rng.uniform()), cov))
    ring = np.array([[f.at_s, *f.place, *f.velocity, f.p_standing, *f.cov] for f in walk])
    walk = sorted(walk, key=lambda fix: fix.at_s)
    ring = ring[np.argsort(ring[:, 0], kind="stable")]
    place, cov = smoothed(walk, 0.04, 2.0)
    expected = [*place, cov[0, 0], cov[0, 1], cov[1, 1]]
    assert smooth_oldest(ring, count, 0.04, 2.0) == pytest.approx(expected, abs=1e-9)
    assert np.linalg.eigvalsh(cov).min() > 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"lag_s": 0.1},
        {"lag_s": 600.0},
        {"spacing_s": 0.0},
        {"spacing_s": 0.1},
        {"standing_m2_s": 0},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    """A ring without a bound would be one of them."""
    with pytest.raises(InvalidCalibration):
        SmoothingSettings(**wrong)


@given(st.integers(0, 2**32 - 1))
def test_the_rings_give_what_plain_rings_give(seed: int) -> None:
    """Three tags that come and go, change floors and are forgotten; the twin takes one by one."""
    rng = np.random.default_rng(seed)
    settings = SmoothingSettings(lag_s=2.0, spacing_s=0.5)
    kernel, twin = FixedLagSmoother(settings), PlainSmoother(settings)
    at_ms = START_MS
    for _ in range(30):
        at_ms += int(rng.choice([100, 250, 500, 1500]))
        heard = np.flatnonzero(rng.uniform(size=3) < 0.7)
        fixes = np.concatenate([
            np.empty(0, FIX_DTYPE),
            *(fix_at(at_ms, float(rng.normal(0, 3)), tag=int(tag)) for tag in heard),
        ])  # fmt: skip
        fixes["floor"] = rng.uniform(size=fixes.size) < 0.1
        fixes["evidence_at_ms"] -= rng.choice([0, 2000], size=fixes.size)
        pairs = [(kernel.take(fixes, at_ms=at_ms), twin.take(fixes, at_ms=at_ms))]
        if rng.uniform() < 0.1:
            gone = np.array([1, 9], np.int32)
            pairs.append((kernel.flush(gone), twin.flush(gone)))
        for found, expected in pairs:
            assert found.at_ms.tolist() == expected.at_ms.tolist()
            assert found.rows.tobytes() == expected.rows.tobytes()


def test_tags_that_nobody_asks_for_are_not_kept() -> None:
    """Only who is on a visit is looked back at; the others would cost the same for nothing."""
    smoother = FixedLagSmoother(SmoothingSettings(lag_s=1.0))
    both = np.concatenate([fix_at(START_MS, 1.0), fix_at(START_MS, 5.0, tag=7)])
    smoother.take(both, at_ms=START_MS, is_wanted=np.array([False, True]))
    back = smoother.take(np.empty(0, FIX_DTYPE), at_ms=START_MS + 1000)
    assert back.rows["tag"].tolist() == [7]


@given(st.integers(0, 2**32 - 1))
def test_what_comes_back_does_not_depend_on_how_often_silence_was_asked(seed: int) -> None:
    """Else the same log, handed over in other batches, would give another dwell."""
    rng = np.random.default_rng(seed)
    often, seldom = (FixedLagSmoother(SmoothingSettings(lag_s=2.0)) for _ in range(2))
    found: tuple[list[bytes], list[bytes]] = ([], [])
    at_ms = START_MS
    for _ in range(25):
        at_ms += 100 * int(rng.integers(1, 40))
        fix = fix_at(at_ms, float(rng.normal(0, 3)))
        for silent_ms in range(at_ms - 400, at_ms, 100):
            found[0].extend(r.tobytes() for r in often.take(NOBODY, at_ms=silent_ms).rows)
        for rows, smoother in zip(found, (often, seldom), strict=True):
            rows.extend(row.tobytes() for row in smoother.take(fix, at_ms=at_ms).rows)
    for rows, smoother in zip(found, (often, seldom), strict=True):
        rows.extend(row.tobytes() for row in smoother.take(NOBODY, at_ms=at_ms + 9000).rows)
    assert found[0] == found[1]
