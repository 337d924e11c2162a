"""Keep the browsers that pushes go to in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.PushSubscriptions`.
"""

import sqlalchemy as sa

from offers.model.errors import Busy
from offers.model.ids import PushSubscriptionId, ShopperId
from offers.model.messages.push import PushSubscription, parse_base64url, render_base64url
from offers.storage.insert_once import insert_once
from offers.storage.tables import PUSH_SUBSCRIPTIONS
from rtls.model.units import UnixMs

_P = PUSH_SUBSCRIPTIONS.c
_OF_SHOPPER = (
    sa.select(PUSH_SUBSCRIPTIONS)
    .where(_P.shopper_id == sa.bindparam("shopper"))
    .order_by(_P.created_at_ms.desc(), _P.subscription_id)
)
_SAME_ENDPOINT = sa.delete(PUSH_SUBSCRIPTIONS).where(_P.endpoint == sa.bindparam("same"))
_REMOVE = sa.delete(PUSH_SUBSCRIPTIONS).where(_P.subscription_id == sa.bindparam("one"))


class SqlPushSubscriptions:
    """The browsers that pushes go to."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(PUSH_SUBSCRIPTIONS, connection.dialect.name)

    def keep(self, subscription: PushSubscription, *, slots: int) -> None:
        """Write it; the same endpoint before, anybody's, goes, and the oldest beyond ``slots``.

        Raises
        ------
        Busy
            If another writer keeps the same endpoint at this moment.
        """
        # A browser that changed hands must not go on showing its former owner's offers.
        self._connection.execute(_SAME_ENDPOINT, {"same": subscription.endpoint})
        row = {
            "subscription_id": subscription.subscription,
            "shopper_id": subscription.shopper,
            "endpoint": subscription.endpoint,
            "browser_key": render_base64url(subscription.browser_key),
            "browser_secret": render_base64url(subscription.browser_secret),
            "created_at_ms": subscription.created_at_ms,
        }
        for oldest in (*reversed(self.of_shopper(subscription.shopper)), None):
            if self._take_slot(row, slots=slots):
                return
            if oldest is not None:
                self.remove(oldest.subscription)
        raise Busy("the browser has just subscribed elsewhere. Try again.")

    def _take_slot(self, row: dict[str, object], *, slots: int) -> bool:
        return any(
            self._connection.execute(self._insert, row | {"slot": slot}).rowcount == 1
            for slot in range(slots)
        )

    def of_shopper(self, shopper: ShopperId) -> tuple[PushSubscription, ...]:
        """Return the shopper's browsers, newest first."""
        return tuple(
            PushSubscription(
                subscription=PushSubscriptionId(row.subscription_id),
                shopper=ShopperId(row.shopper_id),
                endpoint=row.endpoint,
                browser_key=parse_base64url("browser_key", row.browser_key),
                browser_secret=parse_base64url("browser_secret", row.browser_secret),
                created_at_ms=UnixMs(row.created_at_ms),
            )
            for row in self._connection.execute(_OF_SHOPPER, {"shopper": shopper})
        )

    def remove(self, subscription: PushSubscriptionId) -> bool:
        """Delete one; False where it is unknown."""
        return self._connection.execute(_REMOVE, {"one": subscription}).rowcount == 1
