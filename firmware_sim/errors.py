"""What can be wrong with an order to the simulator.

Layer: nouns. Takes: nothing. Gives: the error that the modules of `firmware_sim` raise beside those
of the site map, and the check of a bound.
"""

from rtls.model.errors import InaisleError


class InvalidScenario(InaisleError, ValueError):
    """Shoppers, radio or faults that cannot be simulated."""


def check_between(what: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside of its bounds.

    Parameters
    ----------
    what
        The name of the setting, with its unit.
    low, high
        The bounds, both allowed.

    Raises
    ------
    InvalidScenario
        If ``value`` is below ``low``, above ``high`` or NaN.
    """
    if not low <= value <= high:
        raise InvalidScenario(f"{what} is {value}; expected {low:g} to {high:g}.")
