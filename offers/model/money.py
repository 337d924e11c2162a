"""Count money in integers, and never in two currencies at once.

Layer: nouns. Takes: minor units (cents) and an ISO 4217 code. Gives: `Money` to benefits, baskets
and redemptions. A float would lose cents: 0.1 + 0.2 is not 0.3.
"""

from dataclasses import dataclass
from typing import Final, Self

from offers.model.errors import InvalidMoney

# Ten thousand million in a currency with cents: beyond it a value is a mistake, and 64 bits of a
# database column hold sums of millions of such amounts.
AMOUNT_MINOR_MAX: Final = 10**12

# ISO 4217 list one: the currencies that people pay with, without funds, metals and test codes.
_CODES: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL "
    "GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF "
    "KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
    "MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD "
    "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH "
    "UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES: Final = frozenset(_CODES.split())
# Those whose minor unit is no hundredth.
_WHOLE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"


def decimals_of(currency: str) -> int:
    """Return how many decimals an amount in minor units has: 2 for EUR, 0 for JPY."""
    if currency in _WHOLE.split():
        return 0
    return 3 if currency in _THOUSANDTHS.split() else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount that may be negative (a reversal), in minor units of one currency.

    Examples
    --------
    >>> Money(amount_minor=250, currency="EUR") + Money(amount_minor=50, currency="EUR")
    Money(amount_minor=300, currency='EUR')
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:  # a bool is an int to isinstance
            raise InvalidMoney(
                f"amount_minor is {self.amount_minor!r}; expected an integer of minor units: "
                "2.50 EUR is 250."
            )
        if abs(self.amount_minor) > AMOUNT_MINOR_MAX:
            raise InvalidMoney(
                f"amount_minor is {self.amount_minor}; expected at most {AMOUNT_MINOR_MAX}. "
                "Check that the amount is in minor units."
            )
        if self.currency not in CURRENCIES:
            raise InvalidMoney(
                f"currency is {self.currency!r}; expected an ISO 4217 code in capitals, e.g. 'EUR'."
            )

    def __add__(self, other: Self) -> "Money":
        """Return the sum."""
        self._check_same_currency(other)
        return Money(amount_minor=self.amount_minor + other.amount_minor, currency=self.currency)

    def __sub__(self, other: Self) -> "Money":
        """Return the difference."""
        self._check_same_currency(other)
        return Money(amount_minor=self.amount_minor - other.amount_minor, currency=self.currency)

    def __lt__(self, other: Self) -> bool:
        """Say whether this is less."""
        self._check_same_currency(other)
        return self.amount_minor < other.amount_minor

    def __le__(self, other: Self) -> bool:
        """Say whether this is not more."""
        self._check_same_currency(other)
        return self.amount_minor <= other.amount_minor

    def _check_same_currency(self, other: Self) -> None:
        if self.currency != other.currency:
            raise InvalidMoney(
                f"{self.currency} meets {other.currency}; expected one currency in one sum. "
                "Convert at the till, not here."
            )
