"""Read limits of budgets from JSON, and write them back.

Layer: nouns. Takes: the member "budgets" of a campaign or site. Gives: `BudgetLimit`s.
``[{"redemptions_max": 500, "per": ["day"]}, {"amount_max": {"amount_minor": 100000, "currency":
"EUR"}, "per": ["shopper", "day"]}]``
"""

from collections.abc import Mapping, Sequence
from typing import Final

from offers.model.campaigns.budget import REDEMPTIONS, BudgetLimit, BudgetPer, check_limits
from offers.model.errors import InvalidCampaign

Json = Mapping[str, object]
_MEMBERS: Final = frozenset({"redemptions_max", "amount_max", "per", "is_reserved"})


def parse_limits(given: object) -> tuple[BudgetLimit, ...]:
    """Read the limits.

    Raises
    ------
    InvalidCampaign
        If they are not a list of limits; names member, value and what was expected.
    """
    if not isinstance(given, list):
        raise InvalidCampaign(f"budgets is {type(given).__name__}; expected a list.")
    limits = tuple(_limit(entry, f"budgets[{place}]") for place, entry in enumerate(given))
    check_limits(limits)
    return limits


def render_limits(limits: Sequence[BudgetLimit]) -> list[Json]:
    """Return what `parse_limits` reads."""
    return [_rendered(limit) for limit in limits]


def _limit(given: object, what: str) -> BudgetLimit:
    if not isinstance(given, dict) or not set(given) <= _MEMBERS:
        raise InvalidCampaign(f"{what} is {given!r:.80}; expected members of {sorted(_MEMBERS)}.")
    if ("redemptions_max" in given) == ("amount_max" in given):
        raise InvalidCampaign(
            f"{what}: expected either 'redemptions_max' or 'amount_max'; give each a limit of its "
            "own."
        )
    is_reserved = given.get("is_reserved", False)
    if not isinstance(is_reserved, bool):
        raise InvalidCampaign(f"{what}.is_reserved is {is_reserved!r}; expected true or false.")
    unit, cap = REDEMPTIONS, given.get("redemptions_max")
    if "amount_max" in given:
        money = given["amount_max"]
        if not isinstance(money, dict) or set(money) != {"amount_minor", "currency"}:
            raise InvalidCampaign(
                f"{what}.amount_max is {money!r:.80}; expected "
                '{"amount_minor": 100000, "currency": "EUR"}.'
            )
        unit, cap = str(money["currency"]), money["amount_minor"]
    if type(cap) is not int:
        raise InvalidCampaign(f"{what}: the limit is {cap!r:.80}; expected a whole number.")
    return BudgetLimit(
        cap=cap, unit=unit, per=_per(given.get("per", []), what), is_reserved=is_reserved
    )


def _per(given: object, what: str) -> frozenset[BudgetPer]:
    known = {per.value for per in BudgetPer}
    if not isinstance(given, list) or not all(isinstance(e, str) and e in known for e in given):
        raise InvalidCampaign(f"{what}.per is {given!r:.80}; expected a list of {sorted(known)}.")
    return frozenset(BudgetPer(entry) for entry in given)


def _rendered(limit: BudgetLimit) -> Json:
    cap: dict[str, object] = (
        {"redemptions_max": limit.cap}
        if limit.unit == REDEMPTIONS
        else {"amount_max": {"amount_minor": limit.cap, "currency": limit.unit}}
    )
    return {**cap, "per": sorted(limit.per), "is_reserved": limit.is_reserved}
