"""Hand structured arrays to the kernels, compiled or not.

Layer: rules. Takes: structured arrays. Gives: the same memory, as a kernel reads it.
"""

import numpy as np
import numpy.typing as npt
from numba import config


def as_records(array: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return a view whose records have their members as attributes.

    Compiled code has them anyway, and calls faster with plain arrays. Python, which runs the
    kernels to measure coverage or to step through them (NUMBA_DISABLE_JIT=1), needs the view.
    """
    return array.view(np.recarray) if getattr(config, "DISABLE_JIT", 0) else array
