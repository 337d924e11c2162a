"""Run the benchmarks and say how each figure stands against its target.

Layer: doors. Takes: the modules of the folder benchmarks, each with a function `run()` that returns
figures. Gives: a table for people or JSON for machines, and a status: 1 when a target is missed.
"""

import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.table import Table

from inaisle.config_files import checkout_root
from inaisle.errors import ExitStatus, InvalidSettings, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number beside what was promised.

    `target` is a floor where `is_floor` (a ratio against a peer), else a ceiling (seconds, bytes).
    """

    benchmark: str
    name: str
    value: float
    unit: str
    target: float | None = None
    is_floor: bool = True

    @property
    def is_met(self) -> bool:
        """Return whether the promise holds; a figure without a target always does."""
        if self.target is None:
            return True
        return self.value >= self.target if self.is_floor else self.value <= self.target


def run_bench(names: Sequence[str], *, as_json: bool) -> int:
    """Run the named benchmarks, or all, and print their figures.

    Raises
    ------
    Unavailable
        If this is an installed package: benchmarks are part of a checkout.
    InvalidSettings
        If a name is no benchmark.
    """
    root = checkout_root()
    if root is None:
        raise Unavailable(
            "benchmarks are not part of the installed package. Clone the repository and run "
            "make bench there."
        )
    known = {path.stem: path for path in sorted((root / "benchmarks").glob("[a-z]*.py"))}
    for name in names:
        if name not in known:
            raise InvalidSettings(f"benchmark {name!r}; expected of {', '.join(known)}.")
    figures = [figure for name in names or known for figure in _figures(name, known[name], root)]
    _print(figures, as_json=as_json)
    return ExitStatus.DONE if all(figure.is_met for figure in figures) else ExitStatus.BROKEN


def _figures(name: str, path: Path, root: Path) -> list[Figure]:
    module = _load(name, path, root)
    if not hasattr(module, "run"):
        return []
    Console(stderr=True).print(f"{name} …", style="dim")
    return [Figure(benchmark=name, **figure) for figure in module.run()]


def _load(name: str, path: Path, root: Path) -> ModuleType:
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    spec = importlib.util.spec_from_file_location(f"benchmarks.{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _print(figures: Sequence[Figure], *, as_json: bool) -> None:
    if as_json:
        rows = [asdict(figure) | {"is_met": figure.is_met} for figure in figures]
        json.dump(rows, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table("benchmark", "figure", "value", "unit", "target", "")
    for figure in figures:
        bound = "≥" if figure.is_floor else "≤"
        table.add_row(
            figure.benchmark,
            figure.name,
            f"{figure.value:,.4g}",
            figure.unit,
            "" if figure.target is None else f"{bound} {figure.target:,.4g}",
            "met" if figure.is_met else "MISSED",
        )
    Console().print(table)
