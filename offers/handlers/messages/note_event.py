"""Note what webhooks are to be told, in the transaction that made it true.

Layer: flow. Takes: effects of other handlers. Gives: events to the webhook sender. Where nobody
listens, nothing is written.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from offers.model.ids import ShopperId
from offers.model.messages.webhook import WebhookEvent, WebhookEventKind
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def note_event(
    kind: WebhookEventKind,
    *,
    subject: str,
    shopper: ShopperId | None,
    site: SiteId | None = None,
    detail: Mapping[str, str] = _NOTHING,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    """Write an event for the webhooks that ask for it.

    Parameters
    ----------
    kind, subject
        What happened, and the id of the thing that it happened to.
    shopper
        Whom it concerns: events about one shopper are told in their order.
    site
        Where; None for what concerns the shopper everywhere.
    detail
        A few words more; never a name, a code or an address.
    work, now_ms
        The transaction and the time.
    """
    if not work.webhooks.is_anybody_told():
        return
    work.webhooks.note(
        WebhookEvent(
            kind=kind,
            site=site,
            shopper=shopper,
            subject=subject,
            at_ms=now_ms,
            detail=detail,
        )
    )
