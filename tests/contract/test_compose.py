"""config/compose.yaml and what it mounts: a chain that nobody runs here must still be true.

No container runs in these tests. What can be held against the program is: commands, settings,
files, figures of the dashboards; and the broker's file is given to a real mosquitto, with TLS.
"""

import ast
import datetime as dt
import inspect
import json
import re
import ssl
import textwrap
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from inaisle.chain.archive_loop import ArchiveLoop
from inaisle.chain.bridge_loop import BridgeLoop
from inaisle.cli import app
from inaisle.clock import SystemClock
from inaisle.service.assembly import open_service
from inaisle.service.broker import BrokerAddress
from inaisle.settings import load_settings
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.shard_host import ShardHost
from tests.conftest import REPOSITORY, Server, find_program, pick_free_port
from tests.scenario.test_simulator_broker_accounts import password_line
from tests.waiting import wait_until

CONFIG = REPOSITORY / "config"
COMPOSE = yaml.safe_load((CONFIG / "compose.yaml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "inaisle:latest"}
SECRET = re.compile(r"\$\{(\w+)(?::[^}]*)?\}")
NAME = re.compile(r"\b(inaisle_[a-z0-9_]+)")
SUFFIXES = ("_bucket", "_total", "_sum", "_count")
GIVEN_BY_HAND = ("./sites", "./secrets")


@pytest.mark.parametrize("service", OURS)
def test_a_process_of_ours_is_started_with_words_that_it_knows(service: str) -> None:
    """A flag that was renamed would be found out by whoever starts his chain."""
    words = [SECRET.sub("file:///x", word) for word in OURS[service]["command"]]
    answer = CliRunner().invoke(app, [*words, "--help"])
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize("service", OURS)
def test_a_process_of_ours_is_set_by_keys_that_there_are(service: str) -> None:
    """A key that is none of ours is refused by the settings, in the middle of a deployment."""
    environment = {
        key: SECRET.sub("x" * 43 + "=", str(value))
        for key, value in OURS[service]["environment"].items()
    }
    load_settings(environment=environment)
    with pytest.raises(ValueError, match=r"(?i)no_such_key"):
        load_settings(environment=environment | {"INAISLE__CHAIN__NO_SUCH_KEY": "1"})


def test_what_is_mounted_is_there() -> None:
    """A folder that is missing would be made by the engine, empty, and mounted."""
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./") and not source.startswith(GIVEN_BY_HAND):
                assert (CONFIG / source).exists(), (name, source)
            if not source.startswith("./"):
                assert source in COMPOSE["volumes"], (name, source)


def test_every_secret_is_in_the_example_and_in_no_file() -> None:
    """Whoever fills in the example has named them all; the example names no value."""
    asked = set(SECRET.findall((CONFIG / "compose.yaml").read_text()))
    example = (CONFIG / "compose" / "env.example").read_text()
    assert asked == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of what a service shows at /metrics."""
    flags = {("site", "data"): tmp_path_factory.mktemp("data"), ("api", "port"): 0}
    settings = load_settings(environment={}, flags=flags).settings
    nowhere = BrokerAddress(host="127.0.0.1", port=1, qos=1)
    with open_service(settings, role="all", broker=nowhere, clock=SystemClock()) as service:
        service.app()
        names = {metric.name for metric in service.around.registry.collect()}
    return names | set(_of_the_chain())


def _of_the_chain() -> Iterator[str]:
    """Yield what workers, bridges and the archive show, by the counters of their parts."""
    worker = ShardHost(None, producer=None, dead_letters=None, states=None, topics=None).counters
    yield from ("inaisle_worker_lag_messages", "inaisle_worker_shards")
    yield "inaisle_archive_waiting_messages"
    yield from (f"inaisle_worker_{name}" for name in worker)
    for kind, part in (("bridge", BridgeLoop), ("log", KafkaProducer), ("archive", ArchiveLoop)):
        yield from (f"inaisle_{kind}_{name}" for name in _counters_of(part))


def _counters_of(part: type) -> Iterator[str]:
    """Yield the names of the counters that a part begins with; it cannot be made without a log."""
    made = ast.parse(textwrap.dedent(inspect.getsource(part.__init__)))
    for node in ast.walk(made):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "self.counters":
            yield from ast.literal_eval(node.value)


@pytest.mark.parametrize("board", sorted((CONFIG / "compose/grafana/dashboards").glob("*.json")))
def test_a_dashboard_asks_for_figures_that_there_are(board: Path, shown: set[str]) -> None:
    """An empty panel says "all is quiet" when it means "renamed"."""
    for panel in json.loads(board.read_text())["panels"]:
        for target in panel["targets"]:
            _check_names(target["expr"], shown)


def test_an_alert_asks_for_figures_that_there_are(shown: set[str]) -> None:
    """An alert on a name that is gone never wakes anybody."""
    rules = yaml.safe_load((CONFIG / "compose/alerts.yml").read_text())["groups"][0]["rules"]
    for rule in rules:
        _check_names(rule["expr"], shown)
    with pytest.raises(AssertionError):
        _check_names("inaisle_no_such_figure > 1", shown)


def _check_names(expression: str, shown: set[str]) -> None:
    for name in NAME.findall(expression):
        plain = next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)
        assert {name, plain} & shown, name


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    """The broker's file as it is; only port, paths and the user to run as are ours."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    _write_certificate(secrets)
    (secrets / "inaisle.passwd").write_text(password_line("gw-01"))
    (secrets / "mosquitto.acl").write_text((CONFIG / "mosquitto.acl").read_text())
    for path in secrets.iterdir():
        path.chmod(0o600)
    port = pick_free_port()
    text = (CONFIG / "compose" / "mosquitto.conf").read_text()
    for shipped, here in (
        ("listener 8883", f"listener {port} 127.0.0.1"),
        ("/mosquitto/secrets", str(secrets)),
        ("/mosquitto/data", str(tmp_path)),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    path = tmp_path / "mosquitto.conf"
    path.write_text(f"{text}\nuser root\n")
    server = Server([find_program("mosquitto"), "-c", str(path)], port, tmp_path)
    server.start()
    yield server
    server.stop()


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.fromtimestamp(SystemClock().now_ms() / 1000.0, dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "broker.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    (folder / "broker.key").write_bytes(key.private_bytes(*form, serialization.NoEncryption()))


@pytest.mark.broker
@pytest.mark.parametrize(
    ("has_tls", "password", "is_let_in"),
    [(True, "secret-gw-01", True), (True, "guessed", False), (False, "secret-gw-01", False)],
)
def test_gateways_of_a_chain_sign_in_over_tls_alone(
    broker: Server, *, has_tls: bool, password: str, is_let_in: bool
) -> None:
    """Their line is the internet: a password that is sent in the open is everybody's."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="gw-01", protocol=mqtt.MQTTv5)
    client.username_pw_set("gw-01", password)
    if has_tls:
        certificate = broker.folder / "secrets" / "broker.pem"
        client.tls_set_context(ssl.create_default_context(cafile=str(certificate)))
    ended = []
    client.on_disconnect = lambda *_: ended.append("closed")
    client.on_connect = lambda *given: None if given[3].is_failure else ended.append("let in")
    client.connect("localhost", broker.port)
    client.loop_start()
    wait_until(lambda: bool(ended))
    client.disconnect()
    client.loop_stop()
    assert (ended[0] == "let in") == is_let_in
