"""Know which tags may be written into the history just now, as the door says at run time.

Layer: edges. Takes: `CountedTag`s from the side that knows shoppers, from any thread. Gives: them
to the history's writer, which asks anew for each row: a withdrawal counts from the next row on,
and for what waits in memory.
"""

from collections.abc import Iterable, Sequence

from rtls.model.counted_tag import CountedTag
from rtls.model.units import TagId, UnixMs


class CountedTags:
    """A table of tags that may change at any time, from any thread; or all tags.

    Examples
    --------
    >>> counted = CountedTags([CountedTag(tag=TagId("tag:1"), since_ms=UnixMs(5))])
    >>> counted.find(TagId("tag:1")).since_ms, counted.find(TagId("tag:2"))
    (5, None)
    """

    def __init__(self, tags: Iterable[CountedTag] = ()) -> None:
        # Replaced whole, never changed in place: a reader in another thread sees old or new.
        self._tags = {counted.tag: counted for counted in tags}
        self._is_open = False

    @classmethod
    def all(cls) -> "CountedTags":
        """Count whatever is located: recordings and benchmarks, where a tag is nobody's."""
        counted = cls()
        counted._is_open = True
        return counted

    def put(self, counted: CountedTag) -> None:
        """Count a tag from now on, or as one of another segment."""
        self._tags = self._tags | {counted.tag: counted}

    def put_or_withdraw(self, tag: TagId, found: Sequence[CountedTag]) -> None:
        """Count a tag as what was found of it; where that is nothing, no longer."""
        if found:
            self.put(found[0])
        else:
            self.withdraw(tag)

    def withdraw(self, tag: TagId) -> None:
        """Count a tag no longer."""
        self._tags = {name: counted for name, counted in self._tags.items() if name != tag}

    def replace(self, tags: Iterable[CountedTag]) -> None:
        """Count exactly these tags from now on."""
        self._tags = {counted.tag: counted for counted in tags}

    def find(self, tag: TagId) -> CountedTag | None:
        """Return how the tag counts, or None where it does not."""
        if self._is_open:
            return CountedTag(tag=tag, since_ms=UnixMs(0))
        return self._tags.get(tag)
