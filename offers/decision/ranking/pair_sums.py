"""Sum numbers over pairs of codes, and look the sums up for other pairs.

Layer: rules. Takes: two columns of codes, then columns of weights. Gives: `PairBook` to features.
The pairs are sorted once, however many weights are summed.
"""

import numpy as np
import numpy.typing as npt

from offers.model.ranking.panel import MISSING, Codes, Numbers


def sum_by(code: Codes, weight: npt.NDArray[np.generic], count: int) -> Numbers:
    """Return the sum of the weights of each code from 0 to ``count`` - 1.

    Examples
    --------
    >>> sum_by(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 3)
    array([1., 0., 5.])
    """
    weights = np.asarray(weight, np.float64)
    return np.asarray(np.bincount(code, weights, count), np.float64)


class PairBook:
    """The pairs that occur in two columns, and which of them are asked about.

    Examples
    --------
    >>> book = PairBook(np.array([0, 0, 1]), np.array([2, 2, 2]))
    >>> book.ask(np.array([0, 1]), np.array([2, 0]))
    >>> book.sums(np.array([1.0, 3.0, 5.0]))
    array([4., 0.])
    """

    def __init__(self, first: Codes, second: Codes) -> None:
        self.width = int(second.max(initial=0)) + 1
        keys = self._keys(first, second)
        self.keys, self.row = np.unique(keys, return_inverse=True)
        self.at = np.empty(0, np.int64)
        self.is_known = np.empty(0, np.bool_)

    def ask(self, first: Codes, second: Codes) -> None:
        """Say which pairs the sums are wanted of. A pair with a missing code sums to nothing."""
        asked = self._keys(first, second)
        if not len(self.keys):
            self.at = np.zeros(len(asked), np.int64)
            self.is_known = np.zeros(len(asked), np.bool_)
            return
        self.at = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
        self.is_known = (self.keys[self.at] == asked) & (asked != MISSING)

    def sums(self, weight: Numbers) -> Numbers:
        """Return the sum of a weight over the rows of each asked pair; zero where there is none."""
        return self.looked_up(self.by_pair(weight))

    def least(self, value: Numbers, *, otherwise: float) -> Numbers:
        """Return the smallest value over the rows of each asked pair."""
        smallest = np.full(max(len(self.keys), 1), np.inf)
        np.minimum.at(smallest, self.row, value)
        return self.looked_up(smallest, otherwise)

    def greatest(self, value: Numbers, *, otherwise: float) -> Numbers:
        """Return the greatest value over the rows of each asked pair."""
        largest = np.full(max(len(self.keys), 1), -np.inf)
        np.maximum.at(largest, self.row, value)
        return self.looked_up(largest, otherwise)

    def by_pair(self, weight: Numbers) -> Numbers:
        """Return the sum of a weight for each pair that occurs, to be looked up many times."""
        return sum_by(self.row, weight, max(len(self.keys), 1))

    def looked_up(self, by_pair: Numbers, otherwise: float = 0.0) -> Numbers:
        """Return what stands in ``by_pair`` for each asked pair."""
        return np.where(self.is_known, by_pair[self.at], otherwise)

    def _keys(self, first: Codes, second: Codes) -> Codes:
        is_whole = (first >= 0) & (second >= 0) & (second < self.width)
        return np.where(is_whole, first * self.width + second, MISSING)
