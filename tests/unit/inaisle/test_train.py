"""inaisle train: a model made off-line, kept as plain arrays, refused when it is another's."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from inaisle.cli import app
from inaisle.ranking.model_file import load_model, save_model
from inaisle.ranking.rank import rank_folder
from inaisle.ranking.rank_tables import RankTask
from inaisle.ranking.train import Learner, exported, train_folder
from offers.decision.ranking.boosting import tree_scores
from offers.model.errors import InvalidPanel
from tests.unit.inaisle.retailer_tables import get, put, write_retailer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_retailer(tmp_path_factory.mktemp("retailer"), "t4")


def scores(folder: Path, out: Path, **given: Path) -> np.ndarray:
    rank_folder(folder, RankTask.SHELF, out, **given)
    return pq.ParquetFile(out).read().column("score").to_numpy()


def test_a_trained_model_answers_as_if_it_had_just_been_learnt(
    folder: Path, tmp_path: Path
) -> None:
    """What goes to the shop is what was measured at the desk, to the last bit."""
    model = tmp_path / "shelf.npz"
    arguments = ["train", "--in", str(folder), "--out", str(model)]
    app(arguments, standalone_mode=False)
    at_once = scores(folder, tmp_path / "a.parquet")
    assert scores(folder, tmp_path / "b.parquet", model=model).tobytes() == at_once.tobytes()


def test_trees_of_lightgbm_score_the_same_as_plain_arrays(folder: Path, tmp_path: Path) -> None:
    """The shop needs no LightGBM: the export is checked against its own predictions."""
    lightgbm = pytest.importorskip("lightgbm")
    draws = np.random.default_rng(1)
    x = draws.normal(size=(500, 4))
    truth = (x[:, 0] * x[:, 1] > 0).astype(float)
    settings = {"objective": "binary", "num_threads": 1, "verbose": -1}
    grown = lightgbm.train(settings, lightgbm.Dataset(x, truth), 20)
    ours = tree_scores(exported(grown.dump_model()), x)
    assert ours == pytest.approx(grown.predict(x, raw_score=True))
    model = tmp_path / "shelf.npz"
    assert train_folder(folder, model, learner=Learner.LIGHTGBM) > 1_000
    assert np.isfinite(scores(folder, tmp_path / "a.parquet", model=model)).all()


def changed(model: Path, **arrays: np.ndarray) -> None:
    with np.load(model) as file:
        held = {name: file[name] for name in file.files}
    np.savez(model, **(held | arrays))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"version": np.array("inaisle shelf model 0")}, "is of version 'inaisle shelf model 0'"),
        ({"value": np.array([np.nan])}, "not finite"),
        ({"left": np.zeros(3)}, "different lengths"),
        ({"weights": np.zeros(3)}, "the regression has"),
        ({"feature": np.array([999.0])}, "asks column 999"),
    ],
)
def test_a_model_of_another_version_or_a_damaged_one_is_refused(
    arrays: dict[str, np.ndarray], message: str, folder: Path, tmp_path: Path
) -> None:
    """The same columns under another version mean something else, and would rank by noise."""
    model = tmp_path / "shelf.npz"
    train_folder(folder, model, learner=Learner.OWN)
    changed(model, **arrays)
    with pytest.raises(InvalidPanel, match=message):
        load_model(model)


def test_what_is_no_model_file_is_refused(folder: Path, tmp_path: Path) -> None:
    """Cut short by a full disk, or another file altogether."""
    model = tmp_path / "shelf.npz"
    train_folder(folder, model, learner=Learner.OWN)
    for content in (model.read_bytes()[:500], b"", b"PK not a model"):
        (tmp_path / "cut.npz").write_bytes(content)
        with pytest.raises(InvalidPanel, match=r"cut\.npz cannot be read as a model"):
            load_model(tmp_path / "cut.npz")
    with pytest.raises(InvalidPanel, match="cannot be read as a model"):
        load_model(tmp_path / "none.npz")
    with pytest.raises(InvalidPanel, match="cannot be written"):
        save_model(load_model(model), tmp_path / "nowhere" / "shelf.npz")


def test_a_model_is_for_shelves_alone(folder: Path, tmp_path: Path) -> None:
    """Nobody should believe that his file was used where it was not."""
    with pytest.raises(InvalidPanel, match="only 't4' takes one"):
        rank_folder(folder, RankTask.SALES, tmp_path / "a.parquet", model=tmp_path / "shelf.npz")


def test_too_short_a_past_teaches_nothing(tmp_path: Path) -> None:
    """A model of three baskets would be worse than none."""
    short = write_retailer(tmp_path, "t4")
    put(short, "purchases", get(short, "purchases").slice(0, 3))
    with pytest.raises(InvalidPanel, match="too few past baskets"):
        train_folder(short, tmp_path / "shelf.npz", learner=Learner.OWN)
