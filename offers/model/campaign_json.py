"""Read campaigns from JSON, and write one back.

Layer: nouns. Takes: the bytes of a campaign file, or one campaign's document out of storage.
Gives: `CampaignRevision`s, or an error that names file, campaign, field, value, what was expected
and the remedy. A member that is not known is refused: a misspelt "budgett" would cost money.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, assert_never

from offers.model.benefit import Benefit, Information, MoneyOff, PercentOff, Scope
from offers.model.campaign import (
    Budget,
    CampaignRevision,
    FrequencyCap,
    MessageText,
    Validity,
    VisitTrigger,
)
from offers.model.errors import InvalidCampaign, InvalidMoney
from offers.model.ids import CampaignId
from offers.model.money import Money
from offers.model.shopper import Locale
from offers.model.stacking import StackingClass
from rtls.model.units import Second, SiteId, UnixMs, ZoneId

Json = Mapping[str, object]
VERSION: Final = 1
CAMPAIGNS_MAX: Final = 1_000


def parse_campaigns(content: bytes, *, source: str) -> tuple[CampaignRevision, ...]:
    """Read a campaign file.

    Parameters
    ----------
    content
        UTF-8 JSON: ``{"version": 1, "campaigns": [...]}``.
    source
        The file's name, for error messages.

    Raises
    ------
    InvalidCampaign
        If the file cannot be read or a campaign cannot work.
    """
    try:
        document = _object(json.loads(content), "the file")
    except (ValueError, RecursionError) as error:
        raise InvalidCampaign(f"{source}: not a JSON object ({error}).") from error
    try:
        return _campaigns(document)
    except (InvalidCampaign, InvalidMoney) as error:
        raise InvalidCampaign(f"{source}: {error}") from error


def parse_campaign(document: Json, *, revision: int = 1) -> CampaignRevision:
    """Read one campaign.

    Raises
    ------
    InvalidCampaign
        If it cannot work; names campaign, field, value, what was expected and the remedy.
    """
    name = document.get("campaign")
    try:
        return _campaign(document, revision)
    except (InvalidCampaign, InvalidMoney) as error:
        raise InvalidCampaign(f"campaign {name!r}: {error}") from error


def render_campaign(revision: CampaignRevision) -> str:
    """Return the document that `parse_campaign` reads, without the revision's number."""
    document: dict[str, object] = {
        "campaign": revision.campaign,
        "site": revision.site,
        "name": revision.name,
        "priority": revision.priority,
        "stacking": revision.stacking.value,
        "trigger": {
            "kind": "visit",
            "zone": revision.trigger.zone,
            "dwell_s": revision.trigger.dwell_s,
        },
        "benefit": _rendered_benefit(revision.benefit),
        "validity": {
            "from": _rendered_time(revision.validity.from_ms),
            "until": _rendered_time(revision.validity.until_ms),
        },
        "frequency_cap": {
            "offers_max": revision.frequency_cap.offers_max,
            "window_s": revision.frequency_cap.window_s,
        },
        "texts": {
            locale.value: {"title": text.title, "body": text.body}
            for locale, text in sorted(revision.texts.items())
        },
        "offer_valid_s": revision.offer_valid_s,
        "coupon_valid_s": revision.coupon_valid_s,
    }
    if revision.budget is not None:
        document["budget"] = {
            "redemptions_max": revision.budget.redemptions_max,
            "is_reserved": revision.budget.is_reserved,
        }
    return json.dumps(document, ensure_ascii=False, sort_keys=True)


def _campaigns(document: Json) -> tuple[CampaignRevision, ...]:
    _refuse_unknown(document, "the file", {"version", "campaigns"})
    if document.get("version") != VERSION:
        raise InvalidCampaign(f"version is {document.get('version')!r}; expected {VERSION}.")
    given = _list(document.get("campaigns"), "campaigns")
    if len(given) > CAMPAIGNS_MAX:
        raise InvalidCampaign(f"{len(given)} campaigns; expected at most {CAMPAIGNS_MAX}.")
    read = tuple(
        parse_campaign(_object(entry, f"campaigns[{place}]")) for place, entry in enumerate(given)
    )
    seen: set[CampaignId] = set()
    for revision in read:
        if revision.campaign in seen:
            raise InvalidCampaign(
                f"campaign {revision.campaign!r} is defined twice; rename or remove one."
            )
        seen.add(revision.campaign)
    return read


_MEMBERS: Final = frozenset(
    {
        "campaign",
        "site",
        "name",
        "priority",
        "trigger",
        "benefit",
        "validity",
        "frequency_cap",
        "budget",
        "stacking",
        "texts",
        "offer_valid_s",
        "coupon_valid_s",
    }
)


def _campaign(document: Json, revision: int) -> CampaignRevision:
    _refuse_unknown(document, "the campaign", _MEMBERS)
    texts = _object(document.get("texts"), "texts")
    cap = _object(document.get("frequency_cap", {}), "frequency_cap")
    _refuse_unknown(cap, "frequency_cap", {"offers_max", "window_s"})
    budget = document.get("budget")
    return CampaignRevision(
        campaign=CampaignId(_text(document, "campaign")),
        revision=revision,
        site=SiteId(_text(document, "site")),
        name=_text(document, "name"),
        priority=_integer(document, "priority", 0),
        stacking=_stacking(document.get("stacking", StackingClass.ONE_A_LINE.value)),
        trigger=_trigger(_object(document.get("trigger"), "trigger")),
        benefit=_benefit(_object(document.get("benefit"), "benefit")),
        validity=_validity(_object(document.get("validity"), "validity")),
        frequency_cap=FrequencyCap(
            offers_max=_integer(cap, "offers_max", 1), window_s=_integer(cap, "window_s", 86_400)
        ),
        budget=None if budget is None else _budget(_object(budget, "budget")),
        texts={_locale(key): _message(_object(text, key)) for key, text in texts.items()},
        offer_valid_s=_integer(document, "offer_valid_s", 900),
        coupon_valid_s=_integer(document, "coupon_valid_s", 86_400),
    )


def _stacking(given: object) -> StackingClass:
    try:
        return StackingClass(str(given))
    except ValueError as error:
        expected = [known.value for known in StackingClass]
        raise InvalidCampaign(f"stacking is {given!r}; expected of {expected}.") from error


def _trigger(given: Json) -> VisitTrigger:
    _refuse_unknown(given, "trigger", {"kind", "zone", "dwell_s"})
    if given.get("kind") != "visit":
        raise InvalidCampaign(f"trigger.kind is {given.get('kind')!r}; expected 'visit'.")
    dwell_s = given.get("dwell_s")
    if isinstance(dwell_s, bool) or not isinstance(dwell_s, int | float):
        raise InvalidCampaign(f"trigger.dwell_s is {dwell_s!r}; expected a number of seconds.")
    return VisitTrigger(zone=ZoneId(_text(given, "zone")), dwell_s=Second(float(dwell_s)))


def _benefit(given: Json) -> Benefit:
    kind = given.get("kind")
    if kind == "information":
        _refuse_unknown(given, "benefit", {"kind"})
        return Information()
    scope = _scope(_object(given.get("applies_to", {}), "applies_to"))
    least = _money(given, "basket_min")
    if kind == "money_off":
        _refuse_unknown(given, "benefit", {"kind", "amount", "applies_to", "basket_min"})
        amount = _money(given, "amount")
        if amount is None:
            raise InvalidCampaign(
                'benefit.amount is missing; expected {"amount_minor": 200, "currency": "EUR"}.'
            )
        return MoneyOff(amount=amount, applies_to=scope, basket_min=least)
    if kind == "percent_off":
        members = {"kind", "percent", "applies_to", "basket_min", "discount_max"}
        _refuse_unknown(given, "benefit", members)
        return PercentOff(
            percent=_integer(given, "percent"),
            applies_to=scope,
            basket_min=least,
            discount_max=_money(given, "discount_max"),
        )
    raise InvalidCampaign(
        f"benefit.kind is {kind!r}; expected 'money_off', 'percent_off' or 'information'."
    )


def _rendered_benefit(benefit: Benefit) -> Json:
    match benefit:
        case Information():
            return {"kind": "information"}
        case MoneyOff():
            rendered: dict[str, object] = {
                "kind": "money_off",
                "amount": _rendered_money(benefit.amount),
            }
        case PercentOff():
            rendered = {"kind": "percent_off", "percent": benefit.percent}
            if benefit.discount_max is not None:
                rendered["discount_max"] = _rendered_money(benefit.discount_max)
        case _:
            assert_never(benefit)
    if benefit.basket_min is not None:
        rendered["basket_min"] = _rendered_money(benefit.basket_min)
    rendered["applies_to"] = {
        "categories": sorted(benefit.applies_to.categories),
        "skus": sorted(benefit.applies_to.skus),
    }
    return rendered


def _scope(given: Json) -> Scope:
    _refuse_unknown(given, "applies_to", {"categories", "skus"})
    named = {
        member: frozenset(str(entry) for entry in _list(given.get(member, []), member))
        for member in ("categories", "skus")
    }
    return Scope(categories=named["categories"], skus=named["skus"])


def _money(given: Json, member: str) -> Money | None:
    found = given.get(member)
    if found is None:
        return None
    money = _object(found, member)
    _refuse_unknown(money, member, {"amount_minor", "currency"})
    return Money(amount_minor=_integer(money, "amount_minor"), currency=_text(money, "currency"))


def _rendered_money(money: Money) -> Json:
    return {"amount_minor": money.amount_minor, "currency": money.currency}


def _validity(given: Json) -> Validity:
    _refuse_unknown(given, "validity", {"from", "until"})
    return Validity(from_ms=_time(given, "from"), until_ms=_time(given, "until"))


def _time(given: Json, member: str) -> UnixMs:
    text = _text(given, member)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidCampaign(f"validity.{member}: {error}; expected RFC 3339.") from error
    if instant.tzinfo is None:
        raise InvalidCampaign(
            f"validity.{member} is {text!r}, without a time zone; expected e.g. "
            "'2026-12-01T00:00:00+01:00'."
        )
    return UnixMs(round(instant.timestamp() * 1_000))


def _rendered_time(at_ms: UnixMs) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC).isoformat(timespec="milliseconds")


def _budget(given: Json) -> Budget:
    _refuse_unknown(given, "budget", {"redemptions_max", "is_reserved"})
    is_reserved = given.get("is_reserved", True)
    if not isinstance(is_reserved, bool):
        raise InvalidCampaign(f"budget.is_reserved is {is_reserved!r}; expected true or false.")
    return Budget(redemptions_max=_integer(given, "redemptions_max"), is_reserved=is_reserved)


def _message(given: Json) -> MessageText:
    _refuse_unknown(given, "texts", {"title", "body"})
    return MessageText(title=_text(given, "title"), body=_text(given, "body"))


def _locale(key: str) -> Locale:
    try:
        return Locale(key)
    except ValueError as error:
        expected = [locale.value for locale in Locale]
        raise InvalidCampaign(f"texts has {key!r}; expected of {expected}.") from error


def _refuse_unknown(given: Json, what: str, expected: frozenset[str] | set[str]) -> None:
    unknown = sorted(set(given) - expected)
    if unknown:
        raise InvalidCampaign(
            f"{what} has unknown members {unknown}; expected of {sorted(expected)}."
        )


def _object(given: object, what: str) -> Json:
    if not isinstance(given, dict):
        raise InvalidCampaign(f"{what} is {type(given).__name__}; expected an object.")
    return given


def _list(given: object, what: str) -> Sequence[object]:
    if not isinstance(given, list):
        raise InvalidCampaign(f"{what} is {type(given).__name__}; expected a list.")
    return given


def _text(given: Json, member: str) -> str:
    text = given.get(member)
    if not isinstance(text, str):
        raise InvalidCampaign(f"{member} is {text!r}; expected a text.")
    return text


def _integer(given: Json, member: str, default: int | None = None) -> int:
    number = given.get(member, default)
    if type(number) is not int:
        raise InvalidCampaign(f"{member} is {number!r}; expected a whole number.")
    return number
