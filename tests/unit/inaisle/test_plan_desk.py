"""import_plan: files of strangers are read where they can do no harm."""

import time
from dataclasses import replace

import pytest

from inaisle.site.plan_desk import BOUNDS, import_plan
from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import PlanFormat
from tests.unit.plan_files.plan_samples import picture, request_for

MEBIBYTE = 1024**2


def test_a_plan_comes_back_from_the_other_process() -> None:
    """What is read apart is what would be read here."""
    plan = import_plan(picture(300, 200), request_for(PlanFormat.IMAGE))
    assert plan.picture is not None
    assert (plan.picture.width_px, plan.picture.height_px) == (300, 200)


def test_a_refusal_comes_back_as_it_was_said() -> None:
    """The planner reads which file, and what to do; that it was read elsewhere is our business."""
    with pytest.raises(InvalidPlanFile, match="plan: no picture that can be read"):
        import_plan(b"GIF89a", request_for(PlanFormat.IMAGE))


def test_a_file_that_takes_too_long_is_refused_and_its_process_ended() -> None:
    """No file may cost more than its ten seconds, whatever library it found a loop in."""
    begun, brief = time.monotonic(), replace(BOUNDS, seconds=0.01)
    with pytest.raises(InvalidPlanFile, match="takes more than 10 s"):
        import_plan(picture(4_000, 4_000), request_for(PlanFormat.IMAGE), bounds=brief)
    assert time.monotonic() - begun < 5.0


def test_a_file_that_takes_too_much_memory_is_refused() -> None:
    """5,000 by 5,000 pixels want 75 MB; with 64 the process that reads them ends, and no other."""
    tight = replace(BOUNDS, memory_bytes=64 * MEBIBYTE)
    with pytest.raises(InvalidPlanFile, match="more memory than a plan needs"):
        import_plan(picture(5_000, 5_000), request_for(PlanFormat.IMAGE), bounds=tight)
