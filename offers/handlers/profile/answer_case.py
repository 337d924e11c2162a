"""Let staff read a case, answer it, and close it.

Layer: flow. Takes: a case of the staff's own site. Gives: what staff may see of it, a `CaseAnswer`,
or why there is none. The answer goes out as a service message: it is one answer to the shopper's
own message, so that no cap of marketing counts it and no consent to marketing is asked for; the
bound is a number a day. Call `answer_case` through `answer_once`: it may grant points.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from offers.handlers.messages.send_mail import queue_mail
from offers.handlers.note_audit import note_audit, shopper_pseudonym
from offers.handlers.random_id import random_id
from offers.handlers.till.grant_goodwill import grant_points
from offers.model.audit import Actor, AuditAction
from offers.model.conditions.fact import PLACE_KINDS
from offers.model.conditions.shopper_facts import FactNeeds
from offers.model.errors import Busy, NotFound, WrongState
from offers.model.ids import CaseAnswerId, CaseId
from offers.model.loyalty.goodwill import DEFAULT_LIMITS, GoodwillLimits, GoodwillRefusal, Grant
from offers.model.messages.mail import MailKind
from offers.model.outbox import OutboxKind
from offers.model.people.consent import Purpose
from offers.model.people.service_case import (
    ANSWERS_A_DAY_MAX,
    CaseAnswer,
    CasePlace,
    CaseRefusal,
    CaseState,
    ServiceCase,
)
from offers.model.people.shopper import Credential
from offers.model.people.survey import Answer, Survey
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

PLACES_MAX: Final = 10
_A_DAY: Final = FactNeeds(days=MappingProxyType(dict.fromkeys(PLACE_KINDS, 1)))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CaseFile:
    """All that staff see of a case. Not printed by `repr`."""

    case: ServiceCase
    answers: tuple[CaseAnswer, ...]
    survey: Survey | None
    survey_answers: Mapping[str, Answer]
    places: tuple[CasePlace, ...]
    """where the shopper stood in the day before, newest first; none without `personalise`"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reply:
    """What staff want to say, and perhaps to grant. Not printed by `repr`."""

    words: str
    grant: Grant | None = None


def case_of_site(case: CaseId, site: SiteId, *, work: UnitOfWork) -> ServiceCase:
    """Return the case.

    Raises
    ------
    NotFound
        If it is unknown or of another site: the two are told apart nowhere.
    """
    found = work.cases.find(case)
    if found is None or found.site != site:
        raise NotFound("no such case; expected one of this site.")
    return found


def read_case(case: CaseId, site: SiteId, *, work: UnitOfWork) -> CaseFile:
    """Return all that staff may know of the case; `NotFound` as `case_of_site` says."""
    found = case_of_site(case, site, work=work)
    answered: Mapping[str, Answer] | None = None
    survey = None
    if found.survey is not None:
        survey = work.surveys.find(found.survey)
        answered = work.surveys.answers_of(found.survey, found.shopper)
    return CaseFile(
        case=found,
        answers=work.cases.answers_of(case),
        survey=survey,
        survey_answers=answered or {},
        places=_places(found, work=work),
    )


def answer_case(
    case: CaseId,
    reply: Reply,
    *,
    by: Credential,
    day: str,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    limits: GoodwillLimits = DEFAULT_LIMITS,
) -> CaseAnswer | CaseRefusal | GoodwillRefusal:
    """Answer a case, with points where staff grant some; `NotFound` as `case_of_site` says.

    Parameters
    ----------
    case
        One of the site of `by`.
    reply
        The words, and the grant.
    by, day
        The key that answers, which the audit names, and the calendar day of its site.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    limits
        Of the grant.

    Raises
    ------
    WrongState
        If the case is closed.
    Busy
        If another answer took the last slot of the day since the check; nothing is done.
    """
    assert by.site is not None
    found = case_of_site(case, by.site, work=work)
    if found.state is CaseState.CLOSED:
        raise WrongState(f"case {case} is closed; expected one that is open or answered.")
    if not work.cases.has_answer_slot(found.shopper, day=day, slots=ANSWERS_A_DAY_MAX):
        return CaseRefusal.DAY_LIMIT_REACHED
    if reply.grant is not None:
        granted = grant_points(
            found.shopper,
            reply.grant,
            by=by,
            day=day,
            work=work,
            now_ms=now_ms,
            secrets=secrets,
            limits=limits,
        )
        if isinstance(granted, GoodwillRefusal):
            return granted
    answer = _answer(found, reply, by=by, now_ms=now_ms, secrets=secrets)
    is_written = work.cases.add_answer(answer, day=day, slots=ANSWERS_A_DAY_MAX)
    if not is_written or not work.cases.note_answered(case, at_ms=now_ms):
        raise Busy(f"case {case} has just been answered or closed by somebody else. Try again.")
    _tell(answer, by=by, work=work, now_ms=now_ms, secrets=secrets)
    return answer


def close_case(
    case: CaseId, *, by: Credential, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> ServiceCase:
    """End a case; closing twice is as good as once. `NotFound` as `case_of_site` says."""
    assert by.site is not None
    found = case_of_site(case, by.site, work=work)
    if work.cases.close(case, at_ms=now_ms):
        note_audit(
            AuditAction.CASE_CLOSED,
            subject=shopper_pseudonym(found.shopper, secrets=secrets),
            by=Actor.of(by),
            work=work,
            now_ms=now_ms,
        )
    return case_of_site(case, by.site, work=work)


def _answer(
    case: ServiceCase, reply: Reply, *, by: Credential, now_ms: UnixMs, secrets: SecretSource
) -> CaseAnswer:
    return CaseAnswer(
        answer=CaseAnswerId(random_id(secrets)),
        case=case.case,
        shopper=case.shopper,
        by=by.credential,
        words=reply.words,
        at_ms=now_ms,
        points=None if reply.grant is None else reply.grant.points,
    )


def _tell(
    answer: CaseAnswer, *, by: Credential, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> None:
    work.outbox.add(
        OutboxKind.CASE_ANSWERED, shopper=answer.shopper, subject=answer.answer, at_ms=now_ms
    )
    queue_mail(
        MailKind.CASE_ANSWERED, answer.shopper, subject=answer.answer, work=work, now_ms=now_ms
    )
    note_audit(
        AuditAction.CASE_ANSWERED,
        subject=shopper_pseudonym(answer.shopper, secrets=secrets),
        by=Actor.of(by),
        # No id of the case: it goes with an erasure, and the audit stays.
        details={"points": answer.points},
        work=work,
        now_ms=now_ms,
    )


def _places(case: ServiceCase, *, work: UnitOfWork) -> tuple[CasePlace, ...]:
    # Read and never copied: a withdrawal deletes the facts, and with them what staff see.
    if work.consents.state_of(case.shopper).granted(Purpose.PERSONALISE) is None:
        return ()
    known = work.facts.of_shopper(case.shopper, _A_DAY, site=case.site, as_of_ms=case.at_ms)
    past = {} if known is None else known.past
    places = [
        CasePlace(zone=fact.zone, at_ms=fact.at_ms)
        for facts in past.values()
        for fact in facts
        if fact.zone is not None and fact.site == case.site and fact.at_ms <= case.at_ms
    ]
    return tuple(sorted(places, key=lambda place: (-place.at_ms, place.zone))[:PLACES_MAX])
