"""Make texts of foreign files fit to be names: nothing to be run, nothing that cannot be seen.

Layer: rules. Takes: layer names, labels, titles. Gives: names and ids to the readers.
"""

import re
import unicodedata
from typing import Final

NAME_MAX: Final = 200
_BRACKETS: Final = str.maketrans("", "", "<>")
_FOLDED: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_SPACE: Final = re.compile(r"\s+")


def plain_name(text: object) -> str:
    r"""Return a text as a name: on one line, without angle brackets and characters nobody sees.

    The pages escape every text anyway; this keeps a plan from mail out of whatever else reads maps.

    Examples
    --------
    >>> plain_name("Dübel\n & Co <b>\u202e")
    'Dübel & Co b'
    """
    if not isinstance(text, str):
        return ""
    seen = "".join(c for c in text[: 4 * NAME_MAX] if c.isspace() or _is_seen(c))
    return _SPACE.sub(" ", seen.translate(_BRACKETS)).strip()[:NAME_MAX].strip()


def _is_seen(character: str) -> bool:
    return not unicodedata.category(character).startswith("C")


def folded(text: str) -> str:
    """Return a text in small letters without umlauts, to be compared with words.

    Examples
    --------
    >>> folded("WÄNDE")
    'waende'
    """
    return text.lower().translate(_FOLDED)
