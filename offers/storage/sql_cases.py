"""Keep cases and their answers in SQL. A UNIQUE slot of the day bounds what is said.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Cases`.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from offers.model.ids import CaseAnswerId, CaseId, CredentialId, ShopperId, SurveyId
from offers.model.people.service_case import CaseAnswer, CaseFigures, CaseState, ServiceCase
from offers.storage.insert_once import insert_once
from offers.storage.tables import CASE_ANSWERS, SERVICE_CASES
from rtls.model.units import SiteId, UnixMs

_C, _A = SERVICE_CASES.c, CASE_ANSWERS.c
_MOST = sa.bindparam("most", type_=sa.Integer)
_IS_CASE: sa.ColumnElement[bool] = _C.case_id == sa.bindparam("case")
_IS_OF_SITE: sa.ColumnElement[bool] = _C.site == sa.bindparam("of_site")
_IS_OF_SHOPPER: sa.ColumnElement[bool] = _A.shopper_id == sa.bindparam("shopper")
_IS_ANSWER: sa.ColumnElement[bool] = _A.answer_id == sa.bindparam("answer")
_IS_WAITING: sa.ColumnElement[bool] = sa.and_(
    _C.closed_at_ms.is_(None), _C.answered_at_ms.is_(None)
)
_FIND = sa.select(SERVICE_CASES).where(_IS_CASE)
_OF_SITE: Mapping[CaseState, sa.Select[*tuple[object, ...]]] = {
    CaseState.OPEN: sa.select(SERVICE_CASES)
    .where(_IS_OF_SITE, _IS_WAITING)
    .order_by(_C.at_ms, _C.case_id)
    .limit(_MOST),
    CaseState.ANSWERED: sa.select(SERVICE_CASES)
    .where(_IS_OF_SITE, _C.closed_at_ms.is_(None), _C.answered_at_ms.is_not(None))
    .order_by(_C.at_ms, _C.case_id)
    .limit(_MOST),
    CaseState.CLOSED: sa.select(SERVICE_CASES)
    .where(_IS_OF_SITE, _C.closed_at_ms.is_not(None))
    .order_by(_C.closed_at_ms.desc(), _C.case_id)
    .limit(_MOST),
}
_OF_SHOPPER = (
    sa.select(SERVICE_CASES)
    .where(_C.shopper_id == sa.bindparam("shopper"))
    .order_by(_C.at_ms.desc(), _C.case_id)
    .limit(_MOST)
)
_SLOTS_TAKEN = (
    sa.select(sa.func.count())
    .select_from(CASE_ANSWERS)
    .where(_IS_OF_SHOPPER, _A.day == sa.bindparam("on_day"))
)
_NOTE_ANSWERED = (
    sa.update(SERVICE_CASES)
    .where(_IS_CASE, _C.closed_at_ms.is_(None))
    .values(
        answered_at_ms=sa.func.coalesce(
            _C.answered_at_ms, sa.bindparam("now_ms", type_=sa.BigInteger)
        )
    )
)
_CLOSE = (
    sa.update(SERVICE_CASES)
    .where(_IS_CASE, _C.closed_at_ms.is_(None))
    .values(closed_at_ms=sa.bindparam("now_ms"))
)
_FIND_ANSWER = sa.select(CASE_ANSWERS).where(_IS_ANSWER)
_ANSWERS = (
    sa.select(CASE_ANSWERS)
    .where(_A.case_id == sa.bindparam("case"))
    .order_by(_A.at_ms, _A.answer_id)
)
_UNREACHED = (
    sa.select(CASE_ANSWERS)
    .where(_IS_OF_SHOPPER, _A.reached_at_ms.is_(None))
    .order_by(_A.at_ms, _A.answer_id)
)
_NOTE_REACHED = (
    sa.update(CASE_ANSWERS)
    .where(_IS_ANSWER, _A.reached_at_ms.is_(None))
    .values(reached_at_ms=sa.bindparam("now_ms"))
)
_IS_RECENT: sa.ColumnElement[bool] = sa.and_(_IS_OF_SITE, _C.at_ms >= sa.bindparam("since_ms"))
_COUNTS = sa.select(
    sa.func.count(), sa.func.count(_C.answered_at_ms), sa.func.count(_C.closed_at_ms)
).where(_IS_RECENT)
_WAITED = _C.answered_at_ms - _C.at_ms
# The lower of the two in the middle, so that the figure is a wait that somebody had.
_MEDIAN = (
    sa.select(_WAITED)
    .where(_IS_RECENT, _C.answered_at_ms.is_not(None))
    .order_by(_WAITED)
    .limit(1)
    .offset(sa.bindparam("middle", type_=sa.Integer))
)
_WAITING_SINCE = sa.select(sa.func.min(_C.at_ms)).where(_IS_OF_SITE, _IS_WAITING)


class SqlCases:
    """Who is not content, and what was answered."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(SERVICE_CASES, connection.dialect.name)
        self._insert_answer = insert_once(CASE_ANSWERS, connection.dialect.name)

    def add_complaint(self, case: ServiceCase, *, day: str, slots: int) -> bool:
        """Write a complaint into a free slot of the shopper's day; False where there is none."""
        row = _row(case)
        return any(
            self._connection.execute(self._insert, row | {"day": day, "slot": slot}).rowcount == 1
            for slot in range(slots)
        )

    def add_of_survey(self, case: ServiceCase) -> bool:
        """Write the case of a survey; False where the shopper has one of this survey."""
        row = _row(case) | {"day": None, "slot": None}
        return self._connection.execute(self._insert, row).rowcount == 1

    def find(self, case: CaseId) -> ServiceCase | None:
        """Return the case, or None."""
        row = self._connection.execute(_FIND, {"case": case}).one_or_none()
        return None if row is None else _case(row)

    def of_site(self, site: SiteId, state: CaseState, *, limit: int) -> tuple[ServiceCase, ...]:
        """Return the cases of a site in a state: the longest waiting first, closed newest first."""
        given = {"of_site": site, "most": limit}
        return tuple(_case(row) for row in self._connection.execute(_OF_SITE[state], given))

    def of_shopper(self, shopper: ShopperId, *, limit: int) -> tuple[ServiceCase, ...]:
        """Return the shopper's cases, newest first."""
        given = {"shopper": shopper, "most": limit}
        return tuple(_case(row) for row in self._connection.execute(_OF_SHOPPER, given))

    def has_answer_slot(self, shopper: ShopperId, *, day: str, slots: int) -> bool:
        """Say whether one more answer may go to the shopper on this day."""
        given = {"shopper": shopper, "on_day": day}
        return int(self._connection.execute(_SLOTS_TAKEN, given).scalar_one()) < slots

    def add_answer(self, answer: CaseAnswer, *, day: str, slots: int) -> bool:
        """Write an answer into a free slot of the shopper's day; False where there is none."""
        row = {
            "answer_id": answer.answer,
            "case_id": answer.case,
            "shopper_id": answer.shopper,
            "by_credential": answer.by,
            "words": answer.words,
            "points": answer.points,
            "day": day,
            "at_ms": answer.at_ms,
            "reached_at_ms": None,
        }
        return any(
            self._connection.execute(self._insert_answer, row | {"slot": slot}).rowcount == 1
            for slot in range(slots)
        )

    def note_answered(self, case: CaseId, *, at_ms: UnixMs) -> bool:
        """Write when the case was first answered; False where it is closed."""
        given = {"case": case, "now_ms": at_ms}
        return self._connection.execute(_NOTE_ANSWERED, given).rowcount == 1

    def close(self, case: CaseId, *, at_ms: UnixMs) -> bool:
        """End the case; False where it is unknown or closed."""
        given = {"case": case, "now_ms": at_ms}
        return self._connection.execute(_CLOSE, given).rowcount == 1

    def find_answer(self, answer: CaseAnswerId) -> CaseAnswer | None:
        """Return the answer, or None."""
        row = self._connection.execute(_FIND_ANSWER, {"answer": answer}).one_or_none()
        return None if row is None else _answer(row)

    def answers_of(self, case: CaseId) -> tuple[CaseAnswer, ...]:
        """Return the answers to a case, oldest first."""
        return tuple(_answer(row) for row in self._connection.execute(_ANSWERS, {"case": case}))

    def unreached_of(self, shopper: ShopperId) -> tuple[CaseAnswer, ...]:
        """Return the answers that no app and no browser has taken yet, oldest first."""
        rows = self._connection.execute(_UNREACHED, {"shopper": shopper})
        return tuple(_answer(row) for row in rows)

    def note_reached(self, answer: CaseAnswerId, *, at_ms: UnixMs) -> bool:
        """Write that an app or a browser has taken it; False where one had, or it is gone."""
        given = {"answer": answer, "now_ms": at_ms}
        return self._connection.execute(_NOTE_REACHED, given).rowcount == 1

    def figures(self, site: SiteId, *, since_ms: UnixMs) -> CaseFigures:
        """Return how the cases fared that were opened since an instant."""
        given = {"of_site": site, "since_ms": since_ms}
        opened, answered, closed = self._connection.execute(_COUNTS, given).one()
        median = None
        if answered:
            middle = given | {"middle": (answered - 1) // 2}
            median = int(self._connection.execute(_MEDIAN, middle).scalar_one())
        waiting = self._connection.execute(_WAITING_SINCE, {"of_site": site}).scalar_one()
        return CaseFigures(
            opened=opened,
            answered=answered,
            closed=closed,
            answer_ms_median=median,
            waiting_since_ms=None if waiting is None else UnixMs(waiting),
        )


def _row(case: ServiceCase) -> dict[str, object]:
    return {
        "case_id": case.case,
        "shopper_id": case.shopper,
        "site": case.site,
        "at_ms": case.at_ms,
        "survey_id": case.survey,
        "words": case.words,
        "answered_at_ms": case.answered_at_ms,
        "closed_at_ms": case.closed_at_ms,
    }


def _case(row: sa.Row[*tuple[object, ...]]) -> ServiceCase:
    return ServiceCase(
        case=CaseId(row.case_id),
        shopper=ShopperId(row.shopper_id),
        site=SiteId(row.site),
        at_ms=UnixMs(row.at_ms),
        words=row.words,
        survey=None if row.survey_id is None else SurveyId(row.survey_id),
        answered_at_ms=None if row.answered_at_ms is None else UnixMs(row.answered_at_ms),
        closed_at_ms=None if row.closed_at_ms is None else UnixMs(row.closed_at_ms),
    )


def _answer(row: sa.Row[*tuple[object, ...]]) -> CaseAnswer:
    return CaseAnswer(
        answer=CaseAnswerId(row.answer_id),
        case=CaseId(row.case_id),
        shopper=ShopperId(row.shopper_id),
        by=CredentialId(row.by_credential),
        words=row.words,
        at_ms=UnixMs(row.at_ms),
        points=row.points,
    )
