"""State what was chosen among which candidates, how likely each was, and what came of it.

Layer: nouns. Takes: the log of decisions. Gives: `LoggedChoices` and `TargetPolicy` to off-policy
evaluation. Columns: decision i has the candidates ``start[i]`` to ``start[i + 1]``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.model.errors import InvalidSample
from offers.model.experiments.estimate import Numbers
from offers.model.ids import DecisionId

Codes = npt.NDArray[np.int64]
SUM_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedChoices:
    """What a policy did. Every candidate was possible, or nothing could be said about it."""

    decisions: tuple[DecisionId, ...]
    """(n,)"""
    start: Codes
    """(n + 1,): where the candidates of each decision begin"""
    propensity: Numbers
    """(m,): how likely each candidate was, by the policy that logged it"""
    chosen: Codes
    """(n,): which one it was, counted from the first of its decision"""
    reward: Numbers
    """(n,): what came of it, e.g. margin in minor units"""

    def __post_init__(self) -> None:
        n = len(self.decisions)
        if n < 2 or self.start.shape != (n + 1,) or self.start[0] != 0:
            raise InvalidSample(
                f"start has the shape {self.start.shape} for {n} decisions; expected two decisions "
                "or more, one start for each, from 0, and the end. Count the candidates again."
            )
        counts = np.diff(self.start)
        self._refuse(counts < 1, "candidates", counts, "one or more")
        if int(self.start[-1]) != len(self.propensity):
            raise InvalidSample(
                f"propensity has {len(self.propensity)} rows, start ends at {self.start[-1]}; "
                "expected one for each candidate. Log all candidates, also those passed over."
            )
        if self.chosen.shape != (n,) or self.reward.shape != (n,):
            raise InvalidSample(
                f"chosen has the shape {self.chosen.shape}, reward {self.reward.shape}; expected "
                f"({n},), one for each decision. Give 0 where nothing came of it."
            )
        self._refuse(
            (self.chosen < 0) | (self.chosen >= counts), "chosen", self.chosen, "a candidate"
        )
        self._refuse(~np.isfinite(self.reward), "reward", self.reward, "a finite number")
        self._check_propensities()

    @property
    def of_decision(self) -> Codes:
        """Return (m,): the decision that each candidate belongs to."""
        return np.repeat(np.arange(len(self.decisions)), np.diff(self.start))

    @property
    def chosen_row(self) -> Codes:
        """Return (n,): the row of the candidate that was chosen."""
        rows: Codes = self.start[:-1] + self.chosen
        return rows

    def _check_propensities(self) -> None:
        p = self.propensity
        is_wrong = ~((p > 0.0) & (p <= 1.0))  # written so that NaN, a missing one, is wrong too
        rows = np.flatnonzero(is_wrong)
        if len(rows):
            decision = self.decisions[int(self.of_decision[rows[0]])]
            raise InvalidSample(
                f"decision {decision!r}: propensity is {p[rows[0]]}; expected above 0 and at most "
                "1 for each candidate. Leave out decisions that were logged without it."
            )
        total = np.add.reduceat(p, self.start[:-1])
        self._refuse(np.abs(total - 1.0) > SUM_TOLERANCE, "sum of propensities", total, "1")

    def _refuse(
        self,
        is_wrong: npt.NDArray[np.bool_],
        field: str,
        found: Codes | Numbers,
        expected: str,
    ) -> None:
        rows = np.flatnonzero(is_wrong)
        if len(rows):
            at = int(rows[0])
            raise InvalidSample(
                f"decision {self.decisions[at]!r}: {field} is {found[at]}; expected {expected}. "
                "Leave the decision out or correct how it is logged."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPolicy:
    """What another policy would do at the same moments, and what a model expects of it."""

    log: LoggedChoices
    probability: Numbers
    """(m,): how likely it would choose each candidate; 0 is allowed"""
    expected_reward: Numbers | None = None
    """(m,): what a model says of each candidate; it must not be trained on these rewards"""

    def __post_init__(self) -> None:
        m = len(self.log.propensity)
        self._check_column("probability", self.probability, m)
        wrong = np.flatnonzero(~((self.probability >= 0.0) & (self.probability <= 1.0)))
        if len(wrong):
            raise InvalidSample(
                f"decision {self._decision(wrong[0])!r}: target probability is "
                f"{self.probability[wrong[0]]}; expected 0 to 1. Ask the new policy again."
            )
        total = np.add.reduceat(self.probability, self.log.start[:-1])
        off = np.flatnonzero(np.abs(total - 1.0) > SUM_TOLERANCE)
        if len(off):
            raise InvalidSample(
                f"decision {self.log.decisions[int(off[0])]!r}: sum of target probabilities is "
                f"{total[off[0]]}; expected 1. Let it weigh the same candidates as the log."
            )
        if self.expected_reward is not None:
            self._check_column("expected_reward", self.expected_reward, m)
            missing = np.flatnonzero(~np.isfinite(self.expected_reward))
            if len(missing):
                raise InvalidSample(
                    f"decision {self._decision(missing[0])!r}: expected_reward is "
                    f"{self.expected_reward[missing[0]]}; expected a finite number. Give 0 where "
                    "the model knows nothing."
                )

    def _decision(self, row: np.int64) -> DecisionId:
        return self.log.decisions[int(self.log.of_decision[row])]

    @staticmethod
    def _check_column(field: str, column: Numbers, rows: int) -> None:
        if column.shape != (rows,):
            raise InvalidSample(
                f"{field} has the shape {column.shape}; expected ({rows},), one for each logged "
                "candidate. Weigh them in the order of the log."
            )
