"""Rank contents by how many of those who were shown them wanted to know more.

Layer: rules. Takes: `ContentCounts`. Gives: `ContentInterest`s, the most interesting first, to the
handler rank_contents. Ranked by the lower end of the interval: what one of one shopper opened is
not the most interesting, only the least known. A share goes out where ten or more opened it and ten
or more did not, so that it tells of nobody.
"""

from collections.abc import Iterable

from offers.insight.proportion import proportion_interval
from offers.model.campaigns.audience import SHOPPERS_MIN, AudienceSize
from offers.model.insight.content import ContentCounts, ContentInterest
from offers.model.insight.kpi import Withheld

DIGITS = 2


def rank_interest(counts: Iterable[ContentCounts]) -> tuple[ContentInterest, ...]:
    """Return what may be told of each content, the most interesting first, those withheld last."""
    return tuple(sorted(map(_told, counts), key=_place))


def _told(counts: ContentCounts) -> ContentInterest:
    shown = AudienceSize.of(counts.shown)
    if not counts.shown:
        return _withheld(counts, Withheld.NOTHING_HAPPENED)
    if min(counts.opened, counts.shown - counts.opened) < SHOPPERS_MIN:
        return _withheld(counts, Withheld.FEW_SHOPPERS)
    return ContentInterest(
        campaign=counts.campaign,
        shown=shown,
        share=round(counts.opened / counts.shown, DIGITS),
        interval=proportion_interval(counts.opened, counts.shown),
        withheld=None,
    )


def _withheld(counts: ContentCounts, reason: Withheld) -> ContentInterest:
    return ContentInterest(
        campaign=counts.campaign,
        shown=AudienceSize.of(counts.shown),
        share=None,
        interval=None,
        withheld=reason,
    )


def _place(one: ContentInterest) -> tuple[float, str]:
    return (1.0 if one.interval is None else -one.interval.low, one.campaign)
