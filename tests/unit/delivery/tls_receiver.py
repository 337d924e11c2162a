"""A receiver on loopback that speaks TLS under a made-up name, for whatever we send outside."""

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from offers.delivery.safe_post import SafePost
from offers.delivery.safe_target import Reach, dial

HOST = "receiver.example.com"


@cache
def identity() -> tuple[bytes, bytes]:
    """A certificate for `HOST`, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return certificate.public_bytes(pem), key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def trusting() -> ssl.SSLContext:
    """What a client needs to trust the receiver, and nobody else."""
    return ssl.create_default_context(cadata=identity()[0].decode())


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    """by lower-case name"""
    body: bytes


class Receiver:
    """Keeps what comes, and answers as the test says.

    ``answers`` are used up one by one; then everything is taken with 201. An answer may be a
    status, a status with headers, or a function that gets the handler and does as it likes.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[object] = []
        self.answer_of: Callable[[Received], object] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"https://{HOST}/in?of=shop"

    def reach(self, resolve: Callable[[str, int], Sequence[str]] | None = None) -> Reach:
        """Loopback, and the receiver's own port; what no setting can say."""
        return Reach(
            is_allowed=lambda address: address == ipaddress.ip_address("127.0.0.1"),
            resolve=resolve or (lambda _host, _port: ["127.0.0.1"]),
            # The port of a public server, and yet nobody needs to be root for a test.
            dial=lambda address, _port, timeout_s: dial(address, self.port, timeout_s),
        )

    def post(self, *, call_s_max: float = 5.0) -> SafePost:
        return SafePost(reach=self.reach(), tls=trusting(), call_s_max=call_s_max)


@contextmanager
def tls_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Received(path=self.path, headers=headers, body=body)
            receiver.received.append(got)
            answer = receiver.answers.pop(0) if receiver.answers else 201
            if receiver.answer_of is not None:
                answer = receiver.answer_of(got)
            if callable(answer):
                answer(self)
                return
            status, extra = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            pass  # a client that hangs up, as tests make it do

    certificate, key = identity()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "receiver.pem"
        path.write_bytes(certificate + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5.0)
