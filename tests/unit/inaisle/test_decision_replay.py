"""`inaisle db replay`: the auditor's command, over a database that a shop has written."""

import json
from pathlib import Path

import sqlalchemy as sa
from typer.testing import CliRunner

from inaisle.cli import app
from offers.model.people.consent import Purpose
from offers.storage.tables import DECISIONS
from tests.ready_database import lay_down_ready_database
from tests.scenario.running_api import Phone, running_api
from tests.unit.offers.shop import DWELL_S, campaign


def replayed(data: Path, *flags: str) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["db", "replay", "--data", str(data), *flags])
    return answer.exit_code, answer.output


def test_decisions_come_out_the_same_until_somebody_touches_one(tmp_path: Path) -> None:
    """Three stays, one of them without consent; then a hand in the database, which is named."""
    place = tmp_path / "offers.sqlite"
    lay_down_ready_database(place)
    with running_api(tmp_path, database=place) as api:
        api.start_campaign(campaign())
        wishes = [(), (), (Purpose.PERSONALISE.value,)]
        for number, missing in enumerate(wishes):
            purposes = tuple(p.value for p in Purpose if p.value not in missing)
            phone = Phone(api, purposes=purposes)
            phone.pair(f"tag:{number}")
            api.advance(int(DWELL_S * 1_000))
            api.stand(f"tag:{number}")
        assert replayed(tmp_path) == (0, "3 decisions come out the same, 0 otherwise.\n")
        newest = api.writer.run(lambda work: work.decisions.newest(before=None, limit=1))[0][1]

        def touch(work) -> None:
            is_newest = DECISIONS.c.decision_id == newest.decision
            work.connection.execute(sa.update(DECISIONS).where(is_newest).values(passed_over="[]"))

        api.writer.run(touch)
        status, told = replayed(tmp_path, "--json")
        assert status != 0
        assert json.loads(told) == {
            "same": 2,
            "different": 1,
            "without_ground": 0,
            "differing": [{"decision": newest.decision, "differs_in": ["passed_over"]}],
        }
        assert replayed(tmp_path, "--last", "1")[1].endswith(f"{newest.decision}: passed_over\n")
