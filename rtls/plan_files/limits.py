"""Refuse what is too big before anything expensive is done with it.

Layer: rules. Takes: sizes and counts of a plan file. Gives: nothing, or `InvalidPlanFile`.

The numbers are those of the threat model: a store admin may send any file that somebody mailed
him, and the process that reads it is the one that serves the tills.
"""

from typing import Final

from rtls.model.errors import InvalidPlanFile

FILE_BYTES_MAX: Final = 10 * 1024**2
EXPANDED_BYTES_MAX: Final = 50 * 1024**2
RATIO_MAX: Final = 100
ENTRIES_MAX: Final = 1_000
VERTICES_MAX: Final = 20_000
MARKS_MAX: Final = 100_000
"""brackets, braces, tags or points that a text may have before it is parsed at all"""
PIXELS_MAX: Final = 50_000_000
"""of a picture that is opened: 200 MB in memory"""
PICTURE_SIDE_PX: Final = 4_096
"""of a picture that is kept; larger ones are made smaller"""
PAGES_MAX: Final = 500
DEPTH_MAX: Final = 32
"""of blocks within blocks, and groups within groups"""


def check_file_size(content: bytes, *, source: str) -> None:
    """Refuse a file that is empty or too big.

    Raises
    ------
    InvalidPlanFile
        If it has no byte, or more than `FILE_BYTES_MAX`.
    """
    if not content:
        raise InvalidPlanFile(f"{source}: the file is empty; expected a plan. Choose another file.")
    if len(content) > FILE_BYTES_MAX:
        raise InvalidPlanFile(
            f"{source}: the file has {len(content):,} bytes; expected at most {FILE_BYTES_MAX:,}. "
            "Leave out floors or layers that the map does not need."
        )


def check_marks(content: bytes, mark: bytes, *, source: str, what: str) -> None:
    """Refuse a text that would become too many objects once it is parsed.

    Parameters
    ----------
    content
        The text, unparsed: counting in it costs next to nothing.
    mark
        What each of the objects has once.
    source
        The file's name.
    what
        What the objects are, for the message.

    Raises
    ------
    InvalidPlanFile
        If ``mark`` occurs more than `MARKS_MAX` times.
    """
    count = content.count(mark)
    if count > MARKS_MAX:
        raise InvalidPlanFile(
            f"{source}: {count:,} {what}; expected at most {MARKS_MAX:,}. Leave out layers that "
            "the map does not need, and draw curves with fewer points."
        )


class VertexBudget:
    """Counts the vertices of one file and refuses one too many.

    Parameters
    ----------
    source
        The file's name, for the message.
    most
        How many there may be.
    """

    def __init__(self, source: str, *, most: int = VERTICES_MAX) -> None:
        self._source = source
        self._most = most
        self._count = 0

    def take(self, count: int, *, feature: str) -> None:
        """Count vertices of a feature.

        Raises
        ------
        InvalidPlanFile
            If there are now too many.
        """
        self._count += count
        if self._count > self._most:
            raise InvalidPlanFile(
                f"{self._source}: feature {feature}: more than {self._most:,} vertices up to "
                f"here; expected at most {self._most:,} in a file. Leave out layers that the map "
                "does not need, and draw curves with fewer points."
            )
