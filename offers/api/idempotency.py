"""Read the Idempotency-Key of a request that moves value, and tell requests apart.

Layer: edges. Takes: the header as it came, the body as bytes. Gives: the key and the fingerprint
under which a handler stores its answer, so that a repeat gets the same bytes back
(draft-ietf-httpapi-idempotency-key-header).
"""

import hashlib
import re
from typing import Final

from offers.api.problem import Problem, ProblemCode

HEADER: Final = "Idempotency-Key"
LENGTH_MIN: Final = 8
LENGTH_MAX: Final = 128

_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)


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
    if not LENGTH_MIN <= len(key) <= LENGTH_MAX or not _VISIBLE.fullmatch(key):
        raise Problem(
            ProblemCode.IDEMPOTENCY_KEY_INVALID,
            f"{HEADER} has {len(key)} characters; expected {LENGTH_MIN} to {LENGTH_MAX} visible "
            "ASCII characters without spaces. A UUID does.",
        )
    return key


def request_fingerprint(method: str, path: str, body: bytes) -> str:
    """Return 64 hex digits that differ when anything of the request differs.

    Examples
    --------
    >>> one = request_fingerprint("POST", "/v1/redemptions", b"{}")
    >>> one == request_fingerprint("POST", "/v1/redemptions", b"{ }"), len(one)
    (False, 64)
    """
    # The parts are joined by a character that neither a method nor a path can contain.
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()
