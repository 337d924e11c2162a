"""Read the Idempotency-Key of a request that moves value.

Layer: edges. Takes: the header as it came. Gives: the key under which a handler stores its answer,
so that a repeat gets the same bytes back (draft-ietf-httpapi-idempotency-key-header).
"""

from typing import Final

from offers.api.problem import Problem, ProblemCode
from offers.model.idempotency import KEY_PATTERN

HEADER: Final = "Idempotency-Key"
LENGTH_MIN: Final = 8
LENGTH_MAX: Final = 128


def parse_idempotency_key(header: str | None) -> str:
    """Read the key; the quotes of a structured-field string (RFC 8941) may be there or not.

    Parameters
    ----------
    header
        The value of the header, None when the request has none.

    Raises
    ------
    Problem
        If the header is missing, or is not 8 to 128 visible ASCII characters.

    Examples
    --------
    >>> parse_idempotency_key("till-7:000123"), parse_idempotency_key('"till-7:000123"')
    ('till-7:000123', 'till-7:000123')
    """
    if header is None:
        raise Problem(
            ProblemCode.IDEMPOTENCY_KEY_MISSING,
            f"The header {HEADER} is missing; expected {LENGTH_MIN} to {LENGTH_MAX} characters. "
            "Without it a repeat after a lost answer could redeem twice.",
        )
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':  # noqa: PLR2004 -- two quotes
        key = key[1:-1]
    if not KEY_PATTERN.match(key):
        raise Problem(
            ProblemCode.IDEMPOTENCY_KEY_INVALID,
            f"{HEADER} has {len(key)} characters; expected {LENGTH_MIN} to {LENGTH_MAX} visible "
            "ASCII characters without spaces. A UUID does.",
        )
    return key
