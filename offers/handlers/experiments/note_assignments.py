"""Write down who met an experiment for the first time, and in which arm.

Layer: flow. Takes: a `Decision`. Gives: rows to the log of assignments, in the transaction of the
decision. Who has met it before stays where he is; who is never asked is in no report.
"""

from offers.model.experiments.experiment import Holdout
from offers.model.experiments.experiment_run import ADDRESSED, HELD_OUT, HOLDOUT, Assignment
from offers.model.offering.decision import Decision
from offers.ports import UnitOfWork


def note_assignments(decision: Decision, *, holdout: Holdout | None, work: UnitOfWork) -> None:
    """Write an assignment for the holdout and each experiment that the decision met.

    Parameters
    ----------
    decision
        What was decided, with its trial.
    holdout
        The one that the site had at the decision.
    work
        The transaction of the decision.
    """
    trial = decision.trial
    for arm in trial.arms:
        work.experiments.note(
            Assignment(
                site=decision.site,
                experiment=arm.experiment,
                salt=arm.salt,
                shopper=decision.shopper,
                arm=arm.number,
                revision=arm.revision,
                at_ms=decision.at_ms,
            )
        )
    if holdout is not None and trial.is_held_out is not None:
        work.experiments.note(
            Assignment(
                site=decision.site,
                experiment=HOLDOUT,
                salt=holdout.salt,
                shopper=decision.shopper,
                arm=HELD_OUT if trial.is_held_out else ADDRESSED,
                revision=1,
                at_ms=decision.at_ms,
            )
        )
