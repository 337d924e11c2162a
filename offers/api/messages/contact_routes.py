"""Serve how a shopper is addressed: browsers for pushes, channels, frequency, mail address.

Layer: edges. Takes: requests of the app. Gives: what change_contact answers.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, status

from offers.api.auth import ShopperDep
from offers.api.messages.contact_schema import (
    BrowserBody,
    ContactBody,
    ContactWishBody,
    PushKeyBody,
    PushSubscriptionBody,
    PushSubscriptionsBody,
)
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import ServicesDep
from offers.handlers.messages.change_contact import (
    change_contact,
    subscribe_browser,
    unsubscribe_browser,
)
from offers.model.ids import PushSubscriptionId, ShopperId
from offers.ports import UnitOfWork

contact_routes = APIRouter(tags=["app"])

SubscriptionPath = Annotated[PushSubscriptionId, Path(max_length=128)]


@contact_routes.get("/me/push-key", operation_id="getPushKey", responses=problems())
async def get_push_key(shopper: ShopperDep, services: ServicesDep) -> PushKeyBody:
    """Return the key that a browser subscribes with (RFC 8292)."""
    del shopper
    return PushKeyBody(public_key=services.push_key)


@contact_routes.get(
    "/me/push-subscriptions", operation_id="getPushSubscriptions", responses=problems()
)
async def get_subscriptions(shopper: ShopperDep, services: ServicesDep) -> PushSubscriptionsBody:
    """Return the browsers that pushes go to, newest first."""
    return await services.read(partial(_subscriptions, shopper))


@contact_routes.post(
    "/me/push-subscriptions",
    operation_id="addPushSubscription",
    status_code=status.HTTP_201_CREATED,
    responses=problems(),
)
async def subscribe(
    body: BrowserBody, shopper: ShopperDep, services: ServicesDep
) -> PushSubscriptionBody:
    """Let a browser get pushes. The same one again is replaced, the oldest of six goes."""
    browser = body.noun()
    kept = await services.write(
        lambda work: subscribe_browser(
            shopper, browser, work=work, now_ms=services.now_ms(), secrets=services.secrets
        )
    )
    return PushSubscriptionBody.of(kept)


@contact_routes.delete(
    "/me/push-subscriptions/{subscription}",
    operation_id="removePushSubscription",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(ProblemCode.NOT_FOUND),
)
async def unsubscribe(
    subscription: SubscriptionPath, shopper: ShopperDep, services: ServicesDep
) -> None:
    """Send this browser nothing more."""
    await services.write(lambda work: unsubscribe_browser(shopper, subscription, work=work))


@contact_routes.get("/me/contact", operation_id="getContact", responses=problems())
async def get_contact(shopper: ShopperDep, services: ServicesDep) -> ContactBody:
    """Return how the shopper wishes to be addressed."""
    return ContactBody.of(await services.read(lambda work: work.contacts.wishes_of(shopper)))


@contact_routes.put("/me/contact", operation_id="putContact", responses=problems())
async def put_contact(
    body: ContactWishBody, shopper: ShopperDep, services: ServicesDep
) -> ContactBody:
    """Say how to be addressed. A new mail address is asked first whether it agrees."""
    change = body.noun()
    changed = await services.write(
        lambda work: change_contact(shopper, change, work=work, now_ms=services.now_ms())
    )
    return ContactBody.of(changed)


def _subscriptions(shopper: ShopperId, work: UnitOfWork) -> PushSubscriptionsBody:
    found = work.push_subscriptions.of_shopper(shopper)
    return PushSubscriptionsBody(subscriptions=tuple(PushSubscriptionBody.of(one) for one in found))
