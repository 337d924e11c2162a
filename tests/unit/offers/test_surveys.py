"""Surveys: asked once, checked answer by answer, reported as counts that point at nobody."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.handlers.profile.answer_survey import (
    SHOPPERS_MIN,
    answer_survey,
    count_answers,
    publish_survey,
)
from offers.model.campaigns.trigger import SurveyTrigger
from offers.model.errors import InvalidAnswer, InvalidSurvey, NotFound, WrongState
from offers.model.ids import SurveyId
from offers.model.people.shopper import Locale
from offers.model.people.survey import Question, QuestionKind, Survey
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop, campaign, memory_engine, scratch_work

TEXTS = {Locale.DE: "Wie war es?", Locale.EN: "How was it?"}
ADVICE = Question(question="advice", kind=QuestionKind.SCALE, texts=TEXTS)
INTERESTS = Question(
    question="interests",
    kind=QuestionKind.MANY,
    texts=TEXTS,
    options=("garden", "tools", "paint"),
    option_texts={
        Locale.DE: ("Garten", "Werkzeug", "Farbe"),
        Locale.EN: ("Garden", "Tools", "Paint"),
    },
)
COMMENT = Question(question="comment", kind=QuestionKind.TEXT, texts=TEXTS, is_required=False)
VISIT = Survey(
    survey=SurveyId("visit"),
    site=SITE,
    titles=TEXTS,
    questions=(ADVICE, INTERESTS, COMMENT),
    from_ms=START_MS,
    until_ms=UnixMs(START_MS + 1_000),
)
ANSWERS = {"advice": 4, "interests": ("garden", "tools")}


def answer(shop: Shop, shopper, answers=ANSWERS, *, now_ms: int = START_MS) -> Survey:
    return answer_survey(
        shopper,
        VISIT.survey,
        answers,
        work=shop.work,
        now_ms=UnixMs(now_ms),
        secrets=shop.secrets,
    )


def test_a_survey_is_asked_until_it_is_answered(shop: Shop) -> None:
    """Being asked twice is the surest way to lose who answers."""
    publish_survey(VISIT, work=shop.work)
    anna, ben = shop.shopper(tag=None), shop.shopper(tag=None)
    surveys = shop.work.surveys
    assert surveys.unanswered(anna, now_ms=START_MS, limit=5) == (VISIT,)
    answer(shop, anna)
    assert surveys.unanswered(anna, now_ms=START_MS, limit=5) == ()
    assert surveys.unanswered(ben, now_ms=START_MS, limit=5) == (VISIT,)
    with pytest.raises(WrongState, match="each shopper is asked once"):
        answer(shop, anna)


@pytest.mark.parametrize("now_ms", [START_MS - 1, START_MS + 1_000])
def test_outside_its_time_a_survey_is_neither_asked_nor_answered(shop: Shop, now_ms: int) -> None:
    """The end is the first instant at which it is over."""
    publish_survey(VISIT, work=shop.work)
    anna = shop.shopper(tag=None)
    assert shop.work.surveys.unanswered(anna, now_ms=UnixMs(now_ms), limit=5) == ()
    with pytest.raises(NotFound, match="not asked now"):
        answer(shop, anna, now_ms=now_ms)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"interests": ("garden",)}, "advice.*not answered"),
        (ANSWERS | {"mood": 3}, "no question.*mood"),
        (ANSWERS | {"advice": 6}, "advice.*1 to 5"),
        (ANSWERS | {"advice": True}, "advice.*1 to 5"),
        (ANSWERS | {"advice": "4"}, "advice.*1 to 5"),
        (ANSWERS | {"interests": ()}, "interests.*different ones"),
        (ANSWERS | {"interests": ("garden", "garden")}, "interests.*different ones"),
        (ANSWERS | {"interests": ("cars",)}, "interests.*different ones"),
        (ANSWERS | {"comment": "   "}, "comment.*printable"),
        (ANSWERS | {"comment": "x" * 501}, "comment.*printable"),
        (ANSWERS | {"comment": "\x00"}, "comment.*printable"),
    ],
)
def test_an_answer_that_does_not_fit_is_named_and_nothing_is_kept(
    shop: Shop, answers, message: str
) -> None:
    """A report over answers to other questions would mislead."""
    publish_survey(VISIT, work=shop.work)
    anna = shop.shopper(tag=None)
    with pytest.raises(InvalidAnswer, match=message):
        answer(shop, anna, answers)
    assert shop.work.surveys.answered(VISIT.survey) == 0


def test_the_message_does_not_repeat_what_somebody_wrote(shop: Shop) -> None:
    """Free text may hold a name; an error ends up in logs."""
    publish_survey(VISIT, work=shop.work)
    with pytest.raises(InvalidAnswer) as caught:
        answer(shop, shop.shopper(tag=None), ANSWERS | {"comment": "Erika\x00Mustermann"})
    assert "Erika" not in str(caught.value)


def test_a_published_survey_does_not_change(shop: Shop) -> None:
    """Answers belong to the wording that was read."""
    publish_survey(VISIT, work=shop.work)
    assert publish_survey(VISIT, work=shop.work) == VISIT
    with pytest.raises(InvalidSurvey, match="another wording"):
        publish_survey(replace(VISIT, questions=(ADVICE,)), work=shop.work)


def test_a_survey_comes_back_from_storage_as_it_was(shop: Shop) -> None:
    """Every member of every question, or the app would ask something else."""
    publish_survey(VISIT, work=shop.work)
    assert shop.work.surveys.find(VISIT.survey) == VISIT
    assert shop.work.surveys.of_site(SITE) == (VISIT,)


@given(st.lists(st.sampled_from([1, 2, 5]), max_size=25))
def test_a_report_counts_right_and_never_shows_fewer_than_ten(answers: list[int]) -> None:
    """With nine answers of five, the tenth shopper's colleagues would know the one of one."""
    with memory_engine() as engine, scratch_work(engine) as work:
        shop = Shop(work)
        publish_survey(VISIT, work=work)
        for given_answer in answers:
            answer(shop, shop.shopper(tag=None), ANSWERS | {"advice": given_answer})
        counted = count_answers(VISIT.survey, site=SITE, work=work)
    for step in range(1, 6):
        truth = answers.count(step)
        shown = counted.counts["advice"][str(step)]
        assert shown == (truth if truth >= SHOPPERS_MIN else None)
    assert counted.answered == (len(answers) if len(answers) >= SHOPPERS_MIN else None)
    assert "comment" not in counted.counts


def test_another_sites_survey_is_unknown_to_its_staff(shop: Shop) -> None:
    """Reports end at the own shop's door."""
    publish_survey(VISIT, work=shop.work)
    with pytest.raises(NotFound):
        count_answers(VISIT.survey, site=SiteId("elsewhere"), work=shop.work)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"questions": ()}, "0 questions"),
        ({"questions": (ADVICE, ADVICE)}, "each name once"),
        ({"titles": {Locale.DE: "Nur deutsch"}}, "titles"),
        ({"until_ms": START_MS}, "start before its end"),
        ({"survey": SurveyId("Bad Name")}, "survey is"),
    ],
)
def test_a_survey_that_nobody_could_answer_is_refused(change, message: str) -> None:
    """Where somebody reads the error, not in the shopper's app."""
    with pytest.raises(InvalidSurvey, match=message):
        replace(VISIT, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": ("garden",), "option_texts": {}}, "2 to 20"),
        ({"options": ("garden", "garden", "paint")}, "different"),
        ({"option_texts": {Locale.DE: ("a", "b", "c")}}, "do not fit in en"),
        ({"kind": QuestionKind.SCALE}, "0 to 0"),
        ({"scale_max": 1}, "scale_max"),
        ({"texts": {Locale.EN: "Only English"}}, "texts are in"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(change, message: str) -> None:
    """Every language and every option has its text."""
    with pytest.raises(InvalidSurvey, match=message):
        replace(INTERESTS, **change)


def test_answering_wakes_the_campaign_that_says_thank_you(shop: Shop) -> None:
    """Once, and only the campaign of this very survey."""
    thanks = replace(campaign("thanks"), trigger=SurveyTrigger(survey=VISIT.survey))
    other = replace(campaign("other"), trigger=SurveyTrigger(survey="another"))
    shop.start(thanks, other)
    publish_survey(VISIT, work=shop.work)
    anna = shop.shopper(tag=None)
    answer(shop, anna)
    assert shop.offer_of(anna).offer.campaign == "thanks"
