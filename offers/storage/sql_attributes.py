"""Keep what shoppers said about themselves in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Attributes`.
"""

import sqlalchemy as sa

from offers.model.conditions.attribute import Attribute, number_of
from offers.model.ids import ConsentId, ShopperId
from offers.storage.tables import SHOPPER_ATTRIBUTES
from rtls.model.units import UnixMs

_ADD_SHOPPER_ATTRIBUTES = sa.insert(SHOPPER_ATTRIBUTES)
_A = SHOPPER_ATTRIBUTES.c
_OF_SHOPPER = (
    sa.select(_A.name, _A.value)
    .where(_A.shopper_id == sa.bindparam("shopper"))
    .order_by(_A.name, _A.value)
)
_DELETE = sa.delete(SHOPPER_ATTRIBUTES).where(
    _A.shopper_id == sa.bindparam("shopper"), _A.name == sa.bindparam("attribute")
)
_ERASE = sa.delete(SHOPPER_ATTRIBUTES).where(_A.shopper_id == sa.bindparam("shopper"))


class SqlAttributes:
    """What shoppers said about themselves."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(
        self, shopper: ShopperId, attribute: Attribute, *, consent: ConsentId, at_ms: UnixMs
    ) -> None:
        """Write the values of an attribute in place of those before; none deletes it."""
        self._connection.execute(_DELETE, {"shopper": shopper, "attribute": attribute.name})
        rows = [
            {
                "shopper_id": shopper,
                "name": attribute.name,
                "value": value,
                "number": number_of(value),
                "at_ms": at_ms,
                "consent_id": consent,
            }
            for value in sorted(attribute.values)
        ]
        if rows:
            self._connection.execute(_ADD_SHOPPER_ATTRIBUTES, rows)

    def of_shopper(self, shopper: ShopperId) -> tuple[Attribute, ...]:
        """Return all attributes of a shopper, by name."""
        found: dict[str, set[str]] = {}
        for row in self._connection.execute(_OF_SHOPPER, {"shopper": shopper}):
            found.setdefault(row.name, set()).add(row.value)
        return tuple(
            Attribute(name=name, values=frozenset(values)) for name, values in found.items()
        )

    def erase(self, shopper: ShopperId) -> None:
        """Delete all attributes of a shopper."""
        self._connection.execute(_ERASE, {"shopper": shopper})
