"""One step of learning the errors of ranges, as one dense Gaussian.

Layer: tests. Takes: residuals of ranges at a place. Gives: what the kernel must agree with.
"""

import numpy as np


def learnt_at(
    slopes: np.ndarray, lengths: np.ndarray, residuals: np.ndarray, sds: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of (place, c, s, own of each link) after one place.

    Parameters
    ----------
    slopes
        (n, 2), unit vectors from anchor to tag.
    lengths
        (n,), m.
    residuals
        (n,), range less distance, m.
    sds
        Prior sds `place`, `common`, `slope`, `own`, and `noise` of a residual.
    """
    n = lengths.size
    prior = np.diag(
        [sds["place"] ** 2] * 2 + [sds["common"] ** 2, sds["slope"] ** 2] + [sds["own"] ** 2] * n
    )
    rows = np.hstack([slopes, np.ones((n, 1)), lengths[:, None], np.eye(n)])
    spread = rows @ prior @ rows.T + sds["noise"] ** 2 * np.eye(n)
    gain = prior @ rows.T @ np.linalg.inv(spread)
    return gain @ residuals, prior - gain @ rows @ prior
