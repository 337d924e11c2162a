"""Say which tags count in reports, since when, and as one of which segment.

Layer: nouns. Takes: what shoppers agreed to, from `offers`. Gives: `CountedTag` over the seam to
the position history, which writes down nothing of other tags.
"""

import re
from dataclasses import dataclass
from typing import Final

from rtls.model.errors import InvalidReading
from rtls.model.units import TagId, UnixMs

COHORT_PATTERN: Final = re.compile(r"\A[a-z][a-z0-9_]{0,31}\Z")
SEPARATOR: Final = "\t"
"""No tag id may contain it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTag:
    """A tag whose shopper agreed to `analytics`.

    Parameters
    ----------
    since_ms
        Nothing from before counts: it was not agreed to, or the tag was another shopper's.
    cohort
        The segment of the shopper, never a person; empty where none is known.
    first_held_ms
        When this holder took the tag first, or 0 where nobody knows: it tells two shoppers of one
        trolley apart, and stays the same whatever one of them gives back or agrees to again.
    """

    tag: TagId
    since_ms: UnixMs
    cohort: str = ""
    first_held_ms: UnixMs = UnixMs(0)

    def __post_init__(self) -> None:
        if not self.tag or SEPARATOR in self.tag:
            raise InvalidReading(f"tag is {self.tag!r}; expected an id without a tabulator.")
        if self.cohort and not COHORT_PATTERN.match(self.cohort):
            raise InvalidReading(
                f"cohort is {self.cohort!r}; expected nothing, or 1 to 32 of a-z, 0-9 and '_'. "
                "Give the name of a segment."
            )


def render_counted(counted: CountedTag) -> str:
    """Return the text from which another process makes the same."""
    return SEPARATOR.join(
        (counted.tag, str(counted.since_ms), counted.cohort, str(counted.first_held_ms))
    )


def parse_counted(text: str) -> CountedTag:
    r"""Return what `render_counted` wrote.

    Raises
    ------
    InvalidReading
        If the text is of another form.

    Examples
    --------
    >>> parse_counted("tag:1\t1000\tnew\t900").cohort
    'new'
    """
    try:
        tag, since, cohort, first_held = text.split(SEPARATOR)
        return CountedTag(
            tag=TagId(tag),
            since_ms=UnixMs(int(since)),
            cohort=cohort,
            first_held_ms=UnixMs(int(first_held)),
        )
    except ValueError as error:
        raise InvalidReading(
            f"counted tag is {text!r}; expected tag, instant, segment and instant, by tabulators."
        ) from error
