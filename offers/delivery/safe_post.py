"""Send one POST to a checked target: the checked address, no redirect, an end in any case.

Layer: edges. Takes: a `Target`, headers, a body. Gives: `Answer` to the senders of web push and
webhooks. Certificate and Host are those of the name; the connection goes to the address that was
checked. The whole call ends by one deadline, also against a server that sends a byte a second.
"""

import http.client
import io
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from typing_extensions import override

from offers.delivery.lookups import Lookups
from offers.delivery.safe_target import PUBLIC_ONLY, Reach, checked_address
from offers.model.errors import Unreachable
from offers.model.messages.target import HTTPS_PORT, Target

CALL_S_MAX: Final = 5.0
ANSWER_BYTES_MAX: Final = 8_192
RETRY_AFTER_S_MAX: Final = 86_400
USER_AGENT: Final = "inaisle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. A redirect is an answer like any other: it is never followed."""

    status: int
    retry_after_s: int | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver has taken it."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, 15.3


class SafePost:
    """POST over TLS to public servers only.

    Parameters
    ----------
    reach
        Which addresses may be called.
    tls
        Whose certificates are trusted: the system's, if None.
    call_s_max
        How long a call may take from the question for the name to the last byte.
    """

    def __init__(
        self,
        *,
        reach: Reach = PUBLIC_ONLY,
        tls: ssl.SSLContext | None = None,
        call_s_max: float = CALL_S_MAX,
    ) -> None:
        self._reach = reach
        self._tls = tls or ssl.create_default_context()
        self._call_s_max = call_s_max
        self._lookups = Lookups(reach.resolve)

    def __call__(self, target: Target, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send the body and return the answer.

        Raises `InvalidTarget` as `checked_address` does.

        Raises
        ------
        Unreachable
            If nobody answers, or not in time, or not in HTTP.
        """
        deadline_s = time.monotonic() + self._call_s_max
        address = checked_address(target, self._reach_until(deadline_s))
        try:
            with self._connect(target, str(address), deadline_s) as stream:
                return _exchange(stream, target, body=body, headers=headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # A ValueError comes from answers that no server would give, e.g. a status of letters.
            kind = type(error).__name__
            raise Unreachable(f"{target.origin}: no answer ({kind}: {error}).") from error

    def _reach_until(self, deadline_s: float) -> Reach:
        def resolve(host: str, port: int) -> Sequence[str]:
            return self._lookups.within(host, port, deadline_s - time.monotonic())

        return replace(self._reach, resolve=resolve)

    def _connect(self, target: Target, address: str, deadline_s: float) -> "_Stream":
        plain = self._reach.dial(address, target.port, _left_s(deadline_s))
        try:
            plain.settimeout(_left_s(deadline_s))
            return _Stream(self._tls.wrap_socket(plain, server_hostname=target.host), deadline_s)
        except BaseException:
            plain.close()
            raise


class _Stream(io.RawIOBase):
    """A TLS connection on which every wait ends at the same deadline."""

    def __init__(self, connection: ssl.SSLSocket, deadline_s: float) -> None:
        self._connection = connection
        self._deadline_s = deadline_s

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        self._connection.settimeout(_left_s(self._deadline_s))
        return self._connection.recv_into(buffer)

    def sendall(self, content: bytes) -> None:
        """Send all of it, as http.client asks of a socket."""
        self._connection.settimeout(_left_s(self._deadline_s))
        self._connection.sendall(content)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what http.client reads the answer from."""
        assert mode == "rb"
        return io.BufferedReader(self)

    @override
    def close(self) -> None:
        self._connection.close()
        super().close()


def _exchange(
    stream: _Stream, target: Target, *, body: bytes, headers: Mapping[str, str]
) -> Answer:
    host = target.host if target.port == HTTPS_PORT else f"{target.host}:{target.port}"
    lines = {
        "Host": host,
        "User-Agent": USER_AGENT,
        "Content-Length": str(len(body)),
        "Connection": "close",
    } | dict(headers)
    head = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in lines.items())
    stream.sendall(f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body)
    response = http.client.HTTPResponse(stream, method="POST")  # type: ignore[arg-type]
    response.begin()
    # Read a little, so that a server that checks is not cut off in its answer; never all.
    response.read(ANSWER_BYTES_MAX)
    return Answer(
        status=response.status, retry_after_s=_retry_after_s(response.getheader("Retry-After"))
    )


def _one_line(value: str) -> str:
    assert value.isascii()
    assert value.isprintable()
    return value


def _retry_after_s(given: str | None) -> int | None:
    # The form with a date needs a clock that both share; who sends it waits as everybody else.
    if given is None or not given.isascii() or not given.isdigit():
        return None
    return min(int(given[:9]), RETRY_AFTER_S_MAX)


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - time.monotonic()
    if left_s <= 0.0:
        raise TimeoutError("the call took too long")
    return left_s
