"""Say what all bodies on the wire have in common: instants, money, ids.

Layer: edges. Takes: nouns. Gives: the building blocks of `shopper_schema`, `till_schema` and
`operator_schema`. Unknown members are refused, numbers are not taken for texts or the reverse;
instants are UTC (RFC 3339), amounts are integer minor units with their currency.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from offers.model.money import AMOUNT_MINOR_MAX, Money
from rtls.model.units import UnixMs

HEX_32 = "0123456789abcdef0123456789abcdef"
ID_MAX = 128

Id = Annotated[StrictStr, Field(min_length=1, max_length=ID_MAX, examples=[HEX_32])]
Instant = Annotated[str, Field(examples=["2026-11-21T09:30:00.000Z"])]
Currency = Annotated[StrictStr, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
Minor = Annotated[StrictInt, Field(ge=0, le=AMOUNT_MINOR_MAX, examples=[1299])]


def render_instant(at_ms: UnixMs) -> str:
    """Return an instant as RFC 3339 in UTC, to the millisecond.

    Examples
    --------
    >>> render_instant(UnixMs(1_795_253_400_007))
    '2026-11-21T09:30:00.007Z'
    """
    whole = datetime.fromtimestamp(at_ms // 1000, tz=UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


class Body(BaseModel):
    """What all bodies have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MoneyBody(Body):
    """An amount in minor units of a currency."""

    amount_minor: StrictInt = Field(examples=[1299])
    currency: Currency

    @classmethod
    def of(cls, money: Money) -> "MoneyBody":
        """Render money."""
        return cls(amount_minor=money.amount_minor, currency=money.currency)

    @classmethod
    def of_limit(cls, money: Money | None) -> "MoneyBody | None":
        """Render a limit, where there is one."""
        return None if money is None else cls.of(money)
