"""Shoppers who are not content: heard, answered, and by no more messages than a day may bring."""

from dataclasses import replace

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.messages.send_mail import MailToSend, prepare_mail
from offers.handlers.people.erase_shopper import erase_shopper
from offers.handlers.people.issue_credential import issue_credential
from offers.handlers.profile.answer_case import Reply, answer_case, close_case, read_case
from offers.handlers.profile.answer_survey import answer_survey, publish_survey
from offers.handlers.profile.open_case import complain, is_heard
from offers.model.audit import AuditAction
from offers.model.conditions.fact import DAY_MS
from offers.model.errors import InvalidProgramme, InvalidShopper, NotFound, WrongState
from offers.model.ids import CaseId, ShopperId
from offers.model.loyalty.goodwill import GoodwillLimits, GoodwillReason, GoodwillRefusal, Grant
from offers.model.loyalty.ledger import POINTS
from offers.model.loyalty.poor_answer import PoorAnswerRule
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.programme_json import parse_programme, render_programme
from offers.model.messages.contact import ContactWishes
from offers.model.offering.refusal import PushRefusal
from offers.model.outbox import OutboxKind
from offers.model.people.consent import Purpose
from offers.model.people.service_case import (
    ANSWERS_A_DAY_MAX,
    COMPLAINTS_A_DAY_MAX,
    CaseAnswer,
    CaseOrigin,
    CaseRefusal,
    CaseState,
    ServiceCase,
)
from offers.model.people.shopper import Credential, Role
from offers.model.people.survey import QuestionKind
from rtls.model.units import SiteId, UnixMs
from rtls.model.visit import TransitionKind
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, dwell_event, transition
from tests.unit.offers.test_push_offer import RULES
from tests.unit.offers.test_surveys import ANSWERS, VISIT

DAY = "2023-11-14"
LOW = PoorAnswerRule(kind=QuestionKind.SCALE, percent_max=40)
PAINT = PoorAnswerRule(kind=QuestionKind.MANY, options=frozenset({"paint"}))


def programme(*rules: PoorAnswerRule) -> Programme:
    return Programme(site=SITE, time_zone="Europe/Berlin", terms=(), poor_answers=rules)


def staff(shop: Shop, site: SiteId = SITE) -> Credential:
    issued = issue_credential(
        Role.STORE_ADMIN, work=shop.work, now_ms=START_MS, secrets=shop.secrets, site=site
    )
    return issued.credential


def write(
    shop: Shop,
    shopper: ShopperId,
    words: str = "Too few tills.",
    *,
    at_ms: int = START_MS,
    day: str = DAY,
) -> ServiceCase | CaseRefusal:
    return complain(
        shopper,
        words,
        site=SITE,
        day=day,
        work=shop.work,
        now_ms=UnixMs(at_ms),
        secrets=shop.secrets,
    )


def case_of(shop: Shop, shopper: ShopperId, **when: object) -> ServiceCase:
    case = write(shop, shopper, **when)  # type: ignore[arg-type]
    assert isinstance(case, ServiceCase)
    return case


def answer(
    shop: Shop,
    case: CaseId,
    *,
    by: Credential,
    grant: Grant | None = None,
    at_ms: int = START_MS + MINUTE_MS,
    day: str = DAY,
    limits: GoodwillLimits | None = None,
) -> CaseAnswer | CaseRefusal | GoodwillRefusal:
    return answer_case(
        case,
        Reply(words="We are sorry.", grant=grant),
        by=by,
        day=day,
        work=shop.work,
        now_ms=UnixMs(at_ms),
        secrets=shop.secrets,
        limits=limits or GoodwillLimits(),
    )


def in_state(shop: Shop, state: CaseState) -> list[CaseId]:
    return [case.case for case in shop.work.cases.of_site(SITE, state, limit=100)]


def test_a_complaint_is_read_answered_and_closed(shop: Shop) -> None:
    """C30: whoever writes is heard by somebody, and the audit says by whom."""
    anna, admin = shop.shopper(tag=None), staff(shop)
    case = case_of(shop, anna)
    assert (case.origin, in_state(shop, CaseState.OPEN)) == (CaseOrigin.COMPLAINT, [case.case])
    assert isinstance(answer(shop, case.case, by=admin), CaseAnswer)
    assert in_state(shop, CaseState.OPEN) == []
    assert in_state(shop, CaseState.ANSWERED) == [case.case]
    entry = shop.work.audit.head()
    assert entry is not None
    assert (entry.action, entry.actor_ref) == (AuditAction.CASE_ANSWERED, admin.credential)
    assert "sorry" not in entry.details
    assert anna not in (entry.subject, entry.details)
    close_case(case.case, by=admin, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    closed = shop.work.audit.head()
    close_case(case.case, by=admin, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    assert shop.work.audit.head() == closed
    assert in_state(shop, CaseState.CLOSED) == [case.case]
    with pytest.raises(WrongState, match="is closed"):
        answer(shop, case.case, by=admin)


def test_another_sites_case_is_unknown(shop: Shop) -> None:
    """The same words as for an id that never was."""
    case = case_of(shop, shop.shopper(tag=None)).case
    away = staff(shop, SiteId("elsewhere"))
    for asked in (case, CaseId("f" * 32)):
        with pytest.raises(NotFound, match="expected one of this site"):
            answer(shop, asked, by=away)
        with pytest.raises(NotFound, match="expected one of this site"):
            read_case(asked, away.site, work=shop.work)
        with pytest.raises(NotFound, match="expected one of this site"):
            close_case(asked, by=away, work=shop.work, now_ms=START_MS, secrets=shop.secrets)


@pytest.mark.parametrize(
    ("rules", "answers", "opened"),
    [
        ((LOW,), ANSWERS | {"advice": 2}, 1),
        ((LOW,), ANSWERS | {"advice": 3}, 0),
        ((PAINT,), ANSWERS | {"interests": ("garden", "paint")}, 1),
        ((PAINT,), ANSWERS, 0),
        ((LOW, PAINT), ANSWERS | {"advice": 1, "interests": ("paint",)}, 1),
        ((), ANSWERS | {"advice": 1}, 0),
    ],
)
def test_a_poor_answer_opens_a_case_as_the_programme_says(
    shop: Shop, rules: tuple[PoorAnswerRule, ...], answers: dict[str, object], opened: int
) -> None:
    """Two of five is poor where the retailer says so, and nowhere else."""
    start_programme(programme(*rules), work=shop.work, now_ms=START_MS)
    publish_survey(VISIT, work=shop.work)
    anna = shop.shopper(tag=None)
    answer_survey(
        anna, VISIT.survey, answers, work=shop.work, now_ms=START_MS, secrets=shop.secrets
    )
    assert is_heard(VISIT, work=shop.work) == bool(rules)
    cases = shop.work.cases.of_site(SITE, CaseState.OPEN, limit=10)
    assert [case.survey for case in cases] == [VISIT.survey] * opened
    if opened:
        file = read_case(cases[0].case, SITE, work=shop.work)
        assert file.survey == VISIT
        assert dict(file.survey_answers) == answers


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": QuestionKind.TEXT},
        {"kind": QuestionKind.SCALE},
        {"kind": QuestionKind.SCALE, "percent_max": 0},
        {"kind": QuestionKind.SCALE, "percent_max": 100},
        {"kind": QuestionKind.SCALE, "percent_max": 40, "options": frozenset({"bad"})},
        {"kind": QuestionKind.ONE},
        {"kind": QuestionKind.ONE, "percent_max": 40},
        {"kind": QuestionKind.MANY, "options": frozenset({"Very Bad!"})},
    ],
)
def test_a_rule_that_could_not_work_is_refused(rule: dict[str, object]) -> None:
    """A rule that never fires would look like shoppers who are all content."""
    with pytest.raises(InvalidProgramme, match="poor_answers"):
        PoorAnswerRule(**rule)  # type: ignore[arg-type]


def test_rules_are_read_again_as_they_were_written() -> None:
    """A revision of the programme is kept as its document."""
    written = programme(LOW, PAINT)
    assert parse_programme(render_programme(written), source="again") == written
    with pytest.raises(InvalidProgramme, match="kind is 'mood'"):
        parse_programme(
            render_programme(written).replace('"scale"', '"mood"'), source="programme.json"
        )


def test_so_many_messages_a_day_and_no_more(shop: Shop) -> None:
    """No cap of marketing counts them, so each side has a bound of its own."""
    anna, ben, admin = shop.shopper(tag=None), shop.shopper(tag=None), staff(shop)
    cases = [case_of(shop, anna) for _ in range(COMPLAINTS_A_DAY_MAX)]
    assert write(shop, anna) is CaseRefusal.DAY_LIMIT_REACHED
    assert isinstance(write(shop, ben), ServiceCase)
    assert isinstance(write(shop, anna, day="2023-11-15"), ServiceCase)
    for number in range(ANSWERS_A_DAY_MAX):
        assert isinstance(answer(shop, cases[number % 3].case, by=admin), CaseAnswer)
    waiting = len(shop.work.outbox.waiting(limit=100))
    assert answer(shop, cases[0].case, by=admin) is CaseRefusal.DAY_LIMIT_REACHED
    assert len(shop.work.outbox.waiting(limit=100)) == waiting
    assert isinstance(answer(shop, cases[0].case, by=admin, day="2023-11-15"), CaseAnswer)


@pytest.mark.parametrize("words", ["", "   ", "x" * 1_001, "Erika\x00Mustermann", "Erika\x1b[2J"])
def test_what_is_no_message_is_refused_and_not_repeated(shop: Shop, words: str) -> None:
    """Free text may hold a name; an error ends up in logs."""
    with pytest.raises(InvalidShopper) as caught:
        write(shop, shop.shopper(tag=None), words)
    assert "Erika" not in str(caught.value)


def test_points_go_with_the_answer_within_what_the_key_may_grant(shop: Shop) -> None:
    """An apology with a grant above the limit is no answer at all, and nothing of it is done."""
    anna, admin = shop.shopper(tag=None), staff(shop)
    case = case_of(shop, anna).case
    limits = GoodwillLimits(points_a_grant_max=60, points_a_day_max=100)
    grant = Grant(points=60, reason=GoodwillReason.LONG_WAIT, site=SITE)

    def try_it(points: int) -> object:
        wished = replace(grant, points=points)
        return answer(shop, case, by=admin, grant=wished, limits=limits)

    assert try_it(61) is GoodwillRefusal.ABOVE_GRANT_LIMIT
    assert shop.work.cases.answers_of(case) == ()
    granted = try_it(60)
    assert isinstance(granted, CaseAnswer)
    assert granted.points == 60
    assert try_it(41) is GoodwillRefusal.DAY_LIMIT_REACHED
    assert shop.work.cases.answers_of(case) == (granted,)
    [wallet] = shop.work.ledger.wallets_of(anna)
    assert (wallet.account.unit, wallet.balance_minor) == (POINTS, 60)


def test_staff_see_where_it_was_as_long_as_the_shopper_lets_it_be_known(shop: Shop) -> None:
    """Read and never copied: withdrawing `personalise` takes it out of every case at once."""
    anna, ben = shop.shopper(), shop.shopper(Purpose.LOCATE, tag="tag:2")
    for tag in ("tag:1", "tag:2"):
        event = dwell_event(tag, at_ms=START_MS + 6 * MINUTE_MS)
        shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
        shop.tell(event)
        left_ms = START_MS + 7 * MINUTE_MS
        shop.tell(transition(event, TransitionKind.LEFT, at_ms=left_ms))
    soon, late = START_MS + 8 * MINUTE_MS, START_MS + 8 * MINUTE_MS + DAY_MS

    def zones(shopper: ShopperId, at_ms: int) -> set[str]:
        case = case_of(shop, shopper, at_ms=at_ms, day=f"day {at_ms}")
        return {place.zone for place in read_case(case.case, SITE, work=shop.work).places}

    assert zones(anna, soon) == {"dowels"}
    assert zones(anna, late) == set()
    assert zones(anna, START_MS) == set()  # what he did afterwards is none of its business
    assert zones(ben, soon) == set()
    shop.say(anna, Purpose.PERSONALISE, is_granted=False, now_ms=soon)
    assert zones(anna, soon + 1) == set()


def test_the_figures_say_how_long_shoppers_waited(shop: Shop) -> None:
    """The middle wait, and the one who waits longest of all, however long ago he wrote."""
    anna, admin = shop.shopper(tag=None), staff(shop)
    old = case_of(shop, anna, at_ms=START_MS - 50 * DAY_MS, day="1")
    for minutes in (10, 20, 90):
        case = case_of(shop, anna, day=str(minutes))
        at_ms = START_MS + minutes * MINUTE_MS
        for later_ms in (0, MINUTE_MS):  # the first answer counts
            answered_ms = at_ms + later_ms
            answer(shop, case.case, by=admin, at_ms=answered_ms, day=str(minutes))
    case_of(shop, anna, day="9")
    figures = shop.work.cases.figures(SITE, since_ms=UnixMs(START_MS - DAY_MS))
    assert (figures.opened, figures.answered, figures.closed) == (4, 3, 0)
    assert figures.answer_ms_median == 20 * MINUTE_MS
    assert figures.waiting_since_ms == old.at_ms
    nothing = shop.work.cases.figures(SiteId("elsewhere"), since_ms=START_MS)
    assert (nothing.opened, nothing.answer_ms_median, nothing.waiting_since_ms) == (0, None, None)


def test_an_answer_comes_by_mail_without_a_consent_to_marketing(shop: Shop) -> None:
    """It answers his own message; but what he switched off stays off."""
    anna, admin = shop.shopper(Purpose.PERSONALISE, tag=None), staff(shop)
    confirmed = ContactWishes(mail_address="anna@example.org", mail_confirmed_at_ms=START_MS)
    shop.work.contacts.set_wishes(anna, confirmed)
    answer(shop, case_of(shop, anna).case, by=admin)
    [mail] = shop.work.mails.due(now_ms=UnixMs(START_MS + DAY_MS), limit=9)

    def prepare(now_ms: int) -> object:
        return prepare_mail(
            mail.sequence,
            SITE,
            work=shop.work,
            now_ms=UnixMs(now_ms),
            secrets=shop.secrets,
            rules=RULES,
        )

    in_the_night = prepare(START_MS + 5 * 60 * MINUTE_MS)  # 04:13 in Berlin
    assert isinstance(in_the_night, MailToSend)
    assert in_the_night.words == "We are sorry."
    shop.work.contacts.set_wishes(anna, replace(confirmed, wants_mail=False))
    assert prepare(START_MS) is PushRefusal.CHANNEL_OFF
    answer(shop, case_of(shop, anna).case, by=admin)
    assert len(shop.work.mails.due(now_ms=UnixMs(START_MS + DAY_MS), limit=9)) == 1


def test_who_is_erased_is_told_nothing_and_leaves_nothing(shop: Shop) -> None:
    """The answer that was on its way has nowhere to go."""
    anna, admin = shop.shopper(tag=None), staff(shop)
    case = case_of(shop, anna)
    answered = answer(shop, case.case, by=admin)
    assert isinstance(answered, CaseAnswer)
    exported = shop.work.personal_data.export(anna)
    assert exported["service_cases"][0]["words"] == "Too few tills."
    assert exported["case_answers"][0]["words"] == "We are sorry."
    erase_shopper(anna, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    assert shop.work.cases.find(case.case) is None
    assert shop.work.cases.find_answer(answered.answer) is None
    kinds = {event.kind for event in shop.work.outbox.waiting(limit=100)}
    assert OutboxKind.CASE_ANSWERED not in kinds


def test_a_case_is_kept_for_thirteen_months_answered_or_not(shop: Shop) -> None:
    """What nobody closes must not stay for ever."""
    case = case_of(shop, shop.shopper(tag=None)).case
    answer(shop, case, by=staff(shop))
    end_ms = START_MS + 396 * DAY_MS
    expire_overdue(work=shop.work, now_ms=UnixMs(end_ms))
    assert shop.work.cases.find(case) is not None
    expire_overdue(work=shop.work, now_ms=UnixMs(end_ms + 1))
    assert shop.work.cases.find(case) is None
