"""bench and doctor: a figure beside its promise, a fault beside its remedy."""

import json
import textwrap
from pathlib import Path

import pytest

from inaisle import bench
from inaisle.bench import Figure, run_bench
from inaisle.errors import ExitStatus, InvalidSettings, Unavailable
from inaisle.service import doctor
from inaisle.settings import Settings, load_settings
from tests.kafka_broker import KafkaBroker


def settings_with(folder: Path, **flags: object) -> Settings:
    given = {("site", "data"): folder / "data", ("api", "port"): 0}
    given |= {tuple(name.split("__")): value for name, value in flags.items()}
    return load_settings(environment={}, flags=given).settings


@pytest.mark.parametrize(
    ("value", "target", "is_floor", "is_met"),
    [
        (12.0, 10.0, True, True),
        (9.0, 10.0, True, False),
        (9.0, 10.0, False, True),
        (12.0, 10.0, False, False),
        (12.0, None, True, True),
    ],
)
def test_a_promise_is_a_floor_or_a_ceiling(
    *, value: float, target: float | None, is_floor: bool, is_met: bool
) -> None:
    """A ratio must be high enough, a latency low enough."""
    figure = Figure(
        benchmark="b", name="n", value=value, unit="u", target=target, is_floor=is_floor
    )
    assert figure.is_met is is_met


def test_a_missed_promise_is_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A nightly run goes red by itself."""
    (tmp_path / "benchmarks").mkdir()
    source = """
        def run():
            return [{"name": "ratio", "value": 3.0, "unit": "times", "target": 5.0}]
    """
    (tmp_path / "benchmarks" / "slow.py").write_text(textwrap.dedent(source))
    monkeypatch.setattr(bench, "checkout_root", lambda: tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run_bench((), as_json=True) == ExitStatus.BROKEN
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["benchmark"], row["is_met"]) == ("slow", False)
    with pytest.raises(InvalidSettings, match="slow"):
        run_bench(("fast",), as_json=True)


def test_an_installed_package_says_that_it_has_no_benchmarks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They need their peers and the tests' twins."""
    monkeypatch.setattr(bench, "checkout_root", lambda: None)
    with pytest.raises(Unavailable, match="Clone"):
        run_bench((), as_json=False)


def test_the_doctor_names_what_is_missing_and_what_to_do(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installer at the shop has this line and a telephone."""
    monkeypatch.setattr(doctor, "_kernels", lambda _settings: "not looked at here")
    (tmp_path / "site.geojson").write_text("{}")
    settings = settings_with(
        tmp_path,
        mqtt__port=free_port,
        site__map=tmp_path / "site.geojson",
        redis__url=f"redis://127.0.0.1:{free_port}/0",
    )
    findings = {finding.check: finding for finding in doctor.findings_of(settings, is_quick=False)}
    for check in ("broker", "site map", "redis"):
        assert not findings[check].is_good, check
        assert findings[check].advice
    assert "mosquitto" in findings["broker"].advice
    assert "site.geojson" in findings["site map"].found
    for check in ("settings", "database", "clock", "port", "kernels"):
        assert findings[check].is_good, findings[check]


def test_a_quick_look_finds_a_damaged_database_and_compiles_nothing(tmp_path: Path) -> None:
    """Before the shop opens, not at the first redemption."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "offers.sqlite").write_bytes(b"not a database" * 100)
    findings = {f.check: f for f in doctor.findings_of(settings_with(tmp_path), is_quick=True)}
    assert not findings["database"].is_good
    assert "backup" in findings["database"].advice
    assert "kernels" not in findings


@pytest.mark.broker
def test_the_doctor_says_whether_the_chain_answers(
    tmp_path: Path, free_port: int, kafka_broker: KafkaBroker
) -> None:
    """A store works without its chain: a wrong address would be noticed by head office alone."""

    def finding(brokers: str) -> doctor.Finding:
        settings = settings_with(tmp_path, chain__brokers=brokers)
        return next(f for f in doctor.findings_of(settings, is_quick=True) if f.check == "chain")

    assert finding("").found == "not used: this site reports to no chain"
    assert finding(kafka_broker.brokers).found == f"1 broker at {kafka_broker.brokers}"
    away = finding(f"127.0.0.1:{free_port}")
    assert (away.is_good, away.advice.partition(",")[0]) == (False, "start Kafka")
    assert f"no answer of 127.0.0.1:{free_port}" in away.found
    assert "expected host:port" in finding("kafka").found
