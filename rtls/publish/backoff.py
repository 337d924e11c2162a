"""How often, and how long apart, something is tried again.

Layer: edges. Takes: settings of the door. Gives: waits to the sinks and threads of this package.
"""

from dataclasses import dataclass
from typing import Final

from rtls.model.units import Second

WAIT_S_MAX: Final = 60.0
EXPONENT_MAX: Final = 16  # 2.0 ** 1024 does not exist


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double with each failure in a row, up to a bound."""

    attempts: int = 6
    first_wait_s: Second = Second(0.01)
    wait_s_max: Second = Second(0.2)

    def __post_init__(self) -> None:
        if self.attempts < 1 or not 0.0 <= self.first_wait_s <= self.wait_s_max <= WAIT_S_MAX:
            raise ValueError(
                f"attempts {self.attempts}, first_wait_s {self.first_wait_s}, wait_s_max "
                f"{self.wait_s_max}; expected 1 or more, and 0 <= first <= max <= {WAIT_S_MAX}."
            )

    def wait_s(self, failures: int) -> Second:
        """Return the wait after so many failures in a row.

        Examples
        --------
        >>> [Backoff().wait_s(failures) for failures in (1, 2, 3, 9)]
        [0.01, 0.02, 0.04, 0.2]
        """
        doubled = self.first_wait_s * 2.0 ** min(failures - 1, EXPONENT_MAX)
        return Second(min(doubled, self.wait_s_max))
