"""Say in SQL what webhooks need.

Layer: edges. Takes: tables. Gives: statements to sql_webhooks, each with named parameters.
"""

from typing import Final

import sqlalchemy as sa

from offers.model.messages.webhook import WebhookState
from offers.storage.tables import WEBHOOK_EVENTS, WEBHOOK_KINDS, WEBHOOK_QUEUE, WEBHOOKS

WAITING: Final = "waiting"
DEAD: Final = "dead"

_W = WEBHOOKS.c
_K = WEBHOOK_KINDS.c
_E = WEBHOOK_EVENTS.c
_Q = WEBHOOK_QUEUE.c
_MOST: Final = sa.bindparam("most", type_=sa.Integer)
_ONE: Final = _W.webhook_id == sa.bindparam("webhook")
_ITS: Final = _Q.webhook_id == sa.bindparam("webhook")
_NUMBER: Final = _Q.event_sequence == sa.bindparam("number")
_NUMBERS: Final = sa.bindparam("numbers", type_=sa.BigInteger(), expanding=True)

FIND: Final = sa.select(WEBHOOKS).where(_ONE)
OF_SITE: Final = (
    sa.select(WEBHOOKS)
    .where(_W.site == sa.bindparam("at_site"))
    .order_by(_W.created_at_ms, _W.webhook_id)
)
ANY: Final = sa.select(_W.webhook_id).limit(1)
KINDS: Final = sa.select(_K.kind).where(_K.webhook_id == sa.bindparam("webhook"))
REMOVE: Final = (
    sa.delete(WEBHOOK_QUEUE).where(_ITS),
    sa.delete(WEBHOOK_KINDS).where(_K.webhook_id == sa.bindparam("webhook")),
    sa.delete(WEBHOOKS).where(_ONE),
)
RENEW_SECRET: Final = sa.update(WEBHOOKS).where(_ONE).values(secret_version=_W.secret_version + 1)
SET_STATE: Final = sa.update(WEBHOOKS).where(_ONE).values(state=sa.bindparam("after"))
SUCCEEDED: Final = sa.update(WEBHOOKS).where(_ONE).values(succeeded_at_ms=sa.bindparam("now_ms"))


def _queueing(*wanted: sa.ColumnElement[bool]) -> sa.Insert:
    """Queue events for the webhooks that asked for their kind, of their site or of none."""
    waiting = (
        sa.select(
            _W.webhook_id,
            _E.sequence,
            _E.shopper_id,
            sa.literal(WAITING),
            sa.literal(0, sa.BigInteger),
            sa.bindparam("now_ms", type_=sa.BigInteger),
            sa.bindparam("now_ms", type_=sa.BigInteger),
        )
        .select_from(WEBHOOK_EVENTS)
        .join(WEBHOOK_KINDS, _K.kind == _E.kind)
        .join(WEBHOOKS, _W.webhook_id == _K.webhook_id)
        .where(sa.or_(_E.site.is_(None), _E.site == _W.site), *wanted)
    )
    columns = (
        "webhook_id",
        "event_sequence",
        "shopper_id",
        "state",
        "attempts",
        "queued_at_ms",
        "due_at_ms",
    )
    return sa.insert(WEBHOOK_QUEUE).from_select(columns, waiting)


QUEUE: Final = _queueing(
    _E.event_id == sa.bindparam("event"), _W.state == WebhookState.ACTIVE.value
)
REQUEUE: Final = _queueing(_E.sequence.in_(_NUMBERS), _ONE)
TO_REPLAY: Final = (
    sa.select(_E.sequence)
    .select_from(WEBHOOK_EVENTS)
    .join(WEBHOOK_KINDS, _K.kind == _E.kind)
    .join(WEBHOOKS, _W.webhook_id == _K.webhook_id)
    .where(
        _ONE,
        _E.sequence > sa.bindparam("behind"),
        sa.or_(_E.site.is_(None), _E.site == _W.site),
    )
    .order_by(_E.sequence)
    .limit(_MOST)
)

WITH_CALLS_DUE: Final = (
    sa.select(_Q.webhook_id)
    .join(WEBHOOKS, _W.webhook_id == _Q.webhook_id)
    .where(
        _W.state == WebhookState.ACTIVE.value,
        _Q.state == WAITING,
        _Q.due_at_ms <= sa.bindparam("now_ms"),
    )
    .distinct()
)
_CALL: Final = sa.select(
    WEBHOOK_QUEUE,
    _E.kind,
    _E.site,
    _E.subject,
    _E.detail,
    _E.at_ms,
).join(WEBHOOK_EVENTS, _E.sequence == _Q.event_sequence)
_EARLIER: Final = WEBHOOK_QUEUE.alias("earlier")
_IS_HELD_UP: Final = sa.exists().where(
    _EARLIER.c.webhook_id == _Q.webhook_id,
    _EARLIER.c.shopper_id == _Q.shopper_id,
    _EARLIER.c.state == WAITING,
    _EARLIER.c.event_sequence < _Q.event_sequence,
    _EARLIER.c.due_at_ms > sa.bindparam("now_ms"),
)
DUE: Final = (
    _CALL.where(
        _ITS, _Q.state == WAITING, _Q.due_at_ms <= sa.bindparam("now_ms"), sa.not_(_IS_HELD_UP)
    )
    .order_by(_Q.event_sequence)
    .limit(_MOST)
)
TOLD: Final = sa.delete(WEBHOOK_QUEUE).where(_ITS, _Q.event_sequence.in_(_NUMBERS))
POSTPONE: Final = (
    sa.update(WEBHOOK_QUEUE)
    .where(_ITS, _NUMBER)
    .values(attempts=_Q.attempts + 1, due_at_ms=sa.bindparam("until_ms"))
)
BURY: Final = sa.update(WEBHOOK_QUEUE).where(_ITS, _NUMBER).values(state=DEAD)
BURY_ALL: Final = sa.update(WEBHOOK_QUEUE).where(_ITS).values(state=DEAD)
DEAD_LETTERS: Final = (
    _CALL.where(_ITS, _Q.state == DEAD, _Q.event_sequence > sa.bindparam("behind"))
    .order_by(_Q.event_sequence)
    .limit(_MOST)
)

_OF_SHOPPER: Final = sa.select(_E.sequence).where(_E.shopper_id == sa.bindparam("shopper"))
FORGET_SHOPPER: Final = (
    sa.delete(WEBHOOK_QUEUE).where(_Q.event_sequence.in_(_OF_SHOPPER)),
    sa.delete(WEBHOOK_EVENTS).where(_E.shopper_id == sa.bindparam("shopper")),
)
OLD: Final = (
    sa.select(_E.sequence)
    .where(_E.at_ms < sa.bindparam("before_ms"))
    .order_by(_E.sequence)
    .limit(_MOST)
)
FORGET: Final = (
    sa.delete(WEBHOOK_QUEUE).where(_Q.event_sequence.in_(_NUMBERS)),
    sa.delete(WEBHOOK_EVENTS).where(_E.sequence.in_(_NUMBERS)),
)
