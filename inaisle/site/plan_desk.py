"""Read plan files of strangers where they can do no harm: in a process of their own, within bounds.

Layer: doors. Takes: the bytes of a file and how it is to be read. Gives: an `ImportedPlan` to the
floor studio's routes and `inaisle site-map import`.

The libraries for pictures, PDF and DXF are large and partly written in C. A file that makes one of
them crash, loop or fill the memory ends that process, and is refused here like any other.
"""

from functools import partial
from typing import Final

from inaisle.apart import Bounds, run_apart
from inaisle.errors import PartBroke
from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import ImportedPlan, PlanRequest
from rtls.plan_files.limits import check_file_size
from rtls.plan_files.plan_reading import read_plan_file

BOUNDS: Final = Bounds(seconds=30.0, busy_seconds=10.0, memory_bytes=768 * 1024**2)
"""Time of the processor, since the tills come first where there is little of it; memory as the
system counts it: what is reserved, not only what is used."""


def import_plan(content: bytes, request: PlanRequest, *, bounds: Bounds = BOUNDS) -> ImportedPlan:
    """Return what a plan file says; blocks for up to half a minute, so not for the event loop.

    Parameters
    ----------
    content
        The file.
    request
        How it is to be read.
    bounds
        What reading it may take.

    Raises
    ------
    InvalidPlanFile
        If it is too big, damaged, or not what ``request.form`` says, or takes too much time or
        memory; names file, feature and remedy.
    """
    check_file_size(content, source=request.source)
    try:
        return run_apart(partial(read_plan_file, content, request), bounds=bounds)
    except (MemoryError, PartBroke) as error:
        raise InvalidPlanFile(
            f"{request.source}: reading it takes more than {bounds.busy_seconds:g} s, or more "
            "memory than a plan needs; expected a plan of one building. Leave out what the map "
            "does not need, or save it anew from the program that made it."
        ) from error
