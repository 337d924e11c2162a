"""Serve the built pages: the staff console and the shopper's card.

Layer: doors. Takes: the folder that the build has filled. Gives: an ASGI application for each page
to inaisle.service.service. Files are known by name before the first request, so that no path from
outside reaches the file system; what the build has compressed is sent as it is.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from inaisle.config_files import PACKAGE

FOLDER: Final = PACKAGE / "pages"
PAGES: Final = ("console", "card")
ASSETS: Final = "assets"
NOT_BUILT: Final = "the pages are not built; `make web` builds them, a wheel brings them along."
# Nothing from anybody else, and no script but files of ours. Styles may stand in the markup, since
# maps and charts place their elements by style attributes.
POLICY: Final = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self' ws: wss:; worker-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}
NAMED_BY_CONTENT: Final = "public, max-age=31536000, immutable"
ASK_EACH_TIME: Final = "no-cache"
ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFile:
    """One file of the build, as it is sent."""

    media_type: str
    cache_control: str
    etag: str
    encoded: Mapping[str, bytes]
    """by content encoding; identity is always there"""

    def answer(self, headers: Mapping[str, str]) -> Response:
        """Return the file in the best encoding that the browser takes, or 304."""
        own = {**HEADERS, "Cache-Control": self.cache_control, "ETag": self.etag}
        if headers.get("if-none-match") == self.etag:
            return Response(status_code=304, headers=own)
        taken = _encodings_of(headers.get("accept-encoding", ""))
        for encoding, _ in ENCODINGS:
            if encoding in taken and encoding in self.encoded:
                own["Content-Encoding"] = encoding
                return Response(self.encoded[encoding], headers=own, media_type=self.media_type)
        return Response(self.encoded["identity"], headers=own, media_type=self.media_type)


def _encodings_of(accepted: str) -> frozenset[str]:
    # A quality of 0 says "not this one"; any other is good enough for us.
    parts = (part.replace(" ", "").partition(";q=") for part in accepted.lower().split(","))
    return frozenset(name for name, _, quality in parts if quality.strip("0.") or not quality)


class WebPages:
    """The files below one name of the build; an ASGI application to be mounted there."""

    def __init__(self, files: Mapping[str, PageFile]) -> None:
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file.

        Raises
        ------
        HTTPException
            404 or 405, which the API around it answers as everywhere.
        """
        if scope["type"] != "http":
            raise HTTPException(404)
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        root: str = scope.get("root_path", "")
        name = str(scope["path"]).removeprefix(root).removeprefix("/") or "index.html"
        found = self._files.get(name)
        if found is None:
            raise HTTPException(404, NOT_BUILT if not self._files else None)
        headers = {key.decode().lower(): value.decode() for key, value in scope["headers"]}
        await found.answer(headers)(scope, receive, send)


def mount_pages(app: FastAPI, folder: Path = FOLDER) -> None:
    """Let the application serve the pages beside its API; ``/`` leads to the card."""
    for name in (*PAGES, ASSETS):
        app.mount(f"/{name}", WebPages(_read_files(folder / name, is_asset=name == ASSETS)))
    app.add_route("/", _to_card, include_in_schema=False)


def _to_card(_request: object) -> RedirectResponse:
    return RedirectResponse("/card/")


def _read_files(folder: Path, *, is_asset: bool) -> Mapping[str, PageFile]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in MEDIA_TYPES)
    return {
        path.relative_to(folder).as_posix(): _read_file(path, is_asset=is_asset) for path in paths
    }


def _read_file(path: Path, *, is_asset: bool) -> PageFile:
    content = path.read_bytes()
    return PageFile(
        media_type=MEDIA_TYPES[path.suffix],
        cache_control=NAMED_BY_CONTENT if is_asset else ASK_EACH_TIME,
        etag=f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"',
        encoded=dict(_encoded(path, content)),
    )


def _encoded(path: Path, content: bytes) -> Iterable[tuple[str, bytes]]:
    yield "identity", content
    for encoding, ending in ENCODINGS:
        beside = path.with_name(path.name + ending)
        if beside.is_file():
            yield encoding, beside.read_bytes()
