"""simulate_day: which days may be played into which folder."""

import datetime as dt
from pathlib import Path

import pytest

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus, InvalidSettings
from inaisle.settings import Settings, load_settings
from inaisle.simulation.day_files import truth_folder
from inaisle.simulation.simulate_day import DayOptions, parse_day, play_day, watched_zones

TODAY = dt.date(2026, 3, 20)
YESTERDAY = TODAY - dt.timedelta(days=1)


def shop(data: Path) -> Settings:
    return load_settings(environment={}, flags={("site", "data"): data}).settings


@pytest.mark.parametrize("day", ["2026-03-20", "2026-04-01", "2026-02-18"])
def test_a_day_that_is_not_over_or_would_be_removed_at_once_is_refused(
    tmp_path: Path, day: str
) -> None:
    """The history keeps 30 days: an older one would be gone when the reports look for it."""
    options = DayOptions(day=dt.date.fromisoformat(day))
    with pytest.raises(InvalidSettings, match=r"--day is .*expected 2026-02-19 to 2026-03-19"):
        play_day(shop(tmp_path / "shop"), options, today=TODAY)


def test_simulated_shoppers_do_not_come_among_real_ones(tmp_path: Path) -> None:
    """A folder of a service is not to be told from one of a shop."""
    (tmp_path / "offers.sqlite").write_bytes(b"somebody's")
    with pytest.raises(InvalidSettings, match="holds something and no simulated day"):
        play_day(shop(tmp_path), DayOptions(day=YESTERDAY), today=TODAY)


@pytest.mark.parametrize("day", ["2026-03-18", "2026-03-17"])
def test_a_day_is_played_once_and_none_before_it(tmp_path: Path, day: str) -> None:
    """Twice would be twice as many visitors; backwards would be purchases before the pairing."""
    truth_folder(tmp_path / "shop", dt.date(2026, 3, 18)).mkdir(parents=True)
    with pytest.raises(InvalidSettings, match="expected a later day"):
        play_day(shop(tmp_path / "shop"), DayOptions(day=dt.date.fromisoformat(day)), today=TODAY)


def test_a_day_is_named_by_its_date_or_as_yesterday() -> None:
    assert parse_day("2026-03-02", today=TODAY) == dt.date(2026, 3, 2)
    assert parse_day("yesterday", today=TODAY) == YESTERDAY
    with pytest.raises(InvalidSettings, match="'tomorrow'; expected a day"):
        parse_day("tomorrow", today=TODAY)


def test_the_truth_lies_beside_the_data_and_not_in_it(tmp_path: Path) -> None:
    """What a shop could read by chance would be no test of it."""
    folder = truth_folder(tmp_path / "shop", YESTERDAY)
    assert tmp_path / "shop" not in folder.parents
    assert folder.parent == tmp_path / "shop.truth"


def test_the_shop_advertises_where_people_stand(tmp_path: Path) -> None:
    """Else few would ever be offered anything, and all of that be withheld."""
    assert watched_zones(shop(tmp_path))[:2] == ("dowels", "wall-paint")


@pytest.mark.parametrize("flag", ["--broker=x:1", "--speed=5", "--seconds=9", "--faults=lossy"])
def test_what_a_played_day_cannot_heed_is_refused_and_not_passed_over(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asks for faults and gets a day without them draws the wrong conclusion."""
    status = run_guarded(lambda: app(["simulate", "--day=yesterday", flag], prog_name="inaisle"))
    assert status == ExitStatus.USAGE
    assert flag.partition("=")[0] in capsys.readouterr().err
