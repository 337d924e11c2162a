"""Keep what shoppers did and said, as long as they allow it.

Layer: ports. Takes: nouns. Gives: `Facts`, `Attributes` to storage.
"""

from collections.abc import Sequence
from typing import Protocol

from offers.model.conditions.attribute import Attribute
from offers.model.conditions.condition import Condition
from offers.model.conditions.fact import Fact
from offers.model.conditions.shopper_facts import FactNeeds, ShopperFacts
from offers.model.ids import ConsentId, ShopperId
from rtls.model.units import SiteId, UnixMs


class Facts(Protocol):
    """What shoppers did. There is no way to change a fact."""

    def append(self, shopper: ShopperId, facts: Sequence[Fact], *, consent: ConsentId) -> int:
        """Write facts under the consent that allows it; return how many are not known yet."""
        ...

    def of_shopper(
        self, shopper: ShopperId, needs: FactNeeds, *, site: SiteId, as_of_ms: UnixMs
    ) -> ShopperFacts | None:
        """Return all that conditions with these needs may ask; None for an unknown shopper."""
        ...

    def audience_size(self, condition: Condition | None, *, site: SiteId, as_of_ms: UnixMs) -> int:
        """Count the shoppers with `personalise` whom some situation at the site could reach."""
        ...

    def audience(
        self,
        condition: Condition | None,
        *,
        site: SiteId,
        as_of_ms: UnixMs,
        undecided: str,
        limit: int,
    ) -> tuple[ShopperId, ...]:
        """Return the first of those that `audience_size` counts, as far as they are undecided.

        Whom a decision at the site names for the occasion ``undecided`` is left out.
        """
        ...

    def forget_places(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete facts older than ``before_ms`` that say where somebody stood; return how many."""
        ...

    def erase(self, shopper: ShopperId) -> None:
        """Delete all facts of a shopper."""
        ...


class Attributes(Protocol):
    """What shoppers said about themselves."""

    def put(
        self, shopper: ShopperId, attribute: Attribute, *, consent: ConsentId, at_ms: UnixMs
    ) -> None:
        """Write the values of an attribute in place of those before; none deletes it."""
        ...

    def of_shopper(self, shopper: ShopperId) -> tuple[Attribute, ...]:
        """Return all attributes of a shopper, by name."""
        ...

    def erase(self, shopper: ShopperId) -> None:
        """Delete all attributes of a shopper."""
        ...
