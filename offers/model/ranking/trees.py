"""State a sum of regression trees as plain arrays, whoever grew it.

Layer: nouns. Takes: what a trainer found. Gives: `TreeSum` to scorers and model files.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offers.model.errors import InvalidPanel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSum:
    """A constant plus the leaves of trees. Nodes of all trees stand in one row of arrays."""

    base: float
    feature: Ints
    """which column a node asks; -1 in a leaf"""
    threshold: Floats
    """a row goes left where its value is at most this, or NaN"""
    left: Ints
    right: Ints
    value: Floats
    """what a leaf adds"""
    root: Ints
    """the first node of each tree"""

    def __post_init__(self) -> None:
        nodes = len(self.feature)
        columns = (self.threshold, self.left, self.right, self.value)
        if any(len(column) != nodes for column in columns):
            raise InvalidPanel("trees have columns of different lengths; expected one a node.")
        inner = np.flatnonzero(self.feature >= 0)
        for name, child in (("left", self.left), ("right", self.right)):
            # A child after its parent: no walk can go round in a circle.
            if np.any(child[inner] <= inner) or np.any(child[inner] >= nodes):
                raise InvalidPanel(
                    f"trees.{name} names a node that is not there, or one before its parent; "
                    "expected the children of a node behind it. Train the model again."
                )
        if len(self.root) and not 0 <= int(self.root.min()) <= int(self.root.max()) < nodes:
            raise InvalidPanel("trees.root names a node that is not there. Train the model again.")
