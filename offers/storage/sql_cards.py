"""Keep cards and the codes that were taken in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Cards`. A code is taken
once by the primary key (shopper, step).
"""

import sqlalchemy as sa

from offers.model.ids import ShopperId
from offers.model.people.card import CardNumber
from offers.storage.insert_once import insert_once
from offers.storage.tables import CARD_STEPS, CARDS

_S = CARD_STEPS.c
_NUMBER_OF = sa.select(CARDS.c.number).where(CARDS.c.shopper_id == sa.bindparam("shopper"))
_HOLDER_OF = sa.select(CARDS.c.shopper_id).where(CARDS.c.number == sa.bindparam("named"))
_IS_TAKEN = sa.select(_S.step).where(
    _S.shopper_id == sa.bindparam("shopper"), _S.step == sa.bindparam("half_minute")
)
_OLD = (
    sa.select(_S.shopper_id, _S.step)
    .where(_S.step < sa.bindparam("before"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_FORGET = sa.delete(CARD_STEPS).where(sa.tuple_(_S.shopper_id, _S.step).in_(_OLD))


class SqlCards:
    """Cards of shoppers, one each, and the steps of their codes that were taken at tills."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert_card = insert_once(CARDS, connection.dialect.name)
        self._insert_step = insert_once(CARD_STEPS, connection.dialect.name)

    def add(self, shopper: ShopperId, number: CardNumber) -> bool:
        """Give the shopper a card; False where there is one, or another has the number."""
        row = {"shopper_id": shopper, "number": number}
        return self._connection.execute(self._insert_card, row).rowcount == 1

    def number_of(self, shopper: ShopperId) -> CardNumber | None:
        """Return the number of the shopper's card, or None."""
        found = self._connection.execute(_NUMBER_OF, {"shopper": shopper}).scalar_one_or_none()
        return None if found is None else CardNumber(found)

    def holder_of(self, number: CardNumber) -> ShopperId | None:
        """Return whose card has the number, or None."""
        found = self._connection.execute(_HOLDER_OF, {"named": number}).scalar_one_or_none()
        return None if found is None else ShopperId(found)

    def is_taken(self, shopper: ShopperId, step: int) -> bool:
        """Say whether the code of this step has been taken."""
        given = {"shopper": shopper, "half_minute": step}
        return self._connection.execute(_IS_TAKEN, given).one_or_none() is not None

    def take(self, shopper: ShopperId, step: int) -> bool:
        """Note that the code of this step has been taken; False where it was before."""
        row = {"shopper_id": shopper, "step": step}
        return self._connection.execute(self._insert_step, row).rowcount == 1

    def forget_before(self, step: int, *, limit: int) -> int:
        """Delete steps that no code can be of any more; return how many."""
        return self._connection.execute(_FORGET, {"before": step, "most": limit}).rowcount
