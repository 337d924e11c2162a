"""Count what assigned shoppers did, from what is stored anyway.

Layer: ports. Takes: nouns. Gives: `OutcomeBook` to storage.
"""

from typing import Protocol

from offers.model.experiments.metric import Metric
from offers.model.experiments.outcomes import Design, Outcomes
from rtls.model.units import UnixMs


class OutcomeBook(Protocol):
    """What came of assignments."""

    def of_design(
        self,
        design: Design,
        metric: Metric,
        *,
        margin_per_mille: int,
        before_ms: int,
        until_ms: UnixMs,
        limit: int,
    ) -> Outcomes:
        """Return one row for each assigned shopper, the earliest assigned first to be counted.

        ``before_ms`` is how long before the assignment is looked at, ``until_ms`` the end; the
        margin matters to the metric of that name alone.
        """
        ...
