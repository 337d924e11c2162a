"""Say how far a share that was counted may be from the true one.

Layer: rules. Takes: two counts. Gives: an interval to key figures and to the ranking of contents.
Wilson's (JASA 22, 1927): it stays between 0 and 1, and tells of 1 in 1 no more than that is worth.
"""

import math
from typing import Final

from scipy import special

from offers.model.experiments.estimate import LEVEL_USUAL, Interval

_QUANTILE: Final = float(special.ndtri(0.5 + LEVEL_USUAL / 2.0))


def proportion_interval(part: int, whole: int) -> Interval:
    """Return the interval of ``part`` in ``whole``, which is above zero.

    Examples
    --------
    >>> one = proportion_interval(1, 1)
    >>> round(one.low, 3), one.high
    (0.207, 1.0)
    """
    share, z = part / whole, _QUANTILE
    scale = 1.0 + z * z / whole
    middle = (share + z * z / (2 * whole)) / scale
    reach = z / scale * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return Interval(low=max(middle - reach, 0.0), high=min(middle + reach, 1.0), level=LEVEL_USUAL)
