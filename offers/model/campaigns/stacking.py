"""Say with what else a benefit may be combined at the till.

Layer: nouns. Takes: nothing. Gives: `StackingClass` to campaigns and to the choice of the best
stack in checkout.
"""

from enum import StrEnum


class StackingClass(StrEnum):
    """How a benefit stands beside others of the same basket."""

    EXCLUSIVE = "exclusive"
    """alone: no other coupon is taken with the basket"""
    ONE_A_LINE = "one_a_line"
    """beside others, but a line of the basket gets at most one benefit of this class"""
    COMBINABLE = "combinable"
    """on top of any other that is not exclusive, on the same line too"""
