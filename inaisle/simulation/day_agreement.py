"""Say how true the history of a simulated day is: whose dwell is told of which shelf.

Layer: doors. Takes: the visits of the history, and the true stays. Gives: `DayAgreement` to
inaisle.simulation.simulate_day and to tests. The history names nobody, and its salt is gone: who a
visitor was is found by the times alone, as the shopper who was in the same zones when he was.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from firmware_sim.day_truth import TrueStay
from rtls.model.footfall import VisitColumns
from rtls.model.units import ZoneId

STOP_S_MIN: Final = 5.0
"""as `dwell_s_min` of the site map: a shorter stay is a pass-by"""
NOBODY: Final[Mapping[str, frozenset[int]]] = MappingProxyType({})
Span = tuple[int, int]
"""from, until, in milliseconds"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAgreement:
    """What the history tells of the shelves, against what was.

    Parameters
    ----------
    visitors, visitors_true
        Who is told, and who was there and had agreed to be counted.
    dwell_s, dwell_s_true
        Seconds of stops at shelves.
    right_share
        Of the told dwell: what lies within a true stay of the same shopper at the same shelf.
    found_share
        Of the true dwell: what is told of the right shelf.
    found_share_of
        The same of those who carry one kind of tag, by its name.
    stops, stops_true
        How many stops.
    median_s, median_s_true
        Of their dwell.
    """

    visitors: int
    visitors_true: int
    dwell_s: float
    dwell_s_true: float
    right_share: float
    found_share: float
    found_share_of: Mapping[str, float]
    stops: int
    stops_true: int
    median_s: float
    median_s_true: float


def day_agreement(
    visits: VisitColumns,
    stays: Sequence[TrueStay],
    *,
    shelves: frozenset[ZoneId],
    carriers: Mapping[str, frozenset[int]] = NOBODY,
) -> DayAgreement:
    """Compare the visits of a day with the true stays of those shoppers who are counted.

    Parameters
    ----------
    carriers
        Who carries which kind of tag, by the name of the kind.
    """
    spans = _spans_by_place(stays)
    holders = _holders(visits, spans)
    right_s: defaultdict[int, float] = defaultdict(float)
    dwells = []
    for row in range(len(visits.visitor)):
        zone = ZoneId(visits.zone_names[int(visits.zone[row])])
        if zone not in shelves or visits.is_pass[row]:
            continue
        dwell_s = float(visits.dwell_s[row])
        holder = holders.get(int(visits.visitor[row]), -1)
        overlap_ms = _overlap_ms(_span(visits, row), spans.get((zone, holder), ()))
        right_s[holder] += min(dwell_s, overlap_ms / 1000.0)
        dwells.append(dwell_s)
    true = [stay for stay in stays if stay.zone in shelves and stay.dwell_s >= STOP_S_MIN]
    true_s: defaultdict[int, float] = defaultdict(float)
    for stay in true:
        true_s[stay.shopper] += stay.dwell_s
    return DayAgreement(
        visitors=len(np.unique(visits.visitor)),
        visitors_true=len({stay.shopper for stay in stays}),
        dwell_s=round(sum(dwells), 1),
        dwell_s_true=round(sum(true_s.values()), 1),
        right_share=_share(sum(right_s.values()), sum(dwells)),
        found_share=_share(sum(right_s.values()), sum(true_s.values())),
        found_share_of={
            kind: _share(sum(right_s[who] for who in group), sum(true_s[who] for who in group))
            for kind, group in carriers.items()
        },
        stops=len(dwells),
        stops_true=len(true),
        median_s=_median(dwells),
        median_s_true=_median([stay.dwell_s for stay in true]),
    )


def _spans_by_place(stays: Sequence[TrueStay]) -> Mapping[tuple[ZoneId, int], Sequence[Span]]:
    spans: defaultdict[tuple[ZoneId, int], list[Span]] = defaultdict(list)
    for stay in stays:
        spans[stay.zone, stay.shopper].append((stay.entered_at_ms, stay.left_at_ms))
    return spans


def _holders(
    visits: VisitColumns, spans: Mapping[tuple[ZoneId, int], Sequence[Span]]
) -> Mapping[int, int]:
    """Return the shopper of each visitor: who shared most time with him in the same zones."""
    in_zone: defaultdict[ZoneId, list[int]] = defaultdict(list)
    for zone, shopper in spans:
        in_zone[zone].append(shopper)
    shared: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in range(len(visits.visitor)):
        zone = ZoneId(visits.zone_names[int(visits.zone[row])])
        for shopper in in_zone.get(zone, ()):
            both_ms = _overlap_ms(_span(visits, row), spans[zone, shopper])
            if both_ms:
                shared[int(visits.visitor[row])][shopper] += both_ms
    return {visitor: max(found, key=lambda one: found[one]) for visitor, found in shared.items()}


def _span(visits: VisitColumns, row: int) -> Span:
    return int(visits.entered_at_ms[row]), int(visits.left_at_ms[row])


def _overlap_ms(one: Span, others: Sequence[Span]) -> int:
    return sum(max(0, min(one[1], end) - max(one[0], begin)) for begin, end in others)


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _median(dwells_s: Sequence[float]) -> float:
    return round(float(np.median(dwells_s)), 1) if dwells_s else 0.0
