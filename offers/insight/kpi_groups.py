"""Tell the key figures of members by segment, so that no small group can be had by subtraction.

Layer: rules. Takes: the columns of a window. Gives: a `KpiGroup` for each segment, and for who is
in none, to the handler report_kpis.

Segments add up to all members, who are told as well. Where the groups that are too small to be told
hold fewer than ten together, the next small one is withheld, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.insight.complement import complement
from offers.insight.offer_figures import redemption_rate
from offers.insight.site_figures import mean_basket, member_figures
from offers.model.insight.kpi import Kpi, KpiName, Withheld, missing
from offers.model.insight.kpi_columns import NO_SEGMENT, SEGMENTS, OfferColumns, PurchaseColumns
from offers.model.loyalty.segment import Segment

CODES: Final = (*range(len(SEGMENTS)), NO_SEGMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiGroup:
    """The figures of one segment; None stands for members who are in none."""

    segment: Segment | None
    kpis: tuple[Kpi, ...]


def kpi_groups(
    now: PurchaseColumns, before: PurchaseColumns, offers: OfferColumns
) -> tuple[KpiGroup, ...]:
    """Return the figures of each segment.

    Parameters
    ----------
    now, before
        Receipts of the window, and of the one before it.
    offers
        Offers of the window.
    """
    members, earlier = now.of_members(), before.of_members()
    figures = {
        code: [
            *member_figures(
                members.rows(members.segment == code), earlier.rows(earlier.segment == code)
            ),
            mean_basket(members.rows(members.segment == code)),
            redemption_rate(offers.rows(offers.segment == code)),
        ]
        for code in CODES
    }
    coupons = offers.rows(offers.has_coupon)
    sizes: Mapping[KpiName, Callable[[int], int]] = {
        KpiName.RETENTION: lambda code: _shoppers(earlier.shopper[earlier.segment == code]),
        KpiName.REDEMPTION_RATE: lambda code: _shoppers(coupons.shopper[coupons.segment == code]),
    }

    def buyers(code: int) -> int:
        return _shoppers(members.shopper[members.segment == code])

    hidden = {
        kpi.name: complement({code: sizes.get(kpi.name, buyers)(code) for code in CODES})
        for kpi in figures[NO_SEGMENT]
    }
    return tuple(
        KpiGroup(
            segment=None if code == NO_SEGMENT else SEGMENTS[code],
            kpis=tuple(
                missing(kpi.name, Withheld.COMPLEMENT) if code == hidden[kpi.name] else kpi
                for kpi in figures[code]
            ),
        )
        for code in CODES
    )


def _shoppers(codes: npt.NDArray[np.int32]) -> int:
    return len(np.unique(codes))
