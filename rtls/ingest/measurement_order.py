"""Leave out measurements that a sender says again, by the number it gives to each.

Layer: rules. Takes: columns whose format numbers measurements (superframes of DWM1001, blinks of
Pozyx). Gives: the columns without old measurements, to rtls.ingest.reception. Such formats bear no
time or a coarse one, so that an old position that comes late would pass for a new one.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from rtls.ingest.formats.decoded import ReadingColumns
from rtls.model.units import GatewayId, UnixMs

LINKS_MAX: Final = 65_536
BACK_MAX: Final = 50
"""a number that is smaller by no more than this is old; by more, the count has begun again"""
REMEMBERED_MS: Final = 30_000
"""after a longer silence any number is new: the tag may have been switched off"""


class LastOrder(msgspec.Struct, array_like=True, frozen=True):
    """The youngest measurement of one link."""

    order: int
    received_at_ms: int


class MeasurementOrder:
    """The youngest number of each anchor and tag.

    Examples
    --------
    >>> from rtls.model.reading import ReadingKind
    >>> def said(order):
    ...     return ReadingColumns(kind=ReadingKind.RSSI, tags=["t"], anchors=[""], values=[-60.0],
    ...                           ages_ms=[0], orders=[order])
    >>> orders = MeasurementOrder()
    >>> [len(orders.fresh(said(n), GatewayId("g"), UnixMs(0)).tags) for n in (7, 7, 8, 6, 255, 0)]
    [1, 0, 1, 0, 1, 1]
    >>> orders.said_again
    2
    """

    def __init__(self) -> None:
        self._last: OrderedDict[str, LastOrder] = OrderedDict()
        self.said_again = 0

    def fresh(
        self, columns: ReadingColumns, gateway: GatewayId, received_at_ms: UnixMs
    ) -> ReadingColumns:
        """Return the columns without the measurements that were said before."""
        if columns.orders is None:
            return columns
        kept = []
        for row, order in enumerate(columns.orders):
            link = f"{gateway} {columns.anchors[row]} {columns.tags[row]} {columns.kind.value}"
            if self._is_new(link, order, received_at_ms):
                kept.append(row)
        self.said_again += len(columns.orders) - len(kept)
        return columns if len(kept) == len(columns.orders) else _rows(columns, kept)

    def _is_new(self, link: str, order: int, received_at_ms: int) -> bool:
        last = self._last.get(link)
        if (
            last is not None
            and received_at_ms - last.received_at_ms <= REMEMBERED_MS
            and 0 <= last.order - order <= BACK_MAX
        ):
            return False
        self._last[link] = LastOrder(order, received_at_ms)
        self._last.move_to_end(link)
        if len(self._last) > LINKS_MAX:
            self._last.popitem(last=False)
        return True

    def state(self) -> dict[str, LastOrder]:
        """Return what a snapshot holds: what the broker sends again after a restart is old."""
        return dict(self._last)

    def restore(self, state: dict[str, LastOrder]) -> None:
        """Go on from a snapshot."""
        self._last = OrderedDict(state)


def _rows(columns: ReadingColumns, kept: list[int]) -> ReadingColumns:
    chosen = {
        name: [column[row] for row in kept]
        for name, column in msgspec.structs.asdict(columns).items()
        if name != "kind" and column is not None
    }
    return msgspec.structs.replace(columns, **chosen)
