"""Keep a birthday without the year, and know from a year that is told whether somebody is a child.

Layer: nouns. Takes: day and month, perhaps a year. Gives: `Birthday` to set_birthday. The year is
compared once and stored nowhere: a birthday offer needs none.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from offers.model.errors import InvalidShopper

# Whoever is younger cannot consent to this alone (GDPR Art. 8; 16 where no state says less).
OF_AGE_YEARS: Final = 16
YEARS_MAX: Final = 130
_LEAP_YEAR: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Birthday:
    """A day of the year, and perhaps the year."""

    month: int
    day: int
    year: int | None = None

    def __post_init__(self) -> None:
        try:
            date(_LEAP_YEAR if self.year is None else self.year, self.month, self.day)
        except ValueError:
            raise InvalidShopper(
                f"the birthday is {self.year}-{self.month}-{self.day}; expected a day of the "
                "calendar, the year may be left out."
            ) from None

    @property
    def text(self) -> str:
        """Return month and day as in "12-24": all that is stored."""
        return f"{self.month:02}-{self.day:02}"

    @property
    def of_age_on(self) -> date | None:
        """Return the day from which on the person may consent, None where no year is told."""
        if self.year is None:
            return None
        try:
            return date(self.year + OF_AGE_YEARS, self.month, self.day)
        except ValueError:  # born on 29 February
            return date(self.year + OF_AGE_YEARS, 3, 1)


def check_told_year(birthday: Birthday, *, today: date) -> None:
    """Refuse a year in which nobody alive was born.

    Raises
    ------
    InvalidShopper
        If the year is to come, or more than `YEARS_MAX` years ago.
    """
    year = birthday.year
    if year is not None and not today.year - YEARS_MAX <= year <= today.year:
        raise InvalidShopper(
            f"the year of birth is {year}; expected {today.year - YEARS_MAX} to {today.year}. It "
            "may be left out."
        )
