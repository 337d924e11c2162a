"""Say which partners pay for a campaign: each a share of its cost, up to a bound of money.

Layer: nouns. Takes: the member "funding" of a campaign. Gives: `Funding` to campaigns. What the
partners do not pay is the retailer's. ``[{"partner": "fischer", "name": "fischer", "share_bp":
4000, "amount_max": {"amount_minor": 100000, "currency": "EUR"}}]`` is one that pays 40 % up to
1,000 euro.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NewType

from offers.model.campaigns.benefit import (
    Benefit,
    Cashback,
    FreeItem,
    MoneyOff,
    PercentOff,
    Points,
    PointsMultiplier,
)
from offers.model.errors import InvalidCampaign
from offers.model.ids import check_name, check_text
from offers.model.json_members import (
    integer_of,
    list_of,
    object_of,
    refuse_unknown,
    required_money_of,
    text_of,
)
from offers.model.money import Money

PartnerId = NewType("PartnerId", str)

WHOLE_BP: Final = 10_000
PARTNERS_MAX: Final = 10
# What costs an amount that we know: money off, and points at what the programme redeems them for.
FundedBenefit = MoneyOff | PercentOff | FreeItem | Points | PointsMultiplier | Cashback


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerShare:
    """What one partner pays of each cost of the campaign."""

    partner: PartnerId
    name: str
    """as shoppers read it in the terms"""
    share_bp: int
    """hundredths of a percent"""
    amount_max: Money
    """all that the partner pays for the campaign; what is beyond it is not given away"""

    def __post_init__(self) -> None:
        check_name("funding.partner", self.partner, error=InvalidCampaign)
        check_text("funding.name", self.name, error=InvalidCampaign)
        if type(self.share_bp) is not int or not 1 <= self.share_bp <= WHOLE_BP:
            raise InvalidCampaign(
                f"funding: share_bp of {self.partner} is {self.share_bp!r}; expected 1 to "
                f"{WHOLE_BP} basis points: 4000 is 40 %."
            )
        if self.amount_max.amount_minor < 1:
            raise InvalidCampaign(
                f"funding: amount_max of {self.partner} is {self.amount_max.amount_minor}; "
                "expected 1 or more. Leave the partner out who pays nothing."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """The partners of a campaign, in the order in which the last minor units are shared out."""

    partners: tuple[PartnerShare, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.partners) <= PARTNERS_MAX:
            raise InvalidCampaign(
                f"funding has {len(self.partners)} partners; expected 1 to {PARTNERS_MAX}. Leave "
                "'funding' out where the retailer pays alone."
            )
        named = [one.partner for one in self.partners]
        if len(set(named)) < len(named):
            raise InvalidCampaign(f"funding names {named}; expected each partner once.")
        shared_bp = sum(one.share_bp for one in self.partners)
        if shared_bp > WHOLE_BP:
            raise InvalidCampaign(
                f"funding: the shares are {shared_bp} basis points together; expected at most "
                f"{WHOLE_BP}, the whole cost."
            )
        currencies = sorted({one.amount_max.currency for one in self.partners})
        if len(currencies) > 1:
            raise InvalidCampaign(
                f"funding: amount_max is in {currencies}; expected one currency for all partners."
            )

    @property
    def currency(self) -> str:
        """Return the one in which partners pay; cost in another is the retailer's."""
        return self.partners[0].amount_max.currency


def check_funding(funding: Funding | None, benefit: Benefit) -> None:
    """Refuse partners of a benefit whose cost nobody can tell.

    Raises
    ------
    InvalidCampaign
        If the benefit is neither money off nor points.
    """
    if funding is not None and not isinstance(benefit, FundedBenefit):
        raise InvalidCampaign(
            f"funding is given, but what {type(benefit).__name__} costs is not known here; "
            "expected money off, a free item, points or cashback. Settle this one by invoice."
        )


def parse_funding(given: object) -> Funding:
    """Read the partners; raises `InvalidCampaign` if they cannot pay together."""
    partners = [
        object_of(entry, f"funding[{place}]")
        for place, entry in enumerate(list_of(given, "funding"))
    ]
    return Funding(partners=tuple(_partner(one, place) for place, one in enumerate(partners)))


def render_funding(funding: Funding) -> Sequence[Mapping[str, object]]:
    """Return what `parse_funding` reads."""
    return [
        {
            "partner": one.partner,
            "name": one.name,
            "share_bp": one.share_bp,
            "amount_max": {
                "amount_minor": one.amount_max.amount_minor,
                "currency": one.amount_max.currency,
            },
        }
        for one in funding.partners
    ]


def _partner(given: Mapping[str, object], place: int) -> PartnerShare:
    where = f"funding[{place}]"
    refuse_unknown(given, where, {"partner", "name", "share_bp", "amount_max"})
    return PartnerShare(
        partner=PartnerId(text_of(given, "partner")),
        name=text_of(given, "name"),
        share_bp=integer_of(given, "share_bp"),
        amount_max=required_money_of(given, "amount_max", where),
    )
