"""Keep who is a child, and until when, in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Minors`.
"""

from datetime import date

import sqlalchemy as sa

from offers.model.ids import ShopperId
from offers.storage.tables import MINORS

_ADD_MINORS = sa.insert(MINORS)
_FIND = sa.select(MINORS.c.of_age_on).where(MINORS.c.shopper_id == sa.bindparam("shopper"))
_FORGET = sa.delete(MINORS).where(MINORS.c.shopper_id == sa.bindparam("shopper"))


class SqlMinors:
    """Shoppers who said that they are younger than 16."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, shopper: ShopperId, of_age_on: date | None) -> None:
        """Write from which day on the shopper is of age; None where he is."""
        self._connection.execute(_FORGET, {"shopper": shopper})
        if of_age_on is not None:
            row = {"shopper_id": shopper, "of_age_on": of_age_on.isoformat()}
            self._connection.execute(_ADD_MINORS, row)

    def of_age_on(self, shopper: ShopperId) -> date | None:
        """Return from which day on the shopper is of age; None for who never was a child here."""
        found = self._connection.execute(_FIND, {"shopper": shopper}).scalar_one_or_none()
        return None if found is None else date.fromisoformat(found)
