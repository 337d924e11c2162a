"""No address that a stranger gives us leads into our own network."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence

import hypothesis.strategies as st
import pytest
from hypothesis import given

from offers.delivery.lookups import Lookups
from offers.delivery.safe_post import SafePost
from offers.delivery.safe_target import Reach, checked_address, is_public, resolve
from offers.model.errors import InvalidTarget, Unreachable
from offers.model.messages.target import Target
from tests.unit.delivery.tls_receiver import HOST, tls_receiver

BYPASSES = [
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://hooks.example.com/",
    "//hooks.example.com/",
    "hooks.example.com",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/",
    "https://localhost/",
    "https://localhost./",
    "https://api.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://nas.lan/",
    "https://intranet/",
    "https://user@hooks.example.com/",
    "https://user:secret@hooks.example.com/",
    "https://hooks.example.com@127.0.0.1/",
    "https://127.0.0.1\\@hooks.example.com/",
    "https://hooks.example.com#@127.0.0.1/",
    "https://hooks.example.com%2f@127.0.0.1/",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:6379/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:99999/",
    "https://hooks.example.com:x/",
    "https:///path",
    "https://hooks..example.com/",
    "https://-hooks.example.com/",
    "https://hooks_example.com/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://mü.example/",
    "https://hooks.example.com/\r\nHost: inner",
    " https://hooks.example.com/",
    "https://hooks.example\t.com/",
    "https://hooks.example.com/\x00",
    "https://" + "a" * 64 + ".example.com/",
    "https://hooks.example.com/" + "a" * 2_100,
]
INNER_ADDRESSES = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::1",
    "2001:0:53aa:64c:0:fbff:80ff:fffe",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "not an address",
]
BODY = b"{}"


class CountingSocket:
    """Stands for the network: counts who tries to connect."""

    def __init__(self) -> None:
        self.connects: list[object] = []

    def __call__(self, address: object, *_: object, **__: object) -> socket.socket:
        self.connects.append(address)
        raise OSError("no network in tests")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> CountingSocket:
    counting = CountingSocket()
    monkeypatch.setattr(socket, "create_connection", counting)
    return counting


def leading_to(*addresses: str) -> Reach:
    return Reach(resolve=lambda _host, _port: list(addresses))


@pytest.mark.parametrize("url", BYPASSES)
def test_a_url_that_is_not_plainly_a_public_server_is_refused_by_its_text(url: str) -> None:
    """Each of these has opened somebody's network once; the strict reading leaves no room."""
    with pytest.raises(InvalidTarget, match="expected"):
        Target.parse(url)


@pytest.mark.parametrize("address", INNER_ADDRESSES)
def test_a_name_that_leads_inside_is_not_connected_to(
    network: CountingSocket, address: str
) -> None:
    """The name may be anybody's; the number decides. Zero packets, not one that is answered."""
    target = Target.parse("https://hooks.example.com/")
    with pytest.raises(InvalidTarget):
        SafePost(reach=leading_to(address))(target, body=BODY, headers={})
    with pytest.raises(InvalidTarget):
        SafePost(reach=leading_to("93.184.215.14", address))(target, body=BODY, headers={})
    assert network.connects == []


def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked(
    network: CountingSocket,
) -> None:
    """DNS rebinding: public when checked, inside when called. It is asked once only."""
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    reach = Reach(resolve=lambda _host, _port: answers.pop(0))
    with pytest.raises(Unreachable):
        SafePost(reach=reach)(Target.parse("https://hooks.example.com/"), body=BODY, headers={})
    assert network.connects == [("93.184.215.14", 443)]
    assert len(answers) == 1


def test_the_network_stub_would_see_a_connection(network: CountingSocket) -> None:
    """The negative control: without a check the tests above would count one."""
    reach = Reach(is_allowed=lambda _: True, resolve=lambda _host, _port: ["127.0.0.1"])
    with pytest.raises(Unreachable):
        SafePost(reach=reach)(Target.parse("https://hooks.example.com/"), body=BODY, headers={})
    assert network.connects == [("127.0.0.1", 443)]


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111"])
def test_public_addresses_are_allowed(address: str) -> None:
    """A rule that refuses everything would pass all tests above."""
    target = Target.parse("https://hooks.example.com/")
    assert str(checked_address(target, leading_to(address))) == address


@given(st.ip_addresses(v=4))
def test_no_address_is_public_that_python_calls_private(address: ipaddress.IPv4Address) -> None:
    """Two lists, written by different people, agree on what must never be called."""
    if address.is_private or address.is_multicast or address.is_reserved or address.is_loopback:
        assert not is_public(address)


@given(st.ip_addresses(v=6))
def test_no_v6_address_is_public_that_carries_another_or_is_private(
    address: ipaddress.IPv6Address,
) -> None:
    """Tunnels lead to v4 addresses that the v4 list has not seen."""
    carries = address.ipv4_mapped or address.sixtofour or address.teredo
    if carries or address.is_private or address.is_multicast or address.is_link_local:
        assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "origin"),
    [
        (
            "https://Hooks.Example.COM",
            "hooks.example.com",
            443,
            "/",
            "https://hooks.example.com",
        ),
        (
            "https://fcm.googleapis.com/fcm/send/abc:DEF-_",
            "fcm.googleapis.com",
            443,
            "/fcm/send/abc:DEF-_",
            "https://fcm.googleapis.com",
        ),
        (
            "https://xn--mller-kva.example:8443/in?a=%20b&c",
            "xn--mller-kva.example",
            8443,
            "/in?a=%20b&c",
            "https://xn--mller-kva.example:8443",
        ),
    ],
)
def test_a_good_url_is_read_as_written(
    url: str, host: str, port: int, path: str, origin: str
) -> None:
    """Push services put keys into paths: not a byte may change."""
    target = Target.parse(url)
    assert (target.host, target.port, target.path, target.origin) == (host, port, path, origin)


def test_a_name_without_an_address_is_unreachable_and_not_refused() -> None:
    """A resolver that is down must not cost a webhook its place."""
    target = Target.parse("https://hooks.example.com/")
    with pytest.raises(Unreachable):
        checked_address(target, leading_to())
    with pytest.raises(Unreachable):
        resolve("name.invalid", 443)


TARGET = Target.parse(f"https://{HOST}/in?of=shop")


def test_a_post_arrives_with_name_path_and_body() -> None:
    """Connected to the number, but certificate and Host are the name's."""
    with tls_receiver() as receiver:
        answer = receiver.post()(TARGET, body=b'{"a":1}', headers={"X-Of": "shop"})
    (got,) = receiver.received
    assert answer.is_success
    assert got.path == "/in?of=shop"
    assert got.headers["host"] == HOST
    assert got.headers["x-of"] == "shop"
    assert got.body == b'{"a":1}'


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    """The receiver may be sound and its redirect lead to 169.254.169.254."""
    with tls_receiver() as receiver:
        receiver.answers = [(302, {"Location": "https://169.254.169.254/"})]
        answer = receiver.post()(TARGET, body=BODY, headers={})
    assert (answer.status, answer.is_success) == (302, False)
    assert len(receiver.received) == 1


def test_a_server_with_a_foreign_certificate_gets_nothing() -> None:
    """Else whoever answers for the address reads our events."""
    with tls_receiver() as receiver:
        other = Target.parse("https://other.example.com/")
        with pytest.raises(Unreachable, match="certificate"):
            receiver.post()(other, body=BODY, headers={})
    assert receiver.received == []


def drips(handler) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 400:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.02)


def floods(handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while True:
        handler.wfile.write(b"x" * 65_536)


def babbles(handler) -> None:
    handler.wfile.write(b"220 mail ready\r\n")
    handler.close_connection = True


def says_nothing(_handler) -> None:
    time.sleep(0.8)


@pytest.mark.timed
@pytest.mark.parametrize("behaviour", [drips, says_nothing, babbles])
def test_a_server_that_does_not_answer_in_time_or_in_http_is_left(
    behaviour: Callable[[object], None],
) -> None:
    """A byte every 20 ms passes any time-out of a read: only a deadline of the call ends it."""
    with tls_receiver() as receiver:
        receiver.answers = [behaviour]
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            receiver.post(call_s_max=0.4)(TARGET, body=BODY, headers={})
        assert time.monotonic() - begun < 1.0


def test_an_endless_answer_is_read_a_little_and_left() -> None:
    """A receiver must not be able to fill our memory."""
    with tls_receiver() as receiver:
        receiver.answers = [floods]
        answer = receiver.post(call_s_max=2.0)(TARGET, body=BODY, headers={})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("given_header", "read"), [("7", 7), ("999999999999", 86_400), ("soon", None), ("-1", None)]
)
def test_retry_after_is_read_with_a_bound(given_header: str, read: int | None) -> None:
    """A receiver that says "next year" must not stop the retries for ever."""
    with tls_receiver() as receiver:
        receiver.answers = [(503, {"Retry-After": given_header})]
        answer = receiver.post()(TARGET, body=BODY, headers={})
    assert (answer.status, answer.retry_after_s) == (503, read)


def test_nobody_listening_is_unreachable() -> None:
    """A receiver that is being updated."""
    with tls_receiver() as receiver:
        post = receiver.post()
    with pytest.raises(Unreachable):
        post(TARGET, body=BODY, headers={})


def test_the_check_holds_from_many_threads_at_once() -> None:
    """Senders share one SafePost."""
    refused: list[bool] = []

    def call(addresses: Sequence[str]) -> None:
        try:
            checked_address(Target.parse("https://hooks.example.com/"), leading_to(*addresses))
        except InvalidTarget:
            refused.append(True)

    threads = [threading.Thread(target=call, args=(["10.0.0.1"],)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 8


class HangingResolver:
    """A resolver that says nothing until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = 0

    def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        self.go.wait(30.0)
        return ["93.184.215.14"]


def test_a_resolver_that_hangs_ends_with_the_call(network: CountingSocket) -> None:
    """The deadline is that of the whole call; what is found afterwards is dropped."""
    resolver = HangingResolver()
    post = SafePost(reach=Reach(resolve=resolver), call_s_max=0.1)
    begun_s = time.monotonic()
    with pytest.raises(Unreachable, match="not resolved in time"):
        post(Target.parse("https://hooks.example.com/"), body=BODY, headers={})
    assert time.monotonic() - begun_s < 2.0
    resolver.go.set()
    assert network.connects == []


def test_a_resolver_that_never_answers_keeps_few_threads() -> None:
    """A hundred webhooks behind a dead resolver must not become a hundred threads."""
    resolver = HangingResolver()
    lookups = Lookups(resolver, at_once_max=2)
    for turn in range(5):
        with pytest.raises(Unreachable, match="in time" if turn < 2 else "too many names"):
            lookups.within("hooks.example.com", 443, 0.02)
    assert resolver.asked == 2
    assert sum(thread.name == "lookup" for thread in threading.enumerate()) <= 2
    resolver.go.set()
    assert lookups.within("hooks.example.com", 443, 5.0) == ["93.184.215.14"]


def test_what_the_resolver_says_is_told_as_it_was_said() -> None:
    """A name without an address is another matter than a slow resolver."""

    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise Unreachable("no address was found")

    with pytest.raises(Unreachable, match="no address was found"):
        Lookups(unknown).within("hooks.example.com", 443, 5.0)
