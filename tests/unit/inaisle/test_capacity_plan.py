"""inaisle plan: from the size of a chain to workers, storage and what bounds first."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from inaisle.capacity.arrivals import PRESENCE, busiest_hour_share, presence, simultaneous_share
from inaisle.capacity.measured import figures_file, load_figures
from inaisle.capacity.needs import BOUNDS, ChainNeeds
from inaisle.capacity.plan import catch_up_s, plan_of, workers_of
from inaisle.capacity.plan_view import amount, plan_document, used
from inaisle.cli import app
from inaisle.errors import InvalidSettings

NEEDS = ChainNeeds(
    stores=100, shoppers_per_store=50, shoppers_a_day=600, rate_hz=2.0, anchors_heard=4
)
FIGURE = '[{}]\n{}unit = "B"\nsource = "s"\ndate = "d"\ncommand = "c"\nmachine = "m"\n'


def figures_text(**values: float) -> str:
    """Return a file of figures in which all are 1, or as given; none where NaN."""
    names = [name for name in load_figures(figures_file()).figures if name != "worker_share"]
    lines = "[engine]\npoints = [[100, 50_000], [1_000, 250_000]]\n"
    for name in ("worker_share", *names):
        value = values.get(name, 0.0 if name == "worker_share" else 1.0)
        lines += FIGURE.format(name, "" if math.isnan(value) else f"value = {value}\n")
    return lines


def written(folder: Path, text: str) -> Path:
    path = folder / "figures.toml"
    path.write_text(text)
    return path


def test_the_arithmetic_can_be_followed_by_hand(tmp_path: Path) -> None:
    """An architect checks one line before believing the others.

    A frame of 100 readings costs 2 ms, one of 1,000 costs 4: 1.778 ms, and 2.222 us a reading.
    """
    plan = plan_of(NEEDS, load_figures(written(tmp_path, figures_text())))
    assert plan.value("readings") == 100 * 50 * 2 * 4
    assert plan.value("frames") == 100
    assert plan.value("readings a frame") == 400
    a_frame = 2e-3 + 300 * (2e-3 / 900)
    assert plan.value("cores used") == pytest.approx(100 * a_frame)
    assert plan.value("worker processes") == math.ceil(100 * a_frame / 0.6) + 1
    assert plan.value("rows") == 100 * 600 * 2
    assert plan.value("Parquet kept") == 100 * 600 * 2 * 30


def test_what_nobody_measured_is_said_and_never_made_up(tmp_path: Path) -> None:
    """A guess among measured figures would be bought as hardware."""
    text = figures_text(history_row_bytes=math.nan)
    plan = plan_of(NEEDS, load_figures(written(tmp_path, text)))
    assert plan.value("Parquet kept") is None
    assert [figure.name for figure in plan.unmeasured] == ["history_row_bytes"]
    assert "Parquet kept" not in [line.name for line in plan.drivers]
    assert plan_document(plan, None)["not_measured"]
    assert amount(None, "B") == "not measured"


def test_each_shipped_figure_says_where_it_comes_from() -> None:
    """A figure without date, command and machine cannot be measured again."""
    for figure in load_figures(figures_file()).figures.values():
        assert figure.source
        assert (figure.value is None) == (figure.date == "-")


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ("[engine]\npoints = [[1, 2]]\n", "worker_share"),
        (figures_text().replace('source = "s"', 'source = ""', 1), "worker_share.source"),
        (figures_text(fix_bytes=-1.0), "fix_bytes.value"),
        (figures_text().replace("[1_000, 250_000]", "[100, 9]"), "engine.points"),
        (figures_text().replace("[1_000, 250_000]", "7"), "engine.points"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_file_of_figures_that_cannot_be_is_refused_by_name(
    tmp_path: Path, broken: str, named: str
) -> None:
    """The retailer's own figures are typed by hand."""
    with pytest.raises(InvalidSettings, match=named.replace(".", r"\.")):
        load_figures(written(tmp_path, broken))


@pytest.mark.parametrize("name", BOUNDS)
def test_a_need_out_of_its_bounds_is_refused_with_field_and_remedy(name: str) -> None:
    """The flag is named as it was typed, so that it can be found."""
    least, most, remedy = BOUNDS[name]
    for value in (least - 1, most + 1, math.nan):
        with pytest.raises(InvalidSettings) as refused:
            replace(NEEDS, **{name: value})
        assert "--" + name.replace("_", "-") in str(refused.value)
        assert remedy in str(refused.value)


def test_more_at_once_than_in_a_day_is_refused() -> None:
    """Two flags that contradict each other give a plan for no chain at all."""
    with pytest.raises(InvalidSettings, match="--shoppers-a-day is 10"):
        replace(NEEDS, shoppers_a_day=10)


@given(st.integers(1, 5_000), st.integers(1, 5_000), st.floats(0.1, 0.9))
def test_more_stores_never_need_less(few: int, more: int, utilisation: float) -> None:
    """A plan that falls while the chain grows is wrong somewhere."""
    figures = load_figures(figures_file())
    small, large = (
        plan_of(replace(NEEDS, stores=stores, utilisation=utilisation), figures)
        for stores in (few, few + more)
    )
    for before, after in zip(small.lines, large.lines, strict=True):
        if before.name != "catching up after a failure" and before.value is not None:
            assert after.value is not None
            assert after.value >= before.value, before.name


def test_the_worker_that_fails_is_planned_for() -> None:
    """With one worker less the others must still have room, or the lag never ends."""
    for cores in (0.1, 0.6, 5.0, 57.3):
        workers = workers_of(cores, NEEDS)
        assert cores / (workers - 1) <= NEEDS.utilisation
        assert catch_up_s(cores, workers, 8.0) < math.inf
    assert catch_up_s(2.0, 3, 8.0) == math.inf


def test_a_chain_of_store_servers_needs_no_workers() -> None:
    """Compute does not force distribution: each store locates by itself."""
    plan = plan_of(replace(NEEDS, thin_share=0.0), load_figures(figures_file()))
    assert plan.workers == plan.partitions == 0
    assert "one shard of a thin store on one core" not in [bound.what for bound in plan.bounds]


def test_time_zones_flatten_the_peak() -> None:
    """A chain from coast to coast needs less than one of the same size in one zone."""
    assert simultaneous_share(1) == 1.0
    assert simultaneous_share(4) < 0.95
    assert busiest_hour_share(1) == pytest.approx(1.0 / sum(PRESENCE))
    assert float(presence(12.5 * 3600.0)) == PRESENCE[12]


def test_a_limit_that_is_passed_is_told_in_times_of_it(tmp_path: Path) -> None:
    """No number of machines helps where a tenant's writers take turns: the plan must say so."""
    full = replace(NEEDS, stores=3_000, shoppers_per_store=200, shoppers_a_day=2_400)
    bound = plan_of(full, load_figures(figures_file())).bounds[0]
    assert bound.what == "transactions a second of one tenant"
    assert bound.share is not None
    assert used(bound.share) == f"{bound.share:.1f} times what can be done"
    few = plan_of(NEEDS, load_figures(written(tmp_path, figures_text(transactions_a_second=1e6))))
    assert [used(bound.share) for bound in few.bounds][-1].endswith(" %")
    assert used(None) == "not measured"


def test_the_command_prints_a_plan_and_refuses_nonsense(tmp_path: Path) -> None:
    """The whole way from flags to a table, and to one line of what is wrong."""
    flags = ["plan", "--stores", "30", "--shoppers-per-store", "20", "--rate-hz", "1",
             "--anchors-heard", "8"]  # fmt: skip
    shown = CliRunner().invoke(app, flags)
    assert shown.exit_code == 0
    assert "What bounds first" in shown.output
    assert "Not measured" not in shown.output
    less = written(tmp_path, figures_text(history_row_bytes=math.nan))
    lacking = CliRunner().invoke(app, [*flags, "--figures", str(less)])
    assert "Not measured, and so in no sum:\n  history_row_bytes" in lacking.output
    refused = CliRunner().invoke(app, [*flags, "--workers", "3"])
    assert isinstance(refused.exception, InvalidSettings)
    lost = CliRunner().invoke(app, [*flags, "--figures", str(tmp_path / "none.toml")])
    assert "none.toml" in str(lost.exception)
