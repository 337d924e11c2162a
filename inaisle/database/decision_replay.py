"""Take the last decisions of a database again, and say which come out otherwise.

Layer: doors. Takes: settings. Gives: a report on standard output, and an exit status to
inaisle.commands.cli_db. The service may run meanwhile.
"""

import json

import typer

from inaisle.database.database_work import read_beside
from inaisle.errors import ExitStatus
from inaisle.settings import Settings
from offers.handlers.experiments.replay_decision import ReplayTally, replay_newest


def run_replay(settings: Settings, *, last: int, as_json: bool) -> int:
    """Print what came of it; `REFUSED` where a decision comes out otherwise.

    Parameters
    ----------
    settings
        Say where the database is.
    last
        How many decisions, the newest first.
    as_json
        For a machine.
    """
    tally = read_beside(settings, lambda work: replay_newest(last, work=work))
    typer.echo(_machine(tally) if as_json else _words(tally))
    return ExitStatus.REFUSED if tally.different else ExitStatus.DONE


def _machine(tally: ReplayTally) -> str:
    return json.dumps(
        {
            "same": tally.same,
            "different": tally.different,
            "without_ground": tally.without_ground,
            "differing": [
                {"decision": decision, "differs_in": members}
                for decision, members in tally.differing
            ],
        }
    )


def _words(tally: ReplayTally) -> str:
    lines = [f"{tally.same} decisions come out the same, {tally.different} otherwise."]
    if tally.without_ground:
        lines.append(f"{tally.without_ground} are from before it was kept what they stood on.")
    lines += [f"{name}: {', '.join(members)}" for name, members in tally.differing]
    return "\n".join(lines)
