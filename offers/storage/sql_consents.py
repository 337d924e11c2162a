"""Keep the history of consents in SQL. There is an insert here, and no update.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Consents`.
"""

import sqlalchemy as sa

from offers.model.ids import ConsentId, ShopperId
from offers.model.people.consent import Consent, ConsentChannel, ConsentState, Purpose
from offers.model.people.consent_text import ConsentText
from offers.model.people.shopper import Locale
from offers.storage.insert_once import insert_once
from offers.storage.tables import CONSENT_TEXTS, CONSENTS
from rtls.model.units import UnixMs

_ADD_CONSENTS = sa.insert(CONSENTS)
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

_TEXTS = (
    sa.select(CONSENT_TEXTS)
    .where(CONSENT_TEXTS.c.version == sa.bindparam("wanted"))
    .order_by(CONSENT_TEXTS.c.locale)
)
_NEWEST_TEXT = sa.select(sa.func.max(CONSENT_TEXTS.c.version))
_ANY_TEXT = sa.select(CONSENT_TEXTS.c.version).limit(1)


class SqlConsents:
    """The history of what shoppers agreed to."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def append(self, consent: Consent) -> None:
        """Write one grant or withdrawal behind all earlier ones."""
        self._connection.execute(
            _ADD_CONSENTS,
            {
                "consent_id": consent.consent,
                "shopper_id": consent.shopper,
                "purpose": consent.purpose.value,
                "is_granted": consent.is_granted,
                "at_ms": consent.at_ms,
                "text_version": consent.text_version,
                "locale": consent.locale.value,
                "channel": consent.channel.value,
                "text_sha256": consent.text_sha256,
            },
        )

    def keep_text(self, text: ConsentText) -> bool:
        """Keep what is shown under a version; False where another text is kept under it."""
        row = {
            "version": text.version,
            "locale": text.locale.value,
            "sha256": text.sha256,
            "text": text.text,
        }
        self._connection.execute(insert_once(CONSENT_TEXTS, self._connection.dialect.name), row)
        return text in self.texts_of(text.version)

    def texts_of(self, version: str) -> tuple[ConsentText, ...]:
        """Return the texts of a version, one a language."""
        rows = self._connection.execute(_TEXTS, {"wanted": version})
        return tuple(
            ConsentText(version=row.version, locale=Locale(row.locale), text=row.text)
            for row in rows
        )

    def newest_text_version(self) -> str | None:
        """Return the last version by name."""
        found: str | None = self._connection.execute(_NEWEST_TEXT).scalar_one_or_none()
        return found

    def has_texts(self) -> bool:
        """Say whether any text is kept."""
        return self._connection.execute(_ANY_TEXT).first() is not None

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
                text_sha256=row.text_sha256,
            )
            for row in rows
        )
