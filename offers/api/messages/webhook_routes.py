"""Serve who is told of what happens in the site: webhooks, their secrets, dead letters, replays.

Layer: edges. Takes: requests of an operator. Gives: the webhooks of the operator's own site.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, status

from offers.api.auth import SiteDep
from offers.api.messages.webhook_schema import (
    CURSOR_MAX,
    DeadLetterBody,
    DeadLettersBody,
    ReplayBody,
    ReplayWishBody,
    WebhookBody,
    WebhooksBody,
    WebhookSecretBody,
    WebhookWishBody,
)
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import PAGE_MAX, Services, ServicesDep
from offers.handlers.messages.manage_webhook import (
    add_webhook,
    own_webhook,
    remove_webhook,
    renew_webhook_secret,
    replay_webhook,
    webhook_secret,
)
from offers.model.ids import WebhookId
from offers.model.messages.webhook import Webhook
from offers.ports import UnitOfWork
from rtls.model.units import SiteId

webhook_routes = APIRouter(prefix="/operator/webhooks", tags=["operator"])

WebhookPath = Annotated[WebhookId, Path(max_length=128)]


@webhook_routes.get("", operation_id="getWebhooks", responses=problems())
async def get_webhooks(site: SiteDep, services: ServicesDep) -> WebhooksBody:
    """Return the webhooks of the site, oldest first."""
    found = await services.read(lambda work: work.webhooks.of_site(site))
    return WebhooksBody(webhooks=tuple(WebhookBody.of(webhook) for webhook in found))


@webhook_routes.post(
    "",
    operation_id="addWebhook",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.STATE_CONFLICT),
)
async def add(
    body: WebhookWishBody, site: SiteDep, services: ServicesDep, response: Response
) -> WebhookSecretBody:
    """Tell a receiver of events from now on; the answer holds its secret."""
    added = await services.write(
        lambda work: add_webhook(
            site,
            url=body.url,
            kinds=frozenset(body.events),
            work=work,
            now_ms=services.now_ms(),
            secrets=services.secrets,
        )
    )
    return _with_secret(added, services, response)


@webhook_routes.delete(
    "/{webhook}",
    operation_id="removeWebhook",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(ProblemCode.NOT_FOUND),
)
async def remove(webhook: WebhookPath, site: SiteDep, services: ServicesDep) -> None:
    """Tell it nothing more; what still waited is dropped."""
    await services.write(lambda work: remove_webhook(webhook, site, work=work))


@webhook_routes.post(
    "/{webhook}/secret",
    operation_id="renewWebhookSecret",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def renew(
    webhook: WebhookPath, site: SiteDep, services: ServicesDep, response: Response
) -> WebhookSecretBody:
    """Sign with a new secret from the next call on."""
    renewed = await services.write(lambda work: renew_webhook_secret(webhook, site, work=work))
    return _with_secret(renewed, services, response)


@webhook_routes.post(
    "/{webhook}/replay",
    operation_id="replayWebhook",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def replay(
    webhook: WebhookPath, body: ReplayWishBody, site: SiteDep, services: ServicesDep
) -> ReplayBody:
    """Tell again what happened behind a cursor in the last 30 days; resume what was suspended."""
    done = await services.write(
        lambda work: replay_webhook(
            webhook, site, after=body.after, work=work, now_ms=services.now_ms()
        )
    )
    return ReplayBody.of(done)


@webhook_routes.get(
    "/{webhook}/dead-letters",
    operation_id="getDeadLetters",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_dead_letters(
    webhook: WebhookPath,
    site: SiteDep,
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, le=CURSOR_MAX)] = 0,
) -> DeadLettersBody:
    """Return what it did not take within a day, oldest first."""
    return await services.read(partial(_dead_letters, webhook, site, after))


def _dead_letters(
    webhook: WebhookId, site: SiteId, after: int, work: UnitOfWork
) -> DeadLettersBody:
    own_webhook(webhook, site, work=work)
    found = work.webhooks.dead_letters(webhook, after=after, limit=PAGE_MAX)
    return DeadLettersBody(dead_letters=tuple(DeadLetterBody.of(call) for call in found))


def _with_secret(webhook: Webhook, services: Services, response: Response) -> WebhookSecretBody:
    response.headers["Cache-Control"] = "no-store"
    return WebhookSecretBody(
        webhook=WebhookBody.of(webhook), secret=webhook_secret(webhook, services.secrets)
    )
