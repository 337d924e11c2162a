"""What a map filter believes of one tag: how likely it is at each node of the walkable grid.

Layer: nouns. Takes: nothing. Gives: the dtypes of the engine's belief state to positioning, which
updates it in place, and to the engine, which stores it as bytes.

Only nodes that carry mass are kept, so a tag costs the same in a kiosk and in an airport.
"""

from typing import Final

import numpy as np

NODES_A_BELIEF: Final = 512
"""128 m² at half a metre: a circle of 6.4 m around the tag."""
LINKS_A_BELIEF: Final = 96
HYPOTHESES_MAX: Final = 6

BELIEF_DTYPE: Final = np.dtype(
    [
        ("at_ms", np.int64),  # instant of the belief; 0 where there is none
        ("first_heard_ms", np.int64),
        ("pending_ms", np.int64),  # youngest reading not yet taken in; 0 where there is none
        ("precise_ms", np.int64),  # end of the last epoch with a precise reading: not for the grid
        ("rechecked_ms", np.int64),  # when the place was last compared with all others
        ("x_m", np.float64),  # mean and moments of the mass
        ("y_m", np.float64),
        ("cov", np.float64, (3,)),  # xx, xy, yy, m²
        ("velocity", np.float64, (2,)),  # m/s, of a tag at the mean
        ("pull", np.float64),  # 1/s: how much faster a tag ahead of the mean walks
        ("velocity_var", np.float64),  # m²/s² an axis, of a tag whose place is known
        ("offset", np.float64, (HYPOTHESES_MAX,)),  # dB, under each hypothesis of the tag's kind
        ("offset_var", np.float64, (HYPOTHESES_MAX,)),
        ("misfit", np.float64),  # running mean square of residuals over what is expected
        ("link_heard_ms", np.int64, (LINKS_A_BELIEF,)),
        ("link_mean", np.float64, (LINKS_A_BELIEF,)),  # dBm, over the last seconds
        ("link_sum", np.float64, (LINKS_A_BELIEF,)),  # dBm, of readings not yet taken in
        ("link_count", np.int32, (LINKS_A_BELIEF,)),  # how many those are
        ("link_weight", np.float32, (LINKS_A_BELIEF,)),  # how many readings the mean stands for
        ("link_anchor", np.int32, (LINKS_A_BELIEF,)),  # index + 1; 0 where the link is free
        ("used", np.int32),  # nodes that carry mass
        ("floor", np.int32),
    ],
    align=True,
)
