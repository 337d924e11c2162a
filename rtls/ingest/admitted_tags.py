"""Which tags may be located: those whose shopper consents, as the door says at run time.

Layer: rules. Takes: tag ids from the door, which learns them from `offers`. Gives: the answer to
rtls.ingest.reception. All others are forgotten in memory, before anything is written down.
"""

from collections.abc import Iterable

from rtls.model.units import TagId


class AdmittedTags:
    """A set of tags that may change at any time, from any thread; or all tags.

    Examples
    --------
    >>> admitted = AdmittedTags()
    >>> admitted.grant(TagId("tag:1"))
    >>> "tag:1" in admitted, "tag:2" in admitted, "tag:2" in AdmittedTags.all()
    (True, False, True)
    """

    def __init__(self, tags: Iterable[TagId] = ()) -> None:
        # Replaced whole, never changed in place: a reader in another thread sees old or new.
        self._tags: frozenset[str] | None = frozenset(tags)
        self._withdrawals = 0

    @classmethod
    def all(cls) -> "AdmittedTags":
        """Admit whatever is heard: recordings and benchmarks, where a tag is nobody's."""
        admitted = cls()
        admitted._tags = None
        return admitted

    @property
    def withdrawals(self) -> int:
        """Return a number that grows whenever a tag may have lost its admission."""
        return self._withdrawals

    def grant(self, tag: TagId) -> None:
        """Admit a tag from now on."""
        if self._tags is not None:
            self._tags |= {tag}

    def withdraw(self, tag: TagId) -> None:
        """Forget a tag; readings that wait for their epoch are dropped too."""
        if self._tags is not None:
            self._tags -= {tag}
            self._withdrawals += 1

    def replace(self, tags: Iterable[TagId]) -> None:
        """Admit exactly these tags from now on."""
        self._tags = frozenset(tags)
        self._withdrawals += 1

    def __contains__(self, tag: object) -> bool:
        return self._tags is None or tag in self._tags
