"""Train the model of shelves off-line: the command `inaisle train`.

Layer: doors. Takes: a folder of tables and a learner. Gives: a model file to `inaisle rank`.
LightGBM is an extra: its trees are exported to plain arrays, so that ranking needs numpy alone.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import numpy as np

from inaisle.ranking.model_file import save_model
from inaisle.ranking.rank_panel import rank_input
from inaisle.ranking.rank_tables import RankTask, read_tables
from offers.decision.ranking.shelf_choice import (
    ShelfExamples,
    learn_shelf,
    shelf_examples,
    with_trees,
)
from offers.model.errors import InvalidPanel
from offers.model.ranking.trees import TreeSum

ROUNDS = 250
SETTINGS: Mapping[str, object] = {
    "objective": "lambdarank",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_child_samples": 50,
    "feature_fraction": 0.6,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
    "verbose": -1,
}


class Learner(StrEnum):
    """Who grows the trees."""

    OWN = "own"
    LIGHTGBM = "lightgbm"


def train_folder(folder: Path, out: Path, *, learner: Learner) -> int:
    """Train on the past baskets of a folder, write the model, return how many examples there were.

    Raises
    ------
    InvalidPanel
        If there are too few past baskets.
    """
    panel = rank_input(read_tables(folder, RankTask.SHELF)).panel
    examples = shelf_examples(panel)
    if examples is None:
        raise InvalidPanel(
            f"{folder} has too few past baskets to learn from; expected eight weeks of purchases. "
            "`inaisle rank` goes by the customer's own history until then."
        )
    if learner is Learner.LIGHTGBM:
        model = with_trees(_lightgbm_trees(examples), examples)
    else:
        model = learn_shelf(examples)
    save_model(model, out)
    return len(examples.truth)


def _lightgbm_trees(examples: ShelfExamples) -> TreeSum:
    import lightgbm

    # Candidates of a request stand with those that were taken first; a ranker that breaks ties by
    # place would learn the place.
    order = np.lexsort((np.random.default_rng(2).random(len(examples.truth)), examples.request))
    data = lightgbm.Dataset(
        examples.x[order], examples.truth[order], group=np.bincount(examples.request)
    )
    grown = lightgbm.train(dict(SETTINGS), data, ROUNDS)
    return exported(grown.dump_model())


def exported(dumped: Mapping[str, object]) -> TreeSum:
    """Return the trees of LightGBM's own dump as plain arrays; nodes ask "at most" and no more."""
    nodes: list[tuple[int, float, int, int, float]] = []
    roots = []
    trees = dumped["tree_info"]
    assert isinstance(trees, list)
    for tree in trees:
        roots.append(len(nodes))
        _put(tree["tree_structure"], nodes)
    columns = list(zip(*nodes, strict=True))
    return TreeSum(
        base=0.0,
        feature=np.array(columns[0], np.int64),
        threshold=np.array(columns[1], np.float64),
        left=np.array(columns[2], np.int64),
        right=np.array(columns[3], np.int64),
        value=np.array(columns[4], np.float64),
        root=np.array(roots, np.int64),
    )


def _put(node: Mapping[str, object], nodes: list[tuple[int, float, int, int, float]]) -> int:
    """Write a node before its children; return its place.

    Raises
    ------
    InvalidPanel
        If a node asks anything but "at most".
    """
    at = len(nodes)
    if "leaf_value" in node:
        nodes.append((-1, 0.0, -1, -1, float(str(node["leaf_value"]))))
        return at
    if node["decision_type"] != "<=":
        raise InvalidPanel(
            f"a tree asks {node['decision_type']!r}; expected '<=': numbers alone are exported."
        )
    nodes.append((0, 0.0, 0, 0, 0.0))
    children = node["left_child"], node["right_child"]
    assert all(isinstance(child, dict) for child in children)
    left, right = (_put(child, nodes) for child in children if isinstance(child, dict))
    nodes[at] = (int(str(node["split_feature"])), float(str(node["threshold"])), left, right, 0.0)
    return at
