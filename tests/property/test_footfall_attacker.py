"""Footfall tells of no cell under k, whoever asks what.

The attacker of tests/reference/footfall_attacker.py plays against the release; against a release
that lacks one of its parts he wins, so that each part is there for a reason.
"""

import random
from collections.abc import Callable

import numpy as np
import pytest

from rtls.footfall import heatmap, release
from rtls.footfall.release import K_FLOOR, ReleaseRules, Told
from rtls.model.footfall import Int64s, UInt64s
from tests.reference.footfall_attacker import Method, random_world, recovered

TOLD_FROM = -4
Break = Callable[[pytest.MonkeyPatch], None]


def play(games: int, *, k: int, method: Method, seed: int = 7) -> list[str]:
    """Return what the attacker recovers in the first world in which he does, a key to each."""
    rng = random.Random(seed)
    for _ in range(games):
        rules = ReleaseRules(k=k, key=rng.randbytes(32))
        found = recovered(random_world(rng, known=k - 1), rules, method)
        if found:
            return found
    return []


@pytest.mark.parametrize("tells_cohorts", [False, True])
@pytest.mark.parametrize(
    ("games", "k"),
    [
        (60, K_FLOOR),
        (10, 10),
        pytest.param(4_500, K_FLOOR, marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
        pytest.param(500, 10, marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
    ],
)
def test_no_cell_under_k_is_recovered(*, games: int, k: int, tells_cohorts: bool) -> None:
    """Even by somebody who knows all of k - 1 shoppers and can leave each of them out.

    The long sizes are 10,000 games in all.
    """
    assert play(games, k=k, method=Method(k=k, tells_cohorts=tells_cohorts)) == []


def without_rounding(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(release, "ROUNDING", 1)


def without_key(patch: pytest.MonkeyPatch) -> None:
    def nothing_drawn(words: UInt64s, _kind: str, _rules: ReleaseRules) -> UInt64s:
        return np.zeros(len(words), np.uint64)

    patch.setattr(release, "_drawn", nothing_drawn)


def without_suppression(patch: pytest.MonkeyPatch) -> None:
    honest = release.told_counts

    def all_told(visitors: Int64s, words: UInt64s, **said: object) -> Told:
        rules = ReleaseRules(key=said["rules"].key)
        object.__setattr__(rules, "k", TOLD_FROM)
        return honest(visitors, words, **said | {"rules": rules})

    patch.setattr(heatmap, "told_counts", all_told)


@pytest.mark.parametrize(
    ("break_it", "method"),
    [
        (without_rounding, Method(k=K_FLOOR, step=1, draws=1)),
        (without_key, Method(k=K_FLOOR, draws=1)),
        (without_suppression, Method(k=K_FLOOR, told_from=TOLD_FROM)),
    ],
)
def test_the_attacker_wins_where_a_part_is_missing(
    break_it: Break, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the test above would only show that the attacker is weak."""
    break_it(monkeypatch)
    assert play(200, k=K_FLOOR, method=method) != []
