"""Count who was shown what, and who opened it, in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Contents`. As with key
figures, the time that counts is the end of the window, and who has withdrawn `analytics` since is
counted in none.
"""

import sqlalchemy as sa

from offers.model.ids import CampaignId
from offers.model.insight.content import ContentCounts
from offers.storage.sql_key_figures import COUNTED
from offers.storage.tables import OFFERS, REDEMPTIONS
from rtls.model.units import SiteId, UnixMs

_O, _R = OFFERS.c, REDEMPTIONS.c
_UNTIL = sa.bindparam("until_ms", type_=sa.BigInteger)
_IS_OPENED = sa.or_(
    _O.opened_at_ms < _UNTIL,
    sa.exists().where(_R.offer_id == _O.offer_id, _R.at_ms < _UNTIL).correlate(OFFERS),
)
_COUNTS = (
    sa.select(
        _O.campaign_id,
        sa.func.count(_O.shopper_id.distinct()).label("shown"),
        sa.func.count(sa.case((_IS_OPENED, _O.shopper_id)).distinct()).label("opened"),
    )
    .join_from(OFFERS, COUNTED, COUNTED.c.shopper_id == _O.shopper_id)
    .where(
        _O.site == sa.bindparam("site", type_=sa.Text),
        _O.delivered_at_ms >= sa.bindparam("from_ms", type_=sa.BigInteger),
        _O.delivered_at_ms < _UNTIL,
    )
    .group_by(_O.campaign_id)
    .order_by(_O.campaign_id)
)


class SqlContents:
    """What became of the contents of campaigns."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def counts(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs
    ) -> tuple[ContentCounts, ...]:
        """Return the counts of each campaign whose offers reached somebody between the instants."""
        given = {"site": site, "from_ms": from_ms, "until_ms": until_ms}
        return tuple(
            ContentCounts(campaign=CampaignId(row.campaign_id), shown=row.shown, opened=row.opened)
            for row in self._connection.execute(_COUNTS, given)
        )
