"""Keep the history of consents in SQL. There is an insert here, and no update.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Consents`.
"""

import sqlalchemy as sa

from offers.model.consent import Consent, ConsentChannel, ConsentState, Purpose
from offers.model.ids import ConsentId, ShopperId
from offers.model.shopper import Locale
from offers.storage.tables import CONSENTS
from rtls.model.units import UnixMs

_HISTORY = (
    sa.select(CONSENTS)
    .where(CONSENTS.c.shopper_id == sa.bindparam("shopper"))
    .order_by(CONSENTS.c.sequence)
)
_NEWEST_OF_EACH = (
    sa.select(sa.func.max(CONSENTS.c.sequence))
    .where(CONSENTS.c.shopper_id == sa.bindparam("shopper"))
    .group_by(CONSENTS.c.purpose)
)
_STATE = (
    sa.select(CONSENTS)
    .where(CONSENTS.c.sequence.in_(_NEWEST_OF_EACH.scalar_subquery()))
    .order_by(CONSENTS.c.sequence)
)


class SqlConsents:
    """The history of what shoppers agreed to."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def append(self, consent: Consent) -> None:
        """Write one grant or withdrawal behind all earlier ones."""
        self._connection.execute(
            sa.insert(CONSENTS),
            {
                "consent_id": consent.consent,
                "shopper_id": consent.shopper,
                "purpose": consent.purpose.value,
                "is_granted": consent.is_granted,
                "at_ms": consent.at_ms,
                "text_version": consent.text_version,
                "locale": consent.locale.value,
                "channel": consent.channel.value,
            },
        )

    def state_of(self, shopper: ShopperId) -> ConsentState:
        """Return what counts now."""
        return ConsentState(newest=self._read(_STATE, shopper))

    def history_of(self, shopper: ShopperId) -> tuple[Consent, ...]:
        """Return every record, oldest first."""
        return self._read(_HISTORY, shopper)

    def _read(
        self, query: sa.Select[*tuple[object, ...]], shopper: ShopperId
    ) -> tuple[Consent, ...]:
        rows = self._connection.execute(query, {"shopper": shopper})
        return tuple(
            Consent(
                consent=ConsentId(row.consent_id),
                shopper=ShopperId(row.shopper_id),
                purpose=Purpose(row.purpose),
                is_granted=row.is_granted,
                at_ms=UnixMs(row.at_ms),
                text_version=row.text_version,
                locale=Locale(row.locale),
                channel=ConsentChannel(row.channel),
            )
            for row in rows
        )
