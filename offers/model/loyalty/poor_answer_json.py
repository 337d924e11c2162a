"""Read from JSON which answers of a survey are poor, and write it back.

Layer: nouns. Takes: an entry of "poor_answers" of a programme. Gives: a `PoorAnswerRule`.
"""

from collections.abc import Mapping

from offers.model.errors import InvalidProgramme
from offers.model.json_members import integer_of, list_of, refuse_unknown, text_of
from offers.model.loyalty.poor_answer import PoorAnswerRule
from offers.model.people.survey import QuestionKind


def parse_poor_answer(given: Mapping[str, object]) -> PoorAnswerRule:
    """Return the rule.

    Raises
    ------
    InvalidProgramme
        If its kind is none of a question; `InvalidCampaign` for a member that is no such thing.
    """
    refuse_unknown(given, "poor_answers", {"kind", "percent_max", "options"})
    kind = text_of(given, "kind")
    if kind not in set(QuestionKind):
        raise InvalidProgramme(
            f"kind is {kind!r}; expected of {[str(one) for one in QuestionKind]}."
        )
    has_percent = given.get("percent_max") is not None
    options = list_of(given.get("options", []), "options")
    return PoorAnswerRule(
        kind=QuestionKind(kind),
        percent_max=integer_of(given, "percent_max") if has_percent else None,
        options=frozenset(str(option) for option in options),
    )


def render_poor_answer(rule: PoorAnswerRule) -> Mapping[str, object]:
    """Return what `parse_poor_answer` reads."""
    if rule.percent_max is not None:
        return {"kind": rule.kind.value, "percent_max": rule.percent_max}
    return {"kind": rule.kind.value, "options": sorted(rule.options)}
