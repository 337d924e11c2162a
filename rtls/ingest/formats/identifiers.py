r"""Check the names in a message: boots, tags, anchors.

Layer: rules. Takes: strings from a decoder. Gives: whether all of them keep to the grammar. A whole
column is checked by one match, since a match for each name would cost as much as decoding the
message; the anchors are \A and \Z in effect (fullmatch), since ``$`` lets a trailing line end pass.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

from rtls.model.track import TAG_ID_BYTES_MAX

_BOOT: Final = re.compile(r"[0-9a-f]{16}")
_TAG_LINES: Final = re.compile(
    rf"(?:[A-Za-z0-9][A-Za-z0-9:._-]{{0,{TAG_ID_BYTES_MAX - 1}}}\n)*+",
)
_ANCHOR_LINES: Final = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,62}\n)*+")


def is_boot_id(text: str) -> bool:
    r"""Say whether ``text`` is 16 lower-case hex digits.

    Examples
    --------
    >>> is_boot_id("6f2c9a10b7e4d853"), is_boot_id("6f2c9a10b7e4d853\n")
    (True, False)
    """
    return _BOOT.fullmatch(text) is not None


def are_tag_ids(names: Collection[str]) -> bool:
    r"""Say whether every name is 1 to 64 of A-Z a-z 0-9 : . _ -, beginning with a letter or digit.

    Examples
    --------
    >>> are_tag_ids(["app:9f3c", "tag:0d13"]), are_tag_ids(["tag:1\n"]), are_tag_ids(["-1"])
    (True, False, False)
    """
    return _are_lines_of(_TAG_LINES, names)


def are_anchor_ids(names: Collection[str]) -> bool:
    """Say whether every name is an id as the site map has them.

    Examples
    --------
    >>> are_anchor_ids(["a17", "door-2"]), are_anchor_ids(["A17"]), are_anchor_ids([])
    (True, False, True)
    """
    return _are_lines_of(_ANCHOR_LINES, names)


def distinct(names: Sequence[str]) -> set[str]:
    """Return the names without repeats.

    A message mostly speaks of one anchor; comparing costs a third of hashing.

    Examples
    --------
    >>> distinct(["a1", "a1"]), sorted(distinct(["a2", "a1"])), distinct([])
    ({'a1'}, ['a1', 'a2'], set())
    """
    if names and names.count(names[0]) == len(names):
        return {names[0]}
    return set(names)


def _are_lines_of(pattern: re.Pattern[str], names: Collection[str]) -> bool:
    joined = "".join(["\n".join(names), "\n"]) if names else ""
    # A name that contains a line end would pass as two names; counting finds it.
    return pattern.fullmatch(joined) is not None and joined.count("\n") == len(names)
