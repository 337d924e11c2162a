"""Set the map filter: how tags move and how far RSSI may be trusted.

Layer: rules. Takes: nothing. Gives: `GridSettings` to rtls.positioning.grid_tracking.
"""

import math
from dataclasses import dataclass, fields

from rtls.model.errors import InvalidCalibration


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSettings:
    """Movement and noise on the walkable grid; one set of numbers for every site.

    Parameters
    ----------
    update_ms
        Readings wait for so long at most, so that one update takes a whole burst.
    settle_ms
        For so long after its first reading a tag is sought on the whole site.
    recheck_ms, recheck_cost
        How often a tag that fits badly is sought on the whole site again, and by how much log
        likelihood another place must be better.
    lost_after_ms
        A tag silent for longer starts anew.
    credit_s
        Readings of a walking tag are as good as independent after so long: an update after dt
        counts with the power 1 - exp(-dt / credit_s) of its likelihood.
    forget_s
        Memory of the mass: evidence of a standing tag is repeated, not new, so that what is older
        fades; 0 keeps all.
    speed_sd_m_s, speed_memory_s
        Velocity per axis is an Ornstein-Uhlenbeck process with this spread and memory.
    standing_speed_sd_m_s, standing_prior
        What still counts as standing, and how usual it is.
    diffusion_m2_s
        What steps add beyond the velocity: turns around shelves.
    floor_change_s
        Mean time between changes of the floor.
    student_dof
        Degrees of freedom of RSSI in dB.
    noise_db
        The part of the spread of single adverts that a mean over time takes away.
    offset_drift_db2_s, offset_sd_db_min
        How fast the offset of a tag may wander, and the least that is unknown of it.
    known_kind_share, known_kind_sd_db
        How usual it is that a tag is of a kind that the survey was made with, and how such tags
        differ among themselves.
    offset_sd_db
        Spread of the offsets of all other tags.
    gains
        Where no survey was made: exponents of the path loss, over the map's, that are usual.
    law_sd_db
        Where no survey was made: how far a reading strays from the path-loss law.
    law_bias_m
        Where no survey was made: what places err by and keep erring by, one sigma an axis.
    link_mean_s
        Memory of the running mean of each link, for seeking a tag on the whole site.
    kind_memory_s
        Memory of the evidence for the kind of a tag.
    bias_m, standing_bias_m
        Frozen error of a fix, one sigma an axis, always and of a tag that stands.
    pruned_mass
        Share of the mass that may be left out of a belief.
    """

    update_ms: float = 250.0
    settle_ms: float = 2_000.0
    recheck_ms: float = 5_000.0
    recheck_cost: float = 9.0
    lost_after_ms: float = 15_000.0
    credit_s: float = 1.5
    forget_s: float = 20.0
    speed_sd_m_s: float = 0.5
    speed_memory_s: float = 4.0
    standing_speed_sd_m_s: float = 0.1
    standing_prior: float = 0.6
    diffusion_m2_s: float = 0.05
    floor_change_s: float = 300.0
    student_dof: float = 4.0
    noise_db: float = 3.5
    offset_drift_db2_s: float = 0.1
    offset_sd_db_min: float = 1.0
    known_kind_share: float = 0.8
    known_kind_sd_db: float = 1.5
    offset_sd_db: float = 10.0
    gains: tuple[float, ...] = (0.7, 1.0)
    law_sd_db: float = 6.5
    law_bias_m: float = 1.0
    link_mean_s: float = 2.0
    kind_memory_s: float = 60.0
    bias_m: float = 0.5
    standing_bias_m: float = 0.7
    pruned_mass: float = 0.03

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            numbers = value if isinstance(value, tuple) else (value,)
            may_be_0 = item.name in {"forget_s", "floor_change_s", "diffusion_m2_s"}
            if not numbers or not all(
                math.isfinite(number) and (number > 0.0 or (may_be_0 and number == 0.0))
                for number in numbers
            ):
                raise InvalidCalibration(
                    f"{item.name} is {value}; expected a finite number above 0."
                )
        for name in ("standing_prior", "known_kind_share", "pruned_mass"):
            if not getattr(self, name) < 1.0:
                raise InvalidCalibration(
                    f"{name} is {getattr(self, name)}; expected between 0 and 1."
                )
