"""Find JSON objects that name a member twice.

Layer: rules. Takes: the bytes of a message that has passed its decoder. Gives: whether a member is
repeated. RFC 8259 leaves open which of two values counts, and parsers differ, so such a message has
no single meaning and is refused.
"""

import json
from typing import Final

_AFTER_KEY: Final = b'":'


class RepeatedMember(ValueError):
    """A member occurs twice in one object."""


def has_repeated_member(payload: bytes, *, members: int) -> bool:
    r"""Say whether an object in ``payload`` names a member twice.

    Parameters
    ----------
    payload
        JSON that a decoder has accepted.
    members
        How many members the decoder found. If the payload has just as many keys there is no
        repeat, which one pass over the bytes tells; otherwise (unknown members, white space before
        a colon, or truly a repeat) the payload is read once more, slowly.

    Examples
    --------
    >>> has_repeated_member(b'{"v":1,"v":2}', members=1)
    True
    >>> has_repeated_member(b'{"v":1,"unknown":2}', members=1)
    False
    """
    if payload.count(_AFTER_KEY) == members:
        return False
    try:
        json.loads(payload, object_pairs_hook=_refuse_repeat)
    except RepeatedMember:
        return True
    except (ValueError, RecursionError):
        # Parsers differ on what they accept (a lone surrogate, depth); the decoder has decided.
        return False
    return False


def _refuse_repeat(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise RepeatedMember
