"""Say what to install where a library of the extra ``plans`` is missing.

Layer: rules. Takes: what a library is needed for. Gives: `MissingExtra` in place of ImportError.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rtls.model.errors import MissingExtra


@contextmanager
def needed_for(what: str) -> Iterator[None]:
    """Turn a failed import into one of our errors.

    Raises
    ------
    MissingExtra
        If the library is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtra(
            f"{what} needs the library {error.name}, which is not installed; expected the extra "
            "plans. Install it with: pip install 'inaisle[plans]'"
        ) from error
