"""Compute the check digit of GS1 numbers, which finds a misread digit and most swapped ones.

Layer: rules. Takes: digits. Gives: the digit behind them to card_code and gs1 (GS1 General
Specifications, section 7.9: from the right the digits count three times and once in turn).
"""


def check_digit_of(digits: str) -> str:
    """Return the digit that belongs behind ``digits``.

    Examples
    --------
    >>> check_digit_of("400638133393")
    '1'
    """
    assert digits.isascii()
    assert digits.isdigit()
    total = sum(int(d) * (1 if place % 2 else 3) for place, d in enumerate(reversed(digits)))
    return str(-total % 10)
