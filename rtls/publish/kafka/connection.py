"""Say where a chain's log is, and how to sign in there.

Layer: edges. Takes: names and secrets from the door's settings. Gives: `KafkaAddress` to every
client of this package, and `MissingExtra` where their library is not installed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from rtls.model.errors import InvalidConnection, MissingExtra

PORT_MAX: Final = 65_535
LIBRARIES: Final = ("confluent_kafka", "quixstreams")
ClientConfig = dict[str, str | int | bool]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


class KafkaProtocol(StrEnum):
    """How the line is secured. A password never goes over an open one."""

    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_SSL = "sasl_ssl"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAddress:
    """Where the brokers are, and who we are to them.

    Parameters
    ----------
    brokers
        ``host:port``, or several with commas between them: any one of them tells of the others.
    protocol
        How the line is secured.
    mechanism, user, password
        With `KafkaProtocol.SASL_SSL` only.
    ca_file
        Of the authority that signed the brokers' certificates; None trusts the system's list.

    Raises
    ------
    InvalidConnection
        If a value cannot work.

    Examples
    --------
    >>> KafkaAddress(brokers="127.0.0.1:9092").client_config()["bootstrap.servers"]
    '127.0.0.1:9092'
    """

    brokers: str
    protocol: KafkaProtocol = KafkaProtocol.PLAINTEXT
    mechanism: Mechanism = "SCRAM-SHA-512"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        for broker in self.brokers.split(","):
            _check_broker(broker.strip())
        has_account = self.user is not None and self.password is not None
        if (self.protocol is KafkaProtocol.SASL_SSL) != has_account:
            raise InvalidConnection(
                f"protocol is {self.protocol.value}, user {self.user!r} and a password is "
                f"{'given' if self.password is not None else 'missing'}; expected user and "
                "password with sasl_ssl, and neither with another protocol."
            )

    def client_config(self) -> ClientConfig:
        """Return the settings that every client of the library shares."""
        config: ClientConfig = {
            "bootstrap.servers": self.brokers,
            "security.protocol": self.protocol.value,
            "reconnect.backoff.ms": 100,
            "reconnect.backoff.max.ms": 2_000,  # a restarted broker is found again within 5 s
        }
        if self.ca_file is not None:
            config["ssl.ca.location"] = str(self.ca_file)
        if self.user is not None and self.password is not None:
            config |= {
                "sasl.mechanism": self.mechanism,
                "sasl.username": self.user,
                "sasl.password": self.password,
            }
        return config


@contextmanager
def kafka_needed_for(what: str) -> Iterator[None]:
    """Turn a failed import of the library into one of our errors.

    Raises
    ------
    MissingExtra
        If the library is not installed.
    ImportError
        If another import fails.
    """
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in LIBRARIES:
            raise
        raise MissingExtra(
            f"{what} needs the library {error.name}, which is not installed; expected the extra "
            "kafka. Install it with: pip install 'inaisle[kafka]'"
        ) from error


def _check_broker(broker: str) -> None:
    host, _, port = broker.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= PORT_MAX:
        raise InvalidConnection(
            f"broker is {broker!r}; expected host:port, several with commas between them, such as "
            "kafka-1:9092,kafka-2:9092."
        )
