r"""Check the names in a message, and bring the names of other vendors into our grammar.

Layer: rules. Takes: strings from a decoder. Gives: whether all of them keep to the grammar, and one
name for each thing however its gateway spells it. A whole column is checked by one match, since a
match for each name would cost as much as decoding the message; the anchors are \A and \Z in effect
(fullmatch), since ``$`` lets a trailing line end pass.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from rtls.model.track import TAG_ID_BYTES_MAX

_BOOT: Final = re.compile(r"[0-9a-f]{16}")
_TAG_LINES: Final = re.compile(
    rf"(?:[A-Za-z0-9][A-Za-z0-9:._-]{{0,{TAG_ID_BYTES_MAX - 1}}}\n)*+",
)
_ANCHOR_LINES: Final = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,62}\n)*+")
_TAG: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9:._-]{{0,{TAG_ID_BYTES_MAX - 1}}}")
_HARDWARE_ADDRESS: Final = re.compile(r"[0-9A-Fa-f]{2}(?:[:-]?[0-9A-Fa-f]{2}){5}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_FOREIGN: Final = re.compile(r"[^a-z0-9-]")
NAME_CHARACTERS_MAX: Final = 128
NAMES_REMEMBERED_MAX: Final = 8_192


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


@lru_cache(maxsize=NAMES_REMEMBERED_MAX)
def normalised_name(text: str) -> str | None:
    """Return the name of a foreign gateway or anchor in our grammar, or None if it has none.

    Lower case; a hardware address loses its separators; what else is outside a-z, 0-9 and "-"
    becomes "-". Keys of the alias table go the same way, so that an operator may copy a name as he
    sees it.

    Examples
    --------
    >>> normalised_name("AC:23:3F:C0:36:41"), normalised_name("Living Room"), normalised_name("_x")
    ('ac233fc03641', 'living-room', 'x')
    >>> normalised_name(""), normalised_name("x" * 64)
    (None, None)
    """
    if len(text) > NAME_CHARACTERS_MAX:
        return None
    address = hardware_address(text)
    if address is not None:
        return address.replace(":", "")
    name = _FOREIGN.sub("-", text.lower()).lstrip("-")
    return name if _NAME.fullmatch(name) else None


def hardware_address(text: str) -> str | None:
    """Return a 48-bit address as ``aa:bb:cc:dd:ee:ff``, or None if the text is none.

    Examples
    --------
    >>> hardware_address("C3000025EF6A"), hardware_address("watch:darrell") is None
    ('c3:00:00:25:ef:6a', True)
    """
    if not _HARDWARE_ADDRESS.fullmatch(text):
        return None
    digits = text.replace(":", "").replace("-", "").lower()
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


@lru_cache(maxsize=NAMES_REMEMBERED_MAX)
def tag_name(text: str) -> str | None:
    """Return the id of a tag as all formats name it, or None if it is outside the grammar.

    Hardware addresses become ``aa:bb:cc:dd:ee:ff``, so that two vendors' gateways hear one tag;
    other ids stay as they were sent.

    Examples
    --------
    >>> tag_name("C3000025EF6A"), tag_name("iBeacon:e2c56db5-0-0"), tag_name("my phone")
    ('c3:00:00:25:ef:6a', 'iBeacon:e2c56db5-0-0', None)
    """
    return hardware_address(text) or (text if _TAG.fullmatch(text) else None)


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
