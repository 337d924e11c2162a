"""Visits accounted for once more, with what was heard after each moment."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.engine_contract import EngineOutput
from rtls.model.errors import InvalidSnapshot
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.reading import ReadingKind
from rtls.model.visit import (
    AnalysedVisit,
    LeftReason,
    Transition,
    TransitionKind,
    Visit,
    ZoneEvent,
    visit_id,
)
from rtls.visit_analysis import VisitAnalysis
from tests.reference.shelf_site import START_MS, shelf_site

SITE = shelf_site()
DOWELS = visit_id(SITE.site, "tag:1", "dowels", START_MS)
AT_DOWELS, AT_SCREWS, AWAY = (5.0, 4.5), (7.0, 4.5), (13.0, 9.0)


def output(at_s: float, place: tuple[float, float] | None, *events: ZoneEvent) -> EngineOutput:
    fixes = np.zeros(int(place is not None), FIX_DTYPE)
    if place is not None:
        fixes["x_m"], fixes["y_m"] = place
        fixes["cov_xx"] = fixes["cov_yy"] = 0.01
        fixes["p_standing"] = 1.0
        fixes["kinds"] = 1 << ReadingKind.RANGE
        fixes["evidence_at_ms"] = START_MS + 1000 * at_s
    batch = FixBatch(at_ms=round(START_MS + 1000 * at_s), rows=fixes)
    return EngineOutput(fixes=batch, tag_names=np.array([b"tag:1"] * len(fixes)), events=events)


def entered(*, is_withdrawn: bool = False) -> Transition:
    return Transition(
        event_id="e",
        visit_id=DOWELS,
        site=SITE.site,
        tag="tag:1",
        zone="dowels",
        kind=TransitionKind.ENTERED,
        at_ms=START_MS,
        decided_at_ms=START_MS + 2000,
        probability=0.9,
        revision=int(is_withdrawn),
        is_withdrawn=is_withdrawn,
    )


def ended(left_s: float, dwell_s: float) -> Visit:
    return Visit(
        event_id="v",
        visit_id=DOWELS,
        site=SITE.site,
        tag="tag:1",
        zone="dowels",
        entered_at_ms=START_MS,
        left_at_ms=round(START_MS + 1000 * left_s),
        dwell_s=dwell_s,
        is_pass_by=False,
        reason=LeftReason.WALKED_AWAY,
    )


def play(outputs: list[EngineOutput]) -> list[tuple[EngineOutput, AnalysedVisit]]:
    analysis = VisitAnalysis(SITE)
    return [(made, visit) for made in outputs for visit in analysis.take(made)]


def stand(until_s: int, after: tuple[float, float] | None = AWAY) -> list[EngineOutput]:
    """Stand at the dowels, then elsewhere for 20 s; the visit is told as 10 s too short."""
    told = {2: entered(), until_s + 5: ended(until_s, until_s - 10.0)}
    return [
        output(s, AT_DOWELS if s <= until_s else after, *([told[s]] if s in told else []))
        for s in range(until_s + 21)
    ]


def test_a_stand_is_accounted_for_in_full_once_it_can_change_no_more() -> None:
    """40 s were stood; the live clock had said 30; eleven seconds later it is put right."""
    ((made, visit),) = play(stand(40))
    assert (visit.visit_id, visit.dwell_s_live) == (DOWELS, 30.0)
    assert visit.dwell_s == pytest.approx(40.0, abs=1.5)
    assert made.fixes.at_ms == visit.left_at_ms + 11_000
    assert visit.is_smoothed


def test_a_fix_that_strayed_for_an_instant_costs_no_dwell() -> None:
    """Live, one doubtful fix at the neighbour is two seconds without dwell; looking back, none."""
    outputs = stand(40)
    outputs[20] = output(20, AT_SCREWS)
    outputs[20].fixes.rows["cov_xx"] = 4.0  # the filter itself was in doubt
    ((_, visit),) = play(outputs)
    assert visit.dwell_s == pytest.approx(40.0, abs=1.5)


def test_who_falls_silent_has_dwelt_up_to_his_last_fix() -> None:
    """No second after the last evidence is counted."""
    told = {2: entered(), 45: ended(40.0, 38.0)}
    outputs = [
        output(s, AT_DOWELS if s <= 40 else None, *([told[s]] if s in told else []))
        for s in range(61)
    ]
    ((_, visit),) = play(outputs)
    assert visit.dwell_s == pytest.approx(40.0, abs=1.5)


def test_a_visit_that_was_taken_back_is_not_accounted_for() -> None:
    """Late readings showed that nobody had entered."""
    outputs = [output(s, AT_DOWELS, *([entered()] if s == 2 else [])) for s in range(30)]
    outputs[10] = output(10, AT_DOWELS, entered(is_withdrawn=True))
    assert play(outputs) == []


def test_memory_ends_with_the_visit() -> None:
    """A year of shoppers must not pile up."""
    analysis = VisitAnalysis(SITE)
    for made in stand(40):
        analysis.take(made)
    assert (analysis._places, analysis._ended, analysis._queue) == ({}, {}, [])
    assert not analysis._accounts.are_asked_for(np.array([0], np.int32)).any()


def test_a_visit_that_a_restart_cut_is_told_once_with_its_live_dwell() -> None:
    """Its fixes are not in a snapshot; a visit without its place in reports would be worse."""
    for cut in (20, 47):  # while it was under way, and when it had ended but was not told
        first, second, told = VisitAnalysis(SITE), VisitAnalysis(SITE), []
        for made in stand(40)[:cut]:
            told += first.take(made)
        second.restore(first.snapshot())
        for made in stand(40)[cut:]:
            told += second.take(made)
        (visit,) = told
        assert (visit.visit_id, visit.dwell_s, visit.is_smoothed) == (DOWELS, 30.0, False)


def test_a_snapshot_of_something_else_is_refused() -> None:
    with pytest.raises(InvalidSnapshot, match="ended visits"):
        VisitAnalysis(SITE).restore(b"{}")


@given(
    silent=st.sets(st.integers(1, 60).filter(lambda at: at not in (2, 40, 45))),
    left_out=st.sets(st.integers(1, 60)),
)
def test_what_is_told_does_not_depend_on_which_empty_batches_were_asked(
    silent: set[int], left_out: set[int]
) -> None:
    """The same log gives the same bytes, also when silence is handed over second by second."""
    outputs = [
        output(at, None, *made.events) if at in silent else made
        for at, made in enumerate(stand(40))
    ]
    spare = silent & left_out
    with_empty = [visit for _, visit in play(outputs)]
    without = [visit for _, visit in play([o for at, o in enumerate(outputs) if at not in spare])]
    assert with_empty[: len(without)] == without
    assert len(with_empty) <= 1


def test_a_visit_taken_back_after_it_was_told_is_taken_back_in_reports_too() -> None:
    """And what it really was is told with a higher revision; the highest one holds."""
    analysis = VisitAnalysis(SITE)
    told = [visit for made in stand(40) for visit in analysis.take(made)]
    gone = replace(ended(40, 30.0), revision=1, is_withdrawn=True)
    (withdrawn,) = analysis.note([gone])
    assert (withdrawn.event_id, withdrawn.is_withdrawn) == (told[0].event_id, True)
    analysis.note([replace(ended(50, 44.0), revision=2)])
    (anew,) = analysis.take(output(90, AWAY))
    assert (anew.event_id, anew.revision, anew.dwell_s) == (told[0].event_id, 2, 44.0)
    assert not anew.is_smoothed
