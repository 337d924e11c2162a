"""Read campaigns from JSON, and write one back.

Layer: nouns. Takes: the bytes of a campaign file, or one campaign's document out of storage.
Gives: `CampaignRevision`s, or an error that names file, campaign, field, value, what was expected
and the remedy. A member that is not known is refused: a misspelt "budgett" would cost money.
"""

import json
from typing import Final

from offers.model.campaigns.benefit_json import parse_benefit, render_benefit
from offers.model.campaigns.budget_json import parse_limits, render_limits
from offers.model.campaigns.campaign import (
    Budget,
    CampaignRevision,
    FrequencyCap,
    MessageText,
    Validity,
)
from offers.model.campaigns.funding import parse_funding, render_funding
from offers.model.campaigns.gs1_reference import parse_gs1_reference, render_gs1_reference
from offers.model.campaigns.schedule import ALWAYS
from offers.model.campaigns.schedule_json import parse_schedule, render_schedule
from offers.model.campaigns.stacking import StackingClass
from offers.model.campaigns.trigger_json import parse_trigger, render_trigger
from offers.model.conditions.condition import Condition
from offers.model.conditions.condition_json import parse_condition, render_condition
from offers.model.errors import InvalidCampaign, InvalidCondition, InvalidMoney
from offers.model.experiments.experiment_part import (
    parse_experiment_part,
    render_experiment_part,
)
from offers.model.ids import CampaignId
from offers.model.json_members import (
    Json,
    claim_of,
    instant_of,
    integer_of,
    list_of,
    object_of,
    refuse_unknown,
    rendered_instant,
    text_of,
)
from offers.model.people.shopper import Locale
from rtls.model.units import SiteId

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
        document = object_of(json.loads(content), "the file")
    except (ValueError, RecursionError) as error:
        raise InvalidCampaign(f"{source}: not a JSON object ({error}).") from error
    try:
        return _campaigns(document)
    except (InvalidCampaign, InvalidCondition, InvalidMoney) as error:
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
    except (InvalidCampaign, InvalidCondition, InvalidMoney) as error:
        raise InvalidCampaign(f"campaign {name!r}: {error}") from error


def render_campaign(revision: CampaignRevision) -> str:
    """Return the document that `parse_campaign` reads, without the revision's number."""
    document: dict[str, object] = {
        "campaign": revision.campaign,
        "site": revision.site,
        "name": revision.name,
        "priority": revision.priority,
        "stacking": revision.stacking.value,
        "coupon_given_back": revision.is_coupon_given_back,
        "trigger": render_trigger(revision.trigger),
        "benefit": render_benefit(revision.benefit),
        "validity": {
            "from": rendered_instant(revision.validity.from_ms),
            "until": rendered_instant(revision.validity.until_ms),
        },
        "frequency_cap": {
            "offers_max": revision.frequency_cap.offers_max,
            "window_s": revision.frequency_cap.window_s,
        },
        "texts": {
            locale.value: {"title": text.title, "body": text.body}
            for locale, text in sorted(revision.texts.items())
        },
        "cool_down_s": revision.cool_down_s,
        "offer_valid_s": revision.offer_valid_s,
        "coupon_valid_s": revision.coupon_valid_s,
    }
    for member, condition in (("audience", revision.audience), ("conditions", revision.conditions)):
        if condition is not None:
            document[member] = render_condition(condition)
    if revision.schedule != ALWAYS:
        document["schedule"] = render_schedule(revision.schedule)
    if revision.budget is not None:
        document["budget"] = {
            "redemptions_max": revision.budget.redemptions_max,
            "is_reserved": revision.budget.is_reserved,
        }
    if revision.budgets:
        document["budgets"] = render_limits(revision.budgets)
    document |= _rendered_ties(revision)
    return json.dumps(document, ensure_ascii=False, sort_keys=True)


def _rendered_ties(revision: CampaignRevision) -> Json:
    """Return what ties it to others: who pays, what tills call it, where it is tried out."""
    ties: dict[str, object] = {}
    if revision.funding is not None:
        ties["funding"] = render_funding(revision.funding)
    if revision.gs1 is not None:
        ties["gs1"] = render_gs1_reference(revision.gs1)
    if revision.part is not None:
        ties["experiment"] = render_experiment_part(revision.part)
    return ties


def _campaigns(document: Json) -> tuple[CampaignRevision, ...]:
    refuse_unknown(document, "the file", {"version", "campaigns"})
    if document.get("version") != VERSION:
        raise InvalidCampaign(f"version is {document.get('version')!r}; expected {VERSION}.")
    given = list_of(document.get("campaigns"), "campaigns")
    if len(given) > CAMPAIGNS_MAX:
        raise InvalidCampaign(f"{len(given)} campaigns; expected at most {CAMPAIGNS_MAX}.")
    read = tuple(
        parse_campaign(object_of(entry, f"campaigns[{place}]")) for place, entry in enumerate(given)
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
        "budgets",
        "stacking",
        "coupon_given_back",
        "audience",
        "conditions",
        "schedule",
        "cool_down_s",
        "texts",
        "offer_valid_s",
        "coupon_valid_s",
        "gs1",
        "funding",
        "experiment",
    }
)


def _campaign(document: Json, revision: int) -> CampaignRevision:
    refuse_unknown(document, "the campaign", _MEMBERS)
    texts = object_of(document.get("texts"), "texts")
    cap = object_of(document.get("frequency_cap", {}), "frequency_cap")
    refuse_unknown(cap, "frequency_cap", {"offers_max", "window_s"})
    budget, gs1 = document.get("budget"), document.get("gs1")
    funding, part = document.get("funding"), document.get("experiment")
    return CampaignRevision(
        campaign=CampaignId(text_of(document, "campaign")),
        revision=revision,
        site=SiteId(text_of(document, "site")),
        name=text_of(document, "name"),
        priority=integer_of(document, "priority", 0),
        stacking=_stacking(document.get("stacking", StackingClass.ONE_A_LINE.value)),
        is_coupon_given_back=claim_of(document, "coupon_given_back", is_usual=True),
        trigger=parse_trigger(object_of(document.get("trigger"), "trigger")),
        benefit=parse_benefit(object_of(document.get("benefit"), "benefit")),
        validity=_validity(object_of(document.get("validity"), "validity")),
        frequency_cap=FrequencyCap(
            offers_max=integer_of(cap, "offers_max", 1),
            window_s=integer_of(cap, "window_s", 86_400),
        ),
        budget=None if budget is None else _budget(object_of(budget, "budget")),
        audience=_condition(document, "audience"),
        conditions=_condition(document, "conditions"),
        schedule=parse_schedule(object_of(document.get("schedule", {}), "schedule")),
        cool_down_s=integer_of(document, "cool_down_s", 7 * 86_400),
        budgets=parse_limits(document.get("budgets", [])),
        texts={_locale(key): _message(object_of(text, key)) for key, text in texts.items()},
        offer_valid_s=integer_of(document, "offer_valid_s", 900),
        coupon_valid_s=integer_of(document, "coupon_valid_s", 86_400),
        funding=None if funding is None else parse_funding(funding),
        gs1=None if gs1 is None else parse_gs1_reference(object_of(gs1, "gs1")),
        part=None if part is None else parse_experiment_part(part),
    )


def _condition(document: Json, member: str) -> Condition | None:
    given = document.get(member)
    return None if given is None else parse_condition(given, member)


def _stacking(given: object) -> StackingClass:
    try:
        return StackingClass(str(given))
    except ValueError as error:
        expected = [known.value for known in StackingClass]
        raise InvalidCampaign(f"stacking is {given!r}; expected of {expected}.") from error


def _validity(given: Json) -> Validity:
    refuse_unknown(given, "validity", {"from", "until"})
    if "until" not in given:
        raise InvalidCampaign(
            "validity.until is missing; expected when the campaign ends: what has no end is "
            "forgotten. A later revision can prolong it."
        )
    return Validity(
        from_ms=instant_of(given, "from", "validity"),
        until_ms=instant_of(given, "until", "validity"),
    )


def _budget(given: Json) -> Budget:
    refuse_unknown(given, "budget", {"redemptions_max", "is_reserved"})
    is_reserved = claim_of(given, "is_reserved", is_usual=True)
    return Budget(redemptions_max=integer_of(given, "redemptions_max"), is_reserved=is_reserved)


def _message(given: Json) -> MessageText:
    refuse_unknown(given, "texts", {"title", "body"})
    return MessageText(title=text_of(given, "title"), body=text_of(given, "body"))


def _locale(key: str) -> Locale:
    try:
        return Locale(key)
    except ValueError as error:
        expected = [locale.value for locale in Locale]
        raise InvalidCampaign(f"texts has {key!r}; expected of {expected}.") from error
