"""Count how often an event could not be decided about, and say when trying again is of no use.

Layer: edges. Takes: failures of the readers beside this one. Gives: a yes or no.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from offers.model.errors import StorageError

ATTEMPTS_MAX: Final = 5
KNOWN_MAX: Final = 256

Name = TypeVar("Name", bound=Hashable)


class Attempts(Generic[Name]):
    """The failures of each event that was tried lately; used by one thread."""

    def __init__(self) -> None:
        self._failures: OrderedDict[Name, int] = OrderedDict()

    def is_hopeless(self, event: Name, failure: BaseException) -> bool:
        """Count a failure; a database that is busy, full or away is waited for without end."""
        if isinstance(failure, StorageError | TimeoutError):
            return False
        self._failures[event] = self._failures.pop(event, 0) + 1
        while len(self._failures) > KNOWN_MAX:
            self._failures.popitem(last=False)
        return self._failures[event] >= ATTEMPTS_MAX

    def forget(self, event: Name) -> None:
        """Forget an event that is through."""
        self._failures.pop(event, None)
