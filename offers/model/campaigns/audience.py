"""Tell how many shoppers an audience has, without telling of any one of them.

Layer: nouns. Takes: a count. Gives: `AudienceSize` to merchandisers. Below ten it says no more than
that, and above it is rounded, so that two audiences that differ in one shopper look alike (nearly
always: a count at the edge of a step is the most that a difference can betray).
"""

from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidShopper

SHOPPERS_MIN: Final = 10
STEP: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceSize:
    """How many shoppers, as far as it may be told."""

    shoppers: int | None
    """to the nearest five; None below ten"""

    def __post_init__(self) -> None:
        if self.shoppers is not None and (
            self.shoppers < SHOPPERS_MIN or self.shoppers % STEP != 0
        ):
            raise InvalidShopper(
                f"shoppers is {self.shoppers}; expected a multiple of {STEP} from {SHOPPERS_MIN} "
                "on, or None. Use AudienceSize.of."
            )

    @classmethod
    def of(cls, count: int) -> "AudienceSize":
        """Return what may be told of a count.

        Examples
        --------
        >>> [AudienceSize.of(count).shown for count in (0, 9, 10, 12, 13, 1_002)]
        ['<10', '<10', '10', '10', '15', '1000']
        """
        if count < SHOPPERS_MIN:
            return cls(shoppers=None)
        return cls(shoppers=STEP * ((count + STEP // 2) // STEP))

    @property
    def shown(self) -> str:
        """Return it as a merchandiser reads it."""
        return f"<{SHOPPERS_MIN}" if self.shoppers is None else str(self.shoppers)
