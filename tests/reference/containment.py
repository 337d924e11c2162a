"""The mass of a Gaussian in a polygon, by cutting the plane into thin horizontal strips.

On a strip at height y, x given y is Gaussian with mean mx + sxy / syy (y - my) and variance
sxx - sxy² / syy, so the mass between two crossings of the outline is a difference of two Φ.
"""

import math

Ring = tuple[tuple[float, float], ...]
STRIPS = 4000
REACH = 7.0


def mass_in_polygon(
    ring: Ring, mean: tuple[float, float], cov: tuple[float, float, float]
) -> float:
    """Return the mass in ``ring``; ``cov`` is xx, xy, yy and must be positive definite."""
    sxx, sxy, syy = cov
    sigma_y = math.sqrt(syy)
    sigma_x = math.sqrt(sxx - sxy * sxy / syy)
    low = max(mean[1] - REACH * sigma_y, min(y for _, y in ring))
    high = min(mean[1] + REACH * sigma_y, max(y for _, y in ring))
    if high <= low:
        return 0.0
    step = (high - low) / STRIPS
    total = 0.0
    for strip in range(STRIPS):
        y = low + (strip + 0.5) * step
        density = math.exp(-0.5 * ((y - mean[1]) / sigma_y) ** 2) / (
            sigma_y * math.sqrt(2.0 * math.pi)
        )
        middle = mean[0] + sxy / syy * (y - mean[1])
        crossings = sorted(crossings_at(ring, y))
        for left, right in zip(crossings[::2], crossings[1::2], strict=True):
            share = below((right - middle) / sigma_x) - below((left - middle) / sigma_x)
            total += density * share * step
    return total


def crossings_at(ring: Ring, y: float) -> list[float]:
    """Return the x at which the outline crosses the height y."""
    found = []
    for (x0, y0), (x1, y1) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y0 > y) != (y1 > y):
            found.append(x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return found


def below(z: float) -> float:
    """Return Φ(z)."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
