"""The commands of ranking: `rank` answers tables, `train` makes a model of them off-line.

Layer: doors. Takes: arguments. Gives: the commands to `inaisle.cli`. Parquet is an extra.
"""

import sys
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from inaisle.errors import Unavailable

E = TypeVar("E", bound=StrEnum)


def rank(
    *,
    task: Annotated[str, typer.Option(help="t1, t2, t4, t5, t6 or t7: docs/personalisation.md.")],
    folder: Annotated[Path, typer.Option("--in", help="Folder of the tables.")],
    out: Annotated[
        Path | None, typer.Option(help="Parquet file of the answers; t7 answers line by line.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="File of `inaisle train`, for t4; else learn from --in.")
    ] = None,
) -> None:
    """Score offers, customers or items by nothing but a retailer's own tables."""
    need_extra("pyarrow", "insight")
    from inaisle.ranking.rank import rank_folder
    from inaisle.ranking.rank_stream import rank_stream
    from inaisle.ranking.rank_tables import RankTask

    chosen = _one_of(RankTask, task, "task")
    if chosen is RankTask.CHOICES:
        rank_stream(folder, sys.stdin, sys.stdout)
        return
    place = _named_file(out)
    summary = rank_folder(folder, chosen, place, model=model)
    for table, count in summary.late_rows.items():
        typer.echo(
            f"note: {count} rows of {table}.parquet lie at or after as_of; left out.", err=True
        )
    typer.echo(f"answered {summary.answered} requests: {place}", err=True)


def train(
    *,
    folder: Annotated[Path, typer.Option("--in", help="Folder of tables as for `rank`, task t4.")],
    out: Annotated[Path, typer.Option(help="File to write the model to, e.g. shelf.npz.")],
    learner: Annotated[str, typer.Option(help="own, or lightgbm (extra train).")] = "own",
) -> None:
    """Train the model of shelves off-line, and write it as plain arrays."""
    need_extra("pyarrow", "insight")
    from inaisle.ranking.train import Learner, train_folder

    chosen = _one_of(Learner, learner, "learner")
    if chosen is Learner.LIGHTGBM:
        need_extra("lightgbm", "train")
    count = train_folder(folder, out, learner=chosen)
    typer.echo(f"learnt from {count} candidates of past baskets: {out}", err=True)


def _one_of(kinds: type[E], text: str, what: str) -> E:
    known = [each.value for each in kinds]
    if text not in known:
        raise typer.BadParameter(f"{text!r} is no {what}; expected one of {', '.join(known)}.")
    return kinds(text)


def _named_file(out: Path | None) -> Path:
    if out is None:
        raise typer.BadParameter("--out is missing: expected the file to write the answers to.")
    return out


def need_extra(module: str, extra: str) -> None:
    """Refuse to begin where a library of an extra is missing.

    Raises
    ------
    Unavailable
        Naming the extra.
    """
    if find_spec(module) is None:
        raise Unavailable(
            f'{module} is not installed; expected the extra "{extra}": '
            f'pip install "inaisle[{extra}]".'
        )
