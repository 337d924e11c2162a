"""Keep how shoppers wish to be addressed, and when they were, in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Contacts`.
"""

import sqlalchemy as sa

from offers.model.ids import OfferId, ShopperId
from offers.model.messages.contact import (
    ContactWishes,
    Delivery,
    DeliveryChannel,
    DeliveryOutcome,
    Frequency,
)
from offers.storage.insert_once import insert_once
from offers.storage.tables import CONTACT_PACES, CONTACT_WISHES, DELIVERIES
from rtls.model.units import UnixMs

_ADD_DELIVERIES = sa.insert(DELIVERIES)
_W = CONTACT_WISHES.c
_P = CONTACT_PACES.c
_D = DELIVERIES.c
_MOST = sa.bindparam("most", type_=sa.Integer)
_WISHES = sa.select(CONTACT_WISHES).where(_W.shopper_id == sa.bindparam("shopper"))
_SET = (
    sa.update(CONTACT_WISHES)
    .where(_W.shopper_id == sa.bindparam("shopper"))
    .values(
        wants_push=sa.bindparam("push"),
        wants_mail=sa.bindparam("mail"),
        frequency=sa.bindparam("how_often"),
        mail_address=sa.bindparam("address"),
        mail_confirmed_at_ms=sa.bindparam("confirmed"),
        paused_until_ms=sa.bindparam("paused"),
    )
)
_LAST = sa.select(_P.at_ms).where(
    _P.shopper_id == sa.bindparam("shopper"), _P.channel == sa.bindparam("way")
)
_RETAKE = (
    sa.update(CONTACT_PACES)
    .where(
        _P.shopper_id == sa.bindparam("shopper"),
        _P.channel == sa.bindparam("way"),
        _P.at_ms <= sa.bindparam("rested_since_ms"),
    )
    .values(at_ms=sa.bindparam("now_ms"))
)
_OF_SHOPPER = (
    sa.select(DELIVERIES)
    .where(_D.shopper_id == sa.bindparam("shopper"))
    .order_by(_D.sequence.desc())
    .limit(_MOST)
)
_OLD = sa.select(_D.sequence).where(_D.at_ms < sa.bindparam("before_ms")).limit(_MOST)
_FORGET = sa.delete(DELIVERIES).where(_D.sequence.in_(_OLD.scalar_subquery()))


class SqlContacts:
    """How shoppers wish to be addressed, when they were, and the record of it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert_wishes = insert_once(CONTACT_WISHES, connection.dialect.name)
        self._insert_pace = insert_once(CONTACT_PACES, connection.dialect.name)

    def wishes_of(self, shopper: ShopperId) -> ContactWishes:
        """Return the wishes; those of a shopper who never said anything, where there are none."""
        row = self._connection.execute(_WISHES, {"shopper": shopper}).one_or_none()
        if row is None:
            return ContactWishes()
        return ContactWishes(
            wants_push=row.wants_push,
            wants_mail=row.wants_mail,
            frequency=Frequency(row.frequency),
            mail_address=row.mail_address,
            mail_confirmed_at_ms=row.mail_confirmed_at_ms,
            paused_until_ms=row.paused_until_ms,
        )

    def set_wishes(self, shopper: ShopperId, wishes: ContactWishes) -> None:
        """Write the wishes over the former ones."""
        row = {
            "shopper_id": shopper,
            "wants_push": wishes.wants_push,
            "wants_mail": wishes.wants_mail,
            "frequency": wishes.frequency.value,
            "mail_address": wishes.mail_address,
            "mail_confirmed_at_ms": wishes.mail_confirmed_at_ms,
            "paused_until_ms": wishes.paused_until_ms,
        }
        if self._connection.execute(self._insert_wishes, row).rowcount == 1:
            return
        given = {
            "shopper": shopper,
            "push": wishes.wants_push,
            "mail": wishes.wants_mail,
            "how_often": wishes.frequency.value,
            "address": wishes.mail_address,
            "confirmed": wishes.mail_confirmed_at_ms,
            "paused": wishes.paused_until_ms,
        }
        self._connection.execute(_SET, given)

    def last_addressed(self, shopper: ShopperId, channel: DeliveryChannel) -> UnixMs | None:
        """Return when the shopper was last addressed by a channel."""
        given = {"shopper": shopper, "way": channel.value}
        found = self._connection.execute(_LAST, given).scalar_one_or_none()
        return None if found is None else UnixMs(found)

    def take_pace(
        self, shopper: ShopperId, channel: DeliveryChannel, *, at_ms: UnixMs, rest_ms: int
    ) -> bool:
        """Note an address by the channel, if the last is ``rest_ms`` past; else False."""
        row = {"shopper_id": shopper, "channel": channel.value, "at_ms": at_ms}
        if self._connection.execute(self._insert_pace, row).rowcount == 1:
            return True
        given = {
            "shopper": shopper,
            "way": channel.value,
            "rested_since_ms": at_ms - rest_ms,
            "now_ms": at_ms,
        }
        return self._connection.execute(_RETAKE, given).rowcount == 1

    def note_delivery(self, delivery: Delivery) -> None:
        """Write one record of an attempt."""
        row = {
            "shopper_id": delivery.shopper,
            "offer_id": delivery.offer,
            "channel": delivery.channel.value,
            "outcome": delivery.outcome.value,
            "at_ms": delivery.at_ms,
        }
        self._connection.execute(_ADD_DELIVERIES, row)

    def deliveries_of(self, shopper: ShopperId, *, limit: int) -> tuple[Delivery, ...]:
        """Return the newest records about the shopper, newest first."""
        rows = self._connection.execute(_OF_SHOPPER, {"shopper": shopper, "most": limit})
        return tuple(
            Delivery(
                shopper=ShopperId(row.shopper_id),
                offer=None if row.offer_id is None else OfferId(row.offer_id),
                channel=DeliveryChannel(row.channel),
                outcome=DeliveryOutcome(row.outcome),
                at_ms=UnixMs(row.at_ms),
            )
            for row in rows
        )

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete records of deliveries older than ``before_ms``; return how many."""
        given = {"before_ms": before_ms, "most": limit}
        return self._connection.execute(_FORGET, given).rowcount
