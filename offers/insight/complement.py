"""Choose what else is withheld, so that no small group can be had by subtraction.

Layer: rules. Takes: the sizes of groups that add up to one that is told as well. Gives: the further
group to the figures by segment and to the funnels of zones.
"""

from collections.abc import Mapping
from typing import TypeVar

from offers.model.campaigns.audience import SHOPPERS_MIN

Group = TypeVar("Group", bound=int | str)


def complement(sizes: Mapping[Group, int]) -> Group | None:
    """Return which further group is withheld, if any: the smallest that would be told.

    Examples
    --------
    >>> complement({0: 40, 1: 7, 2: 15})
    2
    >>> complement({0: 40, 1: 7, 2: 6})  # 13 together: nobody of them is alone
    >>> complement({0: 40, 1: 0, 2: 15})  # an empty group hides nobody
    """
    small = sum(size for size in sizes.values() if size < SHOPPERS_MIN)
    told = [group for group, size in sizes.items() if size >= SHOPPERS_MIN]
    if not 0 < small < SHOPPERS_MIN or not told:
        return None
    return min(told, key=lambda group: (sizes[group], str(group)))
