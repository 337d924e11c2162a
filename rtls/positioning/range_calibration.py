"""Learn how ranges err: by anchor from anchors that range each other, by link from known places.

Layer: rules. Takes: `PlacedReadings` and `AnchorLinks`. Gives: the range part of a `Calibration`.

A range of two devices is the distance plus the delay of either one's antenna and electronics. So
anchors that range each other give every anchor's delay; only that tags are like anchors on the
average is not measured but believed (the prior that fixes the gauge), until a tag is surveyed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.model.units import AnchorId, Metre, TagId
from rtls.positioning.calibration import LinkRange
from rtls.positioning.placed_readings import NO_LINKS, AnchorLinks, PlacedReadings, Rows, groups_of

Floats = npt.NDArray[np.float64]

# Measured on line-of-sight links of one system: bias 0.18 ± 0.06 m, slopes up to 4 %.
USUAL_DELAY_M: Final = 0.09
DELAY_SD_M: Final = 0.1
USUAL_BIAS_M: Final = 2.0 * USUAL_DELAY_M
BIAS_SD_M: Final = 0.2
LINK_SD_M: Final = 0.06
SLOPE_SD: Final = 0.03
SIGMA_M_MIN: Final = 0.05
HUBER_LONG: Final = 1.0
HUBER_SHORT: Final = 2.5
ROUNDS: Final = 15
LINKS_OF_USUAL: Final = 2.0  # as many links as the usual spread counts for
SLOPE_M_MIN: Final = 1.0  # nearer together, places cannot tell a slope from a bias


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeFit:
    """What was learnt of ranges.

    Parameters
    ----------
    ranges
        Error of an anchor to any tag.
    links
        Error of the tags that were surveyed.
    delay_m
        Share of each anchor, where anchors ranged each other.
    """

    ranges: Mapping[AnchorId, LinkRange]
    links: Mapping[tuple[TagId, AnchorId], LinkRange]
    delay_m: Mapping[AnchorId, float]


def fit_ranges(
    site_map: SiteMap, placed: PlacedReadings, links: AnchorLinks = NO_LINKS
) -> RangeFit:
    """Fit the error of every link, drawn to what is known of its anchor."""
    delays, delay_sd = fit_delays(site_map, links)
    expected = {anchor: delay + float(np.mean(list(delays.values())))
                for anchor, delay in delays.items()}  # fmt: skip
    learnt: dict[tuple[TagId, AnchorId], LinkRange] = {}
    rows = placed.of_kind(ReadingKind.RANGE).rows
    for group in groups_of(rows[np.lexsort((rows["anchor"], rows["tag"]))], ("tag", "anchor")):
        anchor = site_map.anchors[group["anchor"][0]].anchor
        bias, sd = USUAL_BIAS_M, BIAS_SD_M
        if anchor in expected:
            bias, sd = expected[anchor], float(np.hypot(LINK_SD_M, delay_sd[anchor]))
        # Errors are frozen while a tag stands: a stop is one piece of news, however long it was.
        stops = list(groups_of(group[np.argsort(group["stop"], kind="stable")], ("stop",)))
        learnt[placed.tags[group["tag"][0]], anchor] = fit_link(
            np.array([np.median(distances_of(site_map, rows)) for rows in stops]),
            np.array([np.median(excess_of(site_map, rows)) for rows in stops]),
            expected_m=bias,
            sd_m=sd,
        )
    ranges = {
        anchor: LinkRange(
            bias_m=Metre(bias), bias_sd_m=Metre(float(np.hypot(LINK_SD_M, delay_sd[anchor])))
        )
        for anchor, bias in expected.items()
    }
    return RangeFit(ranges=ranges | by_anchor(learnt), links=learnt, delay_m=delays)


def fit_delays(
    site_map: SiteMap, links: AnchorLinks
) -> tuple[dict[AnchorId, float], dict[AnchorId, float]]:
    """Return the delay of each anchor that ranged another, m, and its standard deviation."""
    rows = links.of_kind(ReadingKind.RANGE).rows
    if not len(rows):
        return {}, {}
    pairs = list(excesses_of(site_map, rows))
    named = sorted({index for one, other, _ in pairs for index in (one, other)})
    column = {index: at for at, index in enumerate(named)}
    design = np.zeros((len(pairs), len(named)))
    for row, (one, other, _) in zip(design, pairs, strict=True):
        row[column[one]] += 1.0
        row[column[other]] += 1.0
    target = np.array([excess for *_, excess in pairs])
    delay, covariance = robust_fit(
        design,
        target,
        expected=np.full(len(named), USUAL_DELAY_M),
        spread=np.full(len(named), DELAY_SD_M),
    )
    names = [site_map.anchors[index].anchor for index in named]
    sd = np.sqrt(np.diag(covariance))
    return (
        dict(zip(names, delay.tolist(), strict=True)),
        dict(zip(names, sd.tolist(), strict=True)),
    )


def excesses_of(site_map: SiteMap, rows: Rows) -> Iterator[tuple[int, int, float]]:
    """Yield each pair of anchors once, with how much longer their ranges are than the map says."""
    place = np.array([(a.x_m, a.y_m, a.z_m) for a in site_map.anchors])
    low = np.minimum(rows["hearer"], rows["heard"])
    high = np.maximum(rows["hearer"], rows["heard"])
    for one, other in sorted(set(zip(low.tolist(), high.tolist(), strict=True))):
        of_pair = (low == one) & (high == other)
        apart = float(np.linalg.norm(place[one] - place[other]))
        yield one, other, float(np.median(rows["value"][of_pair])) - apart


def fit_link(distance_m: Floats, excess_m: Floats, *, expected_m: float, sd_m: float) -> LinkRange:
    """Fit bias and slope of one link to what its ranges are longer than the distances.

    A blocked path pulls less than a direct one.
    """
    design = np.stack([np.ones(distance_m.size), distance_m], axis=1)
    # Without a spread of distances the prior keeps the slope at zero by itself; with little, noise
    # would decide it.
    slope_sd = SLOPE_SD if np.ptp(distance_m) >= SLOPE_M_MIN else 1e-6
    law, _ = robust_fit(
        design,
        excess_m,
        expected=np.array([expected_m, 0.0]),
        spread=np.array([sd_m, slope_sd]),
    )
    return LinkRange(bias_m=Metre(float(law[0])), slope=float(law[1]))


def robust_fit(
    design: Floats, target: Floats, *, expected: Floats, spread: Floats
) -> tuple[Floats, Floats]:
    """Minimise a one-sided Huber's loss plus the distance from what is expected.

    Parameters
    ----------
    design, target
        (n, k), (n,) m.
    expected, spread
        (k,), mean and standard deviation before the data.

    Returns
    -------
    tuple[Floats, Floats]
        The solution (k,) and its covariance (k, k).
    """
    law, scale = expected.copy(), BIAS_SD_M
    prior = np.diag(1.0 / spread**2)
    normal = prior
    for _ in range(ROUNDS):
        residual = target - design @ law
        z = residual / scale
        weight = np.where(z > 0.0, HUBER_LONG, HUBER_SHORT) / np.maximum(np.abs(z), 1e-9)
        weighted = design * (np.minimum(weight, 1.0) / scale**2)[:, None]
        normal = weighted.T @ design + prior
        law = np.asarray(np.linalg.solve(normal, weighted.T @ target + prior @ expected))
        residual = target - design @ law
        scale = max(1.4826 * float(np.median(np.abs(residual))), SIGMA_M_MIN)
    return law, np.asarray(np.linalg.inv(normal), dtype=np.float64)


def by_anchor(
    links: Mapping[tuple[TagId, AnchorId], LinkRange],
) -> dict[AnchorId, LinkRange]:
    """Return the mean error of each anchor over its tags, and how far tags stray from it."""
    grouped: dict[AnchorId, list[LinkRange]] = {}
    for (_, anchor), link in links.items():
        grouped.setdefault(anchor, []).append(link)
    return {
        anchor: LinkRange(
            bias_m=Metre(float(np.mean([link.bias_m for link in own]))),
            slope=float(np.mean([link.slope for link in own])),
            bias_sd_m=Metre(spread_over(np.array([link.bias_m for link in own]))),
        )
        for anchor, own in grouped.items()
    }


def spread_over(bias_m: Floats) -> float:
    """Return the spread of an anchor's links, drawn to the usual where there are few."""
    squares = float(((bias_m - bias_m.mean()) ** 2).sum())
    total = squares + LINKS_OF_USUAL * LINK_SD_M**2
    return float(np.sqrt(total / (bias_m.size - 1 + LINKS_OF_USUAL)))


def distances_of(site_map: SiteMap, rows: Rows) -> Floats:
    """Return the distance of each placed reading, (n,) m."""
    anchors = np.array([(a.x_m, a.y_m, a.z_m) for a in site_map.anchors])
    place = np.stack([rows["x_m"], rows["y_m"], rows["z_m"]], axis=1)
    distance: Floats = np.linalg.norm(place - anchors[rows["anchor"]], axis=1)
    return distance


def excess_of(site_map: SiteMap, rows: Rows) -> Floats:
    """Return how much longer placed ranges are than their distances, (n,) m."""
    return np.asarray(rows["value"] - distances_of(site_map, rows))
