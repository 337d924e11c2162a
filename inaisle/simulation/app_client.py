"""Speak to the public API as the shopper's app and as a till do.

Layer: doors. Takes: the address of the API and a credential. Gives: answers as plain values to the
demo, to benchmarks and to end-to-end tests. It knows nothing that an integrator would not know.
"""

import http.client
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

from rtls.model.errors import InaisleError

TIMEOUT_S = 10.0
Json = Mapping[str, object]


class RefusedByApi(InaisleError):
    """The API answered with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: Json) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        super().__init__(f"{status} {self.code}: {problem.get('detail', problem)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAddress:
    """Where the API listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Return the address for a browser."""
        return f"http://{self.host}:{self.port}"

    @property
    def stream_url(self) -> str:
        """Return the address of the app's stream."""
        return f"ws://{self.host}:{self.port}/v1/me/stream"


class ApiClient:
    """One kept-alive connection with one credential; not for several threads."""

    def __init__(self, address: ApiAddress, *, token: str | None = None) -> None:
        self.address = address
        self.token = token
        self._connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def get(self, path: str) -> Json:
        """Return the answer to GET."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Json, *, key: str | None = None) -> Json:
        """Return the answer to POST; a new Idempotency-Key unless one is given for a retry."""
        return self._ask("POST", path, body, key=key or secrets.token_hex(16))

    def put(self, path: str, body: Json) -> Json:
        """Return the answer to PUT."""
        return self._ask("PUT", path, body)

    def delete(self, path: str) -> None:
        """Ask for DELETE."""
        self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, body: Json | None, *, key: str | None = None) -> Json:
        headers = {"Accept": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        try:
            status, answer = self._exchange(method, path, content, headers)
        except ConnectionError:
            # The server closes a connection that idles; that is found out in reading the answer,
            # or in sending the question. Asking again is safe: what has an effect carries a key.
            status, answer = self._exchange(method, path, content, headers)
        if status >= HTTPStatus.BAD_REQUEST:
            raise RefusedByApi(status, answer)
        return answer

    def _exchange(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Json]:
        try:
            self._connection.request(method, path, body=content, headers=dict(headers))
            response = self._connection.getresponse()
            return response.status, _parsed(response.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()  # half an answer must not be taken for the next one
            raise


def _parsed(content: bytes) -> Json:
    document = json.loads(content) if content else {}
    return document if isinstance(document, dict) else {"items": document}
