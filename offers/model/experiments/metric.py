"""Name what arms can be judged by: one number for each shopper who was assigned.

Layer: nouns. Takes: the metric of an experiment or guardrail. Gives: `Metric` to the handlers that
start and judge experiments. All but the margin are counted as they are; nothing is modelled.
"""

from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidExperiment


class Metric(StrEnum):
    """What is counted of a shopper from the assignment until the end, and before it."""

    REVENUE = "revenue-minor"
    """what was paid for, less discounts and what was brought back"""
    MARGIN = "margin-minor"
    """the retailer's share of what was sold and kept, less discounts"""
    DISCOUNT = "discount-minor"
    PURCHASES = "purchases"
    OFFERS = "offers"
    """offers that were made"""
    OPENED = "opened"
    """offers that the shopper opened"""
    DISMISSALS = "dismissals"
    """offers that the shopper waved away"""
    REDEMPTIONS = "redemptions"

    @property
    def is_money(self) -> bool:
        """Say whether it is an amount in minor units."""
        return self in _MONEY


_MONEY: Final = frozenset({Metric.REVENUE, Metric.MARGIN, Metric.DISCOUNT})


def metric_of(field: str, name: str) -> Metric:
    """Return the metric of a name.

    Raises
    ------
    InvalidExperiment
        If nothing of that name is counted.
    """
    try:
        return Metric(name)
    except ValueError as error:
        raise InvalidExperiment(
            f"{field} is {name!r}; expected one of {[known.value for known in Metric]}. Choose "
            "what is counted of every shopper."
        ) from error
