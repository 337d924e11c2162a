"""Read an experiment from its document, and write one back.

Layer: nouns. Takes: what `json.loads` gives. Gives: an `Experiment`, or an error that names the
member. ``{"experiment": "shelf-coffee", "revision": 1, "question": "Does a coupon pay?",
"salt": "9f2c6a11", "metric": "margin-minor", "from": "2026-12-01T00:00:00+01:00",
"until": "2027-01-12T00:00:00+01:00",
"factors": [{"name": "offer", "dimension": "benefit", "levels": ["none", "ten-percent"]}],
"guardrails": [{"metric": "visits", "worse_when": "lower", "margin": 0.1}]}``
"""

from enum import Enum
from typing import TypeVar

from offers.model.errors import InvalidCampaign, InvalidExperiment
from offers.model.experiments.experiment import (
    Dimension,
    Experiment,
    Factor,
    Guardrail,
    WorseWhen,
)
from offers.model.ids import ExperimentId
from offers.model.json_members import (
    Json,
    instant_of,
    integer_of,
    list_of,
    object_of,
    refuse_unknown,
    rendered_instant,
    text_of,
)

E = TypeVar("E", bound=Enum)
MEMBERS = {"experiment", "revision", "question", "salt", "metric", "from", "until", "factors"}


def parse_experiment(given: object) -> Experiment:
    """Return the experiment of a document.

    Raises
    ------
    InvalidExperiment
        If a member is unknown, missing or wrong.
    """
    try:
        return _experiment(object_of(given, "experiment"))
    except InvalidCampaign as error:  # the readers of members know campaigns only
        raise InvalidExperiment(f"{error} Correct the document and send it again.") from error


def render_experiment(experiment: Experiment) -> dict[str, object]:
    """Return the document that `parse_experiment` reads."""
    return {
        "experiment": experiment.experiment,
        "revision": experiment.revision,
        "question": experiment.question,
        "salt": experiment.salt,
        "metric": experiment.metric,
        "from": rendered_instant(experiment.from_ms),
        "until": rendered_instant(experiment.until_ms),
        "factors": [
            {
                "name": factor.name,
                "dimension": factor.dimension.value,
                "levels": list(factor.levels),
            }
            for factor in experiment.factors
        ],
        "guardrails": [
            {
                "metric": guardrail.metric,
                "worse_when": guardrail.worse_when.value,
                "margin": guardrail.margin,
            }
            for guardrail in experiment.guardrails
        ],
    }


def _experiment(given: Json) -> Experiment:
    refuse_unknown(given, "experiment", MEMBERS | {"guardrails"})
    return Experiment(
        experiment=ExperimentId(text_of(given, "experiment")),
        revision=integer_of(given, "revision"),
        question=text_of(given, "question"),
        salt=text_of(given, "salt"),
        metric=text_of(given, "metric"),
        from_ms=instant_of(given, "from", "experiment"),
        until_ms=instant_of(given, "until", "experiment"),
        factors=tuple(
            _factor(object_of(entry, f"factors[{at}]"))
            for at, entry in enumerate(list_of(given.get("factors"), "factors"))
        ),
        guardrails=tuple(
            _guardrail(object_of(entry, f"guardrails[{at}]"))
            for at, entry in enumerate(list_of(given.get("guardrails", []), "guardrails"))
        ),
    )


def _factor(given: Json) -> Factor:
    refuse_unknown(given, "factor", {"name", "dimension", "levels"})
    levels = list_of(given.get("levels"), "factor.levels")
    for level in levels:
        if not isinstance(level, str):
            raise InvalidExperiment(
                f"factor.levels has {level!r}; expected a text. Put it in quotes."
            )
    return Factor(
        name=text_of(given, "name"),
        dimension=_member_of(Dimension, given, "dimension"),
        levels=tuple(str(level) for level in levels),
    )


def _guardrail(given: Json) -> Guardrail:
    refuse_unknown(given, "guardrail", {"metric", "worse_when", "margin"})
    margin = given.get("margin")
    if isinstance(margin, bool) or not isinstance(margin, int | float):
        raise InvalidExperiment(
            f"guardrail.margin is {margin!r}; expected a number. Say how much worse is allowed."
        )
    return Guardrail(
        metric=text_of(given, "metric"),
        worse_when=_member_of(WorseWhen, given, "worse_when"),
        margin=float(margin),
    )


def _member_of(kind: type[E], given: Json, member: str) -> E:
    text = text_of(given, member)
    try:
        return kind(text)
    except ValueError as error:
        expected = [known.value for known in kind]
        raise InvalidExperiment(
            f"{member} is {text!r}; expected one of {expected}. Choose one of them."
        ) from error
