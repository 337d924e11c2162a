"""Keep experiments and assignments in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Experiments`.
"""

import json
from functools import lru_cache

import sqlalchemy as sa

from offers.model.experiments.experiment import Experiment
from offers.model.experiments.experiment_json import parse_experiment, render_experiment
from offers.model.experiments.experiment_run import Assignment, ExperimentRun
from offers.model.ids import ExperimentId
from offers.storage.insert_once import insert_once
from offers.storage.tables import ASSIGNMENTS, EXPERIMENT_REVISIONS, EXPERIMENTS
from rtls.model.units import SiteId, UnixMs

_E = EXPERIMENTS.c
_R = EXPERIMENT_REVISIONS.c
_IS_EXPERIMENT = _E.experiment_id == sa.bindparam("experiment")
_CURRENT = sa.select(_E.site, _E.started_at_ms, _E.stopped_at_ms, _R.document).join_from(
    EXPERIMENTS,
    EXPERIMENT_REVISIONS,
    sa.and_(_R.experiment_id == _E.experiment_id, _R.revision == _E.revision),
)
_FIND = _CURRENT.where(_IS_EXPERIMENT)
_OF_SITE = (
    _CURRENT.where(_E.site == sa.bindparam("of_site"))
    .order_by(_E.started_at_ms.desc(), _E.experiment_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_REVISION = sa.select(_R.document).where(
    _R.experiment_id == sa.bindparam("experiment"), _R.revision == sa.bindparam("wanted")
)
_MAKE_CURRENT = sa.update(EXPERIMENTS).where(_IS_EXPERIMENT).values(revision=sa.bindparam("wanted"))
_STOP = (
    sa.update(EXPERIMENTS)
    .where(_IS_EXPERIMENT, _E.stopped_at_ms.is_(None))
    .values(stopped_at_ms=sa.bindparam("now_ms"))
)


@lru_cache(maxsize=256)
def _experiment_of(document: str) -> Experiment:
    # A revision never changes, and every decision about a campaign of it reads it.
    return parse_experiment(json.loads(document))


class SqlExperiments:
    """Experiments with their revisions, and who met them."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        dialect = connection.dialect.name
        self._insert = insert_once(EXPERIMENTS, dialect)
        self._insert_revision = insert_once(EXPERIMENT_REVISIONS, dialect)
        self._insert_assignment = insert_once(ASSIGNMENTS, dialect)
        self._found: dict[ExperimentId, ExperimentRun | None] = {}  # nobody else changes them

    def add_revision(self, experiment: Experiment, *, site: SiteId, at_ms: UnixMs) -> bool:
        """Write a revision and make it the current one; False where its number is taken."""
        self._found.pop(experiment.experiment, None)
        fresh = {
            "experiment_id": experiment.experiment,
            "site": site,
            "revision": experiment.revision,
            "started_at_ms": at_ms,
            "stopped_at_ms": None,
        }
        self._connection.execute(self._insert, fresh)
        row = {
            "experiment_id": experiment.experiment,
            "revision": experiment.revision,
            "document": json.dumps(render_experiment(experiment), sort_keys=True),
        }
        if self._connection.execute(self._insert_revision, row).rowcount == 0:
            return False
        current = {"experiment": experiment.experiment, "wanted": experiment.revision}
        self._connection.execute(_MAKE_CURRENT, current)
        return True

    def find(self, experiment: ExperimentId) -> ExperimentRun | None:
        """Return the experiment with its current revision, or None."""
        if experiment not in self._found:
            row = self._connection.execute(_FIND, {"experiment": experiment}).one_or_none()
            self._found[experiment] = None if row is None else _run(row)
        return self._found[experiment]

    def of_site(self, site: SiteId, *, limit: int) -> tuple[ExperimentRun, ...]:
        """Return the experiments of a site, the newest first."""
        rows = self._connection.execute(_OF_SITE, {"of_site": site, "most": limit})
        return tuple(_run(row) for row in rows)

    def revision(self, experiment: ExperimentId, revision: int) -> Experiment | None:
        """Return one revision, or None."""
        given = {"experiment": experiment, "wanted": revision}
        document = self._connection.execute(_REVISION, given).scalar_one_or_none()
        return None if document is None else _experiment_of(document)

    def stop(self, experiment: ExperimentId, *, at_ms: UnixMs) -> bool:
        """Write when it was stopped; False where it is unknown or was stopped before."""
        self._found.pop(experiment, None)
        given = {"experiment": experiment, "now_ms": at_ms}
        return self._connection.execute(_STOP, given).rowcount == 1

    def note(self, assignment: Assignment) -> bool:
        """Write that a shopper met the design; False where that was written before."""
        row = {
            "site": assignment.site,
            "experiment_id": assignment.experiment,
            "salt": assignment.salt,
            "shopper_id": assignment.shopper,
            "arm": assignment.arm,
            "revision": assignment.revision,
            "at_ms": assignment.at_ms,
        }
        return self._connection.execute(self._insert_assignment, row).rowcount == 1


def _run(row: sa.Row[*tuple[object, ...]]) -> ExperimentRun:
    return ExperimentRun(
        site=SiteId(row.site),
        experiment=_experiment_of(row.document),
        started_at_ms=UnixMs(row.started_at_ms),
        stopped_at_ms=None if row.stopped_at_ms is None else UnixMs(row.stopped_at_ms),
    )
