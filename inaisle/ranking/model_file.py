"""Keep a trained model as plain arrays in one file, and refuse a file of another version.

Layer: doors. Takes: a `ShelfModel` or a path. Gives: the file or the model. The file is numpy's
.npz without pickles, so that reading it can run nobody's code.
"""

import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from offers.decision.ranking.logistic import Logistic
from offers.decision.ranking.shelf_choice import ShelfModel
from offers.model.errors import InvalidPanel
from offers.model.ranking.trees import TreeSum

VERSION: Final = "inaisle shelf model 1"
"""changes whenever the features of shelf_features do"""
_NODES: Final = ("feature", "threshold", "left", "right", "value", "root")
_LINEAR: Final = ("middle", "scale", "weights")


def save_model(model: ShelfModel, path: Path) -> None:
    """Write a model.

    Raises
    ------
    InvalidPanel
        If the file cannot be written.
    """
    arrays = {name: getattr(model.trees, name) for name in _NODES}
    arrays |= {name: getattr(model.plain, name) for name in _LINEAR}
    try:
        with path.open("wb") as file:
            np.savez_compressed(
                file, version=np.array(VERSION), base=np.array(model.trees.base), **arrays
            )
    except OSError as error:
        raise InvalidPanel(
            f"{path} cannot be written ({error}). Name a place in a folder that exists after --out."
        ) from error


def load_model(path: Path) -> ShelfModel:
    """Read a model.

    Raises
    ------
    InvalidPanel
        If the file is none, was cut short, or is of another version.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            held = {name: np.asarray(file[name]) for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidPanel(
            f"{path} cannot be read as a model ({error}); expected a whole file of "
            "`inaisle train`. Train it again."
        ) from error
    version = str(held.get("version", "none"))
    if version != VERSION:
        raise InvalidPanel(
            f"{path} is of version {version!r}; expected {VERSION!r}: the same columns would mean "
            "something else. Train it again with this version of inaisle."
        )
    missing = [name for name in ("base", *_NODES, *_LINEAR) if name not in held]
    if missing:
        raise InvalidPanel(f"{path} has no {missing}. Train it again.")
    return _model(held, path)


def _model(
    held: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]], path: Path
) -> ShelfModel:
    floats = {
        name: np.asarray(array, np.float64) for name, array in held.items() if name != "version"
    }
    if not all(np.isfinite(floats[name]).all() for name in ("value", *_LINEAR)):
        raise InvalidPanel(f"{path} holds numbers that are not finite. Train it again.")
    codes = {name: floats[name].astype(np.int64) for name in ("feature", "left", "right", "root")}
    plain = Logistic(middle=floats["middle"], scale=floats["scale"], weights=floats["weights"])
    if len(codes["feature"]) and int(codes["feature"].max()) >= len(plain.middle):
        raise InvalidPanel(
            f"{path} asks column {int(codes['feature'].max())} of {len(plain.middle)}. Train it "
            "again."
        )
    trees = TreeSum(
        base=float(floats["base"]),
        feature=codes["feature"],
        threshold=floats["threshold"],
        left=codes["left"],
        right=codes["right"],
        value=floats["value"],
        root=codes["root"],
    )
    return ShelfModel(trees=trees, plain=plain)
