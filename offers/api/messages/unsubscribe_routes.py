"""Serve the links of messages: one page that asks, and one click that acts, without signing in.

Layer: edges. Takes: a token from a push or mail. Gives: a page of a few words in both languages.
Opening the page changes nothing, since mail scanners open every link; the click is a POST, which
mailbox providers send themselves (RFC 8058).
"""

from functools import partial
from html import escape
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from offers.api.problem_docs import problems
from offers.api.services import Services, ServicesDep
from offers.handlers.messages.contact_link import TOKEN_CHARACTERS_MAX, LinkWish
from offers.handlers.messages.unsubscribe import follow_link, read_link
from offers.ports import UnitOfWork

unsubscribe_routes = APIRouter(tags=["contact"])

TokenQuery = Annotated[str, Query(min_length=1, max_length=TOKEN_CHARACTERS_MAX)]

_HEADERS: Final = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
)
_ASKED: Final = MappingProxyType(
    {
        LinkWish.NO_PUSH: ("Keine Push-Nachrichten mehr", "No more push messages"),
        LinkWish.NO_MAIL: ("Keine E-Mails mehr", "No more mails"),
        LinkWish.CONFIRM_MAIL: ("Diese Adresse bestätigen", "Confirm this address"),
    }
)
_DONE: Final = MappingProxyType(
    {
        LinkWish.NO_PUSH: ("Sie bekommen keine Push-Nachrichten mehr.", "Pushes are off."),
        LinkWish.NO_MAIL: ("Sie bekommen keine E-Mails mehr.", "Mails are off."),
        LinkWish.CONFIRM_MAIL: ("Die Adresse ist bestätigt.", "The address is confirmed."),
    }
)


@unsubscribe_routes.get(
    "/unsubscribe",
    operation_id="showUnsubscribe",
    response_class=HTMLResponse,
    responses=problems(is_open=True),
)
async def show(token: TokenQuery, services: ServicesDep) -> HTMLResponse:
    """Say what the link would do, with a button that does it."""
    wish = await services.read(partial(_read, token, services))
    german, english = _ASKED[wish]
    action = escape(f"?token={token}", quote=True)
    return _page(
        f'<form method="post" action="{action}">'
        f'<button type="submit">{german} · {english}</button></form>'
    )


@unsubscribe_routes.post(
    "/unsubscribe",
    operation_id="unsubscribe",
    response_class=HTMLResponse,
    responses=problems(is_open=True),
)
async def act(token: TokenQuery, services: ServicesDep) -> HTMLResponse:
    """Do what the link says; twice is as good as once."""
    wish = await services.write(partial(_follow, token, services))
    german, english = _DONE[wish]
    return _page(f"<p>{german}</p><p lang=en>{english}</p>")


def _read(token: str, services: Services, work: UnitOfWork) -> LinkWish:
    return read_link(token, work=work, now_ms=services.now_ms(), secrets=services.secrets)


def _follow(token: str, services: Services, work: UnitOfWork) -> LinkWish:
    return follow_link(token, work=work, now_ms=services.now_ms(), secrets=services.secrets)


def _page(body: str) -> HTMLResponse:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    page = f"<!doctype html><html lang=de><head>{head}<title>Inaisle</title></head>"
    return HTMLResponse(f"{page}<body>{body}</body></html>", headers=dict(_HEADERS))
