"""Read a loyalty programme from JSON, and write one back.

Layer: nouns. Takes: the bytes of a programme file, or a document out of storage. Gives: a
`Programme`, or an error that names file, place, value, what was expected and the remedy. A member
that is not known is refused: a misspelt "until" would give points away for ever.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar, assert_never

from offers.model.campaigns.basket_scope import Scope
from offers.model.errors import InvalidCampaign, InvalidLedger, InvalidProgramme
from offers.model.ids import CampaignId
from offers.model.loyalty.earning_rule import (
    EarningRule,
    EarningTerms,
    Earns,
    ForActivity,
    HowOften,
    Multiplier,
    PerAmount,
    PerItem,
    ThresholdBonus,
)
from offers.model.loyalty.ledger import LedgerUnit, PostingReason
from offers.model.loyalty.poor_answer_json import parse_poor_answer, render_poor_answer
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.reward import Reward, UnusedReward
from offers.model.loyalty.site_settings import parse_site_settings, render_site_settings
from offers.model.loyalty.tier import Perk, Tier, TierLadder, TierWindow
from rtls.model.units import SiteId, UnixMs

Json = Mapping[str, object]
E = TypeVar("E", bound=StrEnum)
VERSION: Final = 1
_MEMBERS: Final = {
    "version",
    "site",
    "time_zone",
    "units",
    "earning",
    "tiers",
    "rewards",
    "unused_rewards",
    "settings",
    "gs1_company_prefix",
    "poor_answers",
}


def parse_programme(content: bytes | str, *, source: str) -> Programme:
    """Read a programme.

    Parameters
    ----------
    content
        UTF-8 JSON: ``{"version": 1, "site": ..., "units": [...], "earning": [...], ...}``.
    source
        The file's name, for error messages.

    Raises
    ------
    InvalidProgramme
        If it cannot be read, or could not work.
    """
    try:
        document = _object(json.loads(content), "the file")
    except (ValueError, RecursionError) as error:
        raise InvalidProgramme(f"{source}: not a JSON object ({error}).") from error
    try:
        return _programme(document)
    except (InvalidProgramme, InvalidLedger, InvalidCampaign) as error:
        raise InvalidProgramme(f"{source}: {error}") from error


def render_programme(programme: Programme) -> str:
    """Return the document that `parse_programme` reads."""
    document: dict[str, object] = {
        "version": VERSION,
        "site": programme.site,
        "time_zone": programme.time_zone,
        "units": [
            {
                "unit": terms.unit,
                "pending_days": terms.pending_days,
                "lasts_days": terms.lasts_days,
                "worth_minor_per_100": terms.worth_minor_per_100,
            }
            for terms in programme.terms
        ],
        "earning": [_rendered_rule(rule) for rule in programme.rules],
        "rewards": [_rendered_reward(reward) for reward in programme.rewards],
        "unused_rewards": programme.unused_rewards.value,
        "poor_answers": [render_poor_answer(rule) for rule in programme.poor_answers],
        "settings": render_site_settings(programme.settings),
    }
    if programme.tiers is not None:
        document["tiers"] = _rendered_ladder(programme.tiers)
    if programme.gs1_company_prefix is not None:
        document["gs1_company_prefix"] = programme.gs1_company_prefix
    return json.dumps(document, ensure_ascii=False, sort_keys=True)


def _programme(document: Json) -> Programme:
    _refuse_unknown(document, "the file", _MEMBERS)
    if document.get("version") != VERSION:
        raise InvalidProgramme(f"version is {document.get('version')!r}; expected {VERSION}.")
    time_zone = _text(document, "time_zone")
    ladder = document.get("tiers")
    return Programme(
        site=SiteId(_text(document, "site")),
        time_zone=time_zone,
        terms=tuple(_each(document, "units", _terms)),
        rules=tuple(_each(document, "earning", _rule)),
        tiers=None if ladder is None else _ladder(_object(ladder, "tiers"), time_zone),
        rewards=tuple(_each(document, "rewards", _reward)),
        settings=parse_site_settings(document.get("settings", {})),
        # Revisions from before this member gave back, too.
        unused_rewards=_known(
            UnusedReward,
            document.get("unused_rewards", UnusedReward.GIVE_BACK.value),
            "unused_rewards",
        ),
        gs1_company_prefix=(
            _text(document, "gs1_company_prefix") if "gs1_company_prefix" in document else None
        ),
        poor_answers=tuple(_each(document, "poor_answers", parse_poor_answer)),
    )


def _terms(given: Json) -> EarningTerms:
    _refuse_unknown(given, "units", {"unit", "pending_days", "lasts_days", "worth_minor_per_100"})
    return EarningTerms(
        unit=LedgerUnit(_text(given, "unit")),
        pending_days=_integer(given, "pending_days", 0),
        lasts_days=_integer(given, "lasts_days", 730),
        worth_minor_per_100=_integer(given, "worth_minor_per_100", 0),
    )


def _rule(given: Json) -> EarningRule:
    name = _text(given, "rule")
    _refuse_unknown(given, f"rule {name!r}", {"rule", "unit", "earns", "from", "until"})
    return EarningRule(
        rule=name,
        unit=LedgerUnit(_text(given, "unit")),
        earns=_earns(_object(given.get("earns"), f"earns of rule {name!r}")),
        from_ms=_time(given, "from"),
        until_ms=_time(given, "until"),
    )


def _earns(given: Json) -> Earns:
    kind = given.get("kind")
    read = _EARNS.get(str(kind))
    if read is None:
        raise InvalidProgramme(f"earns.kind is {kind!r}; expected of {sorted(_EARNS)}.")
    members, build = read
    _refuse_unknown(given, f"earns of kind {kind!r}", {"kind", *members})
    return build(given)


_EARNS: Final[Mapping[str, tuple[frozenset[str], Callable[[Json], Earns]]]] = {
    "per_amount": (
        frozenset({"amount_minor", "per_minor", "currency", "applies_to"}),
        lambda given: PerAmount(
            amount_minor=_integer(given, "amount_minor"),
            per_minor=_integer(given, "per_minor"),
            currency=_text(given, "currency"),
            applies_to=_scope(given),
        ),
    ),
    "per_item": (
        frozenset({"amount_minor", "applies_to"}),
        lambda given: PerItem(
            amount_minor=_integer(given, "amount_minor"), applies_to=_scope(given)
        ),
    ),
    "threshold": (
        frozenset({"amount_minor", "threshold_minor", "currency", "applies_to"}),
        lambda given: ThresholdBonus(
            amount_minor=_integer(given, "amount_minor"),
            threshold_minor=_integer(given, "threshold_minor"),
            currency=_text(given, "currency"),
            applies_to=_scope(given),
        ),
    ),
    "multiplier": (
        frozenset({"percent", "applies_to"}),
        lambda given: Multiplier(percent=_integer(given, "percent"), applies_to=_scope(given)),
    ),
    "activity": (
        frozenset({"amount_minor", "activity", "how_often"}),
        lambda given: ForActivity(
            amount_minor=_integer(given, "amount_minor"),
            activity=_member(PostingReason, given, "activity"),
            how_often=_member(HowOften, given, "how_often"),
        ),
    ),
}


def _ladder(given: Json, time_zone: str) -> TierLadder:
    _refuse_unknown(given, "tiers", {"currency", "window", "window_days", "grace_days", "steps"})
    return TierLadder(
        currency=_text(given, "currency"),
        window=_member(TierWindow, given, "window"),
        time_zone=time_zone,
        tiers=tuple(_each(given, "steps", _tier)),
        window_days=_integer(given, "window_days", 365),
        grace_days=_integer(given, "grace_days", 90),
    )


def _tier(given: Json) -> Tier:
    _refuse_unknown(given, "steps", {"tier", "name", "threshold_minor", "perks"})
    perks = _list(given.get("perks", []), "perks")
    return Tier(
        tier=_text(given, "tier"),
        name=_text(given, "name"),
        threshold_minor=_integer(given, "threshold_minor"),
        perks=frozenset(_known(Perk, perk, "perks") for perk in perks),
    )


def _reward(given: Json) -> Reward:
    _refuse_unknown(given, "rewards", {"reward", "campaign", "unit", "cost_minor", "tiers"})
    return Reward(
        reward=_text(given, "reward"),
        campaign=CampaignId(_text(given, "campaign")),
        unit=LedgerUnit(_text(given, "unit")),
        cost_minor=_integer(given, "cost_minor"),
        tiers=frozenset(str(tier) for tier in _list(given.get("tiers", []), "tiers")),
    )


def _rendered_reward(reward: Reward) -> Json:
    return {
        "reward": reward.reward,
        "campaign": reward.campaign,
        "unit": reward.unit,
        "cost_minor": reward.cost_minor,
        "tiers": sorted(reward.tiers),
    }


def _rendered_rule(rule: EarningRule) -> Json:
    rendered: dict[str, object] = {
        "rule": rule.rule,
        "unit": rule.unit,
        "earns": _rendered_earns(rule.earns),
    }
    if rule.from_ms is not None:
        rendered["from"] = _rendered_time(rule.from_ms)
    if rule.until_ms is not None:
        rendered["until"] = _rendered_time(rule.until_ms)
    return rendered


def _rendered_earns(earns: Earns) -> Json:
    match earns:
        case PerAmount():
            rendered: dict[str, object] = {
                "kind": "per_amount",
                "amount_minor": earns.amount_minor,
                "per_minor": earns.per_minor,
                "currency": earns.currency,
            }
        case PerItem():
            rendered = {"kind": "per_item", "amount_minor": earns.amount_minor}
        case ThresholdBonus():
            rendered = {
                "kind": "threshold",
                "amount_minor": earns.amount_minor,
                "threshold_minor": earns.threshold_minor,
                "currency": earns.currency,
            }
        case Multiplier():
            rendered = {"kind": "multiplier", "percent": earns.percent}
        case ForActivity():
            return {
                "kind": "activity",
                "amount_minor": earns.amount_minor,
                "activity": earns.activity.value,
                "how_often": earns.how_often.value,
            }
        case _:
            assert_never(earns)
    return rendered | {"applies_to": _rendered_scope(earns.applies_to)}


def _rendered_ladder(ladder: TierLadder) -> Json:
    return {
        "currency": ladder.currency,
        "window": ladder.window.value,
        "window_days": ladder.window_days,
        "grace_days": ladder.grace_days,
        "steps": [
            {
                "tier": tier.tier,
                "name": tier.name,
                "threshold_minor": tier.threshold_minor,
                "perks": sorted(perk.value for perk in tier.perks),
            }
            for tier in ladder.tiers
        ],
    }


def _rendered_scope(scope: Scope) -> Json:
    return {"categories": sorted(scope.categories), "skus": sorted(scope.skus)}


def _scope(given: Json) -> Scope:
    scope = _object(given.get("applies_to", {}), "applies_to")
    _refuse_unknown(scope, "applies_to", {"categories", "skus"})
    named = {
        member: frozenset(str(entry) for entry in _list(scope.get(member, []), member))
        for member in ("categories", "skus")
    }
    return Scope(categories=named["categories"], skus=named["skus"])


def _time(given: Json, member: str) -> UnixMs | None:
    if given.get(member) is None:
        return None
    text = _text(given, member)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidProgramme(f"{member}: {error}; expected RFC 3339.") from error
    if instant.tzinfo is None:
        raise InvalidProgramme(
            f"{member} is {text!r}, without a time zone; expected e.g. '2026-12-01T00:00:00+01:00'."
        )
    return UnixMs(round(instant.timestamp() * 1_000))


def _rendered_time(at_ms: UnixMs) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC).isoformat(timespec="milliseconds")


T = TypeVar("T")


def _each(given: Json, member: str, read: Callable[[Json], T]) -> list[T]:
    entries = _list(given.get(member, []), member)
    return [read(_object(entry, f"{member}[{place}]")) for place, entry in enumerate(entries)]


def _member(kinds: type[E], given: Json, member: str) -> E:
    return _known(kinds, given.get(member), member)


def _known(kinds: type[E], given: object, member: str) -> E:
    try:
        return kinds(str(given))
    except ValueError as error:
        expected = [kind.value for kind in kinds]
        raise InvalidProgramme(f"{member} is {given!r}; expected of {expected}.") from error


def _refuse_unknown(given: Json, what: str, expected: set[str]) -> None:
    unknown = sorted(set(given) - expected)
    if unknown:
        raise InvalidProgramme(
            f"{what} has unknown members {unknown}; expected of {sorted(expected)}."
        )


def _object(given: object, what: str) -> Json:
    if not isinstance(given, dict):
        raise InvalidProgramme(f"{what} is {type(given).__name__}; expected an object.")
    return given


def _list(given: object, what: str) -> Sequence[object]:
    if not isinstance(given, list):
        raise InvalidProgramme(f"{what} is {type(given).__name__}; expected a list.")
    return given


def _text(given: Json, member: str) -> str:
    text = given.get(member)
    if not isinstance(text, str):
        raise InvalidProgramme(f"{member} is {text!r}; expected a text.")
    return text


def _integer(given: Json, member: str, default: int | None = None) -> int:
    number = given.get(member, default)
    if type(number) is not int:
        raise InvalidProgramme(f"{member} is {number!r}; expected a whole number.")
    return number
