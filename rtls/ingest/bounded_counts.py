"""Count things by name without letting a stranger's names fill the memory.

Layer: rules. Takes: names from outside. Gives: counts to the operator.
"""

from collections import OrderedDict
from threading import Lock
from typing import Final

NAMES_MAX: Final = 50_000


class BoundedCounts:
    """Counts of the names seen last; the name not seen for longest is forgotten first.

    One thread counts, any may look.

    Examples
    --------
    >>> counts = BoundedCounts(names_max=2)
    >>> for name in ("a", "b", "a", "c"):
    ...     counts.add(name)
    >>> counts.as_dict(), counts.total
    ({'a': 2, 'c': 1}, 4)
    """

    def __init__(self, names_max: int = NAMES_MAX) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._names_max = names_max
        self._lock = Lock()
        self.total = 0

    def add(self, name: str) -> None:
        """Count one more."""
        self.total += 1
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1
            self._counts.move_to_end(name)
            if len(self._counts) > self._names_max:
                self._counts.popitem(last=False)

    def as_dict(self) -> dict[str, int]:
        """Return the counts, the name seen last at the end."""
        with self._lock:
            return dict(self._counts)
