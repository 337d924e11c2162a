"""Let an operator say who is told of what happens in the site.

Layer: flow. Takes: wishes of an operator. Gives: `Webhook`s with their secret, dead letters, and
replays. Another site's webhook is answered as unknown.
"""

import base64
from dataclasses import dataclass, replace
from typing import Final

from offers.handlers.random_id import random_id
from offers.model.errors import Conflict, NotFound
from offers.model.ids import WebhookId
from offers.model.messages.webhook import (
    WEBHOOKS_A_SITE_MAX,
    Webhook,
    WebhookEventKind,
    WebhookState,
)
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

PURPOSE: Final = "webhook"
REPLAY_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How far one call of a replay came."""

    queued: int
    cursor: int
    """where the next call goes on; the same as given where nothing is left"""


def webhook_secret(webhook: Webhook, secrets: SecretSource) -> str:
    """Return the secret that both sides sign with, as Standard Webhooks writes it.

    It follows from the installation's key, so the database holds nothing to steal.
    """
    said = f"{webhook.webhook}.{webhook.secret_version}"
    key = bytes.fromhex(secrets.fingerprint(said, purpose=PURPOSE))
    return "whsec_" + base64.b64encode(key).decode()


def add_webhook(
    site: SiteId,
    *,
    url: str,
    kinds: frozenset[WebhookEventKind],
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Webhook:
    """Write a new webhook, which is told of what happens from now on.

    Raises `InvalidTarget` if the URL must not be called.

    Raises
    ------
    Conflict
        If the site has as many as it may.
    """
    webhook = Webhook(
        webhook=WebhookId(random_id(secrets)),
        site=site,
        url=url,
        kinds=kinds,
        secret_version=1,
        state=WebhookState.ACTIVE,
        created_at_ms=now_ms,
        succeeded_at_ms=now_ms,
    )
    if not work.webhooks.add(webhook, slots=WEBHOOKS_A_SITE_MAX):
        raise Conflict(
            f"the site has {WEBHOOKS_A_SITE_MAX} webhooks; expected fewer. Remove one first."
        )
    return webhook


def own_webhook(webhook: WebhookId, site: SiteId, *, work: UnitOfWork) -> Webhook:
    """Return a webhook of the site.

    Raises
    ------
    NotFound
        If it is unknown, or another site's.
    """
    found = work.webhooks.find(webhook)
    if found is None or found.site != site:
        raise NotFound("no such webhook; expected one of the key's own site.")
    return found


def remove_webhook(webhook: WebhookId, site: SiteId, *, work: UnitOfWork) -> None:
    """Tell it nothing more. Raises `NotFound` as `own_webhook` does."""
    work.webhooks.remove(own_webhook(webhook, site, work=work).webhook)


def renew_webhook_secret(webhook: WebhookId, site: SiteId, *, work: UnitOfWork) -> Webhook:
    """Sign with a new secret from the next call on. Raises `NotFound` as `own_webhook` does."""
    found = own_webhook(webhook, site, work=work)
    work.webhooks.renew_secret(webhook)
    return replace(found, secret_version=found.secret_version + 1)


def replay_webhook(
    webhook: WebhookId, site: SiteId, *, after: int, work: UnitOfWork, now_ms: UnixMs
) -> Replay:
    """Tell once more what happened behind a cursor, and resume a webhook that was suspended.

    Raises `NotFound` as `own_webhook` does.

    Parameters
    ----------
    webhook, site
        One of the operator's own.
    after
        The last event that the receiver has; 0 for all that is kept, which is 30 days.
    work, now_ms
        The transaction and the time.
    """
    own_webhook(webhook, site, work=work)
    queued, cursor = work.webhooks.replay(webhook, after=after, limit=REPLAY_MAX, at_ms=now_ms)
    work.webhooks.set_state(webhook, WebhookState.ACTIVE, at_ms=now_ms)
    return Replay(queued=queued, cursor=cursor)
