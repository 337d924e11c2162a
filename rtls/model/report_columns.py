"""Refuse columns of a report that do not fit together.

Layer: nouns. Takes: the arrays of a columnar noun. Gives: an error that names the column.
"""

import math

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidReport

Columns = dict[str, tuple[npt.NDArray[np.generic], type[np.generic]]]
"""Each column by its name, and the type it should have."""
Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def check_columns(columns: Columns) -> None:
    """Refuse columns of unequal length or of another type.

    Raises
    ------
    InvalidReport
        If one of ``columns`` is not as long as the first, or not of its type.
    """
    length = len(next(iter(columns.values()))[0])
    for name, (values, dtype) in columns.items():
        if values.dtype != dtype or values.shape != (length,):
            raise InvalidReport(
                f"column {name} is {values.dtype} {values.shape}; expected "
                f"{np.dtype(dtype)} ({length},), as long as the first column."
            )


def check_codes(what: str, codes: npt.NDArray[np.int32], names: tuple[str, ...]) -> None:
    """Refuse indices that name nothing.

    Raises
    ------
    InvalidReport
        If a name repeats, or one of ``codes`` is no index into ``names``.
    """
    if len(set(names)) != len(names):
        raise InvalidReport(f"{what}_names is {names}; expected each name once.")
    if codes.size and not (int(codes.min()) >= 0 and int(codes.max()) < len(names)):
        raise InvalidReport(
            f"column {what} runs from {codes.min()} to {codes.max()}; expected 0 to "
            f"{len(names) - 1}, an index into {what}_names."
        )


def check_amounts(what: str, amounts: Floats) -> None:
    """Refuse amounts that cannot be summed up.

    Raises
    ------
    InvalidReport
        If one of ``amounts`` is negative, endless or NaN.
    """
    if amounts.size and not (float(amounts.min()) >= 0.0 and math.isfinite(float(amounts.max()))):
        raise InvalidReport(f"column {what} holds {amounts.min()}; expected numbers of 0 or more.")
