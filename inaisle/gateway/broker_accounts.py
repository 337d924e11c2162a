"""Keep the files by which mosquitto knows who may say and hear what: accounts and rules.

Layer: doors. Takes: a folder, names and passwords. Gives: `inaisle.passwd` and `mosquitto.acl` as
config/mosquitto.conf names them, and `gateways.json`, which says whose each gateway is. A file is
replaced whole or not at all; what somebody else wrote into it stays.
"""

import base64
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from inaisle.config_files import config_folder
from inaisle.errors import InvalidSettings, Unavailable
from rtls.model.units import GatewayId, SiteId
from rtls.storage.snapshot_file import sync_folder, write_durably

GATEWAY_PATTERN: Final = re.compile(r"\A[a-z0-9][a-z0-9-]{2,62}\Z")
SERVICE_ACCOUNTS: Final = ("inaisle-ingest", "inaisle-record")
"""accounts of our own programs, as config/mosquitto.acl names them"""
ACCOUNTS_NAME: Final = "inaisle.passwd"
ACL_NAME: Final = "mosquitto.acl"
BOOK_NAME: Final = "gateways.json"
BOOK_VERSION: Final = 1
PASSWORD_BYTES: Final = 24
SALT_BYTES: Final = 12
ITERATIONS: Final = 1_000
"""nobody guesses 192 random bits; more would only make a broker slow to let a chain in again"""
ONLY_OURS: Final = 0o600


class BookedGateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of one gateway."""

    site: SiteId
    added_at: str


class GatewayBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `gateways.json`."""

    version: int
    gateways: dict[GatewayId, BookedGateway]


class BrokerAccounts:
    """The files of one broker; one process at a time changes them.

    Parameters
    ----------
    folder
        Made if it is not there.

    Raises
    ------
    Unavailable
        If it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        except OSError as error:
            raise Unavailable(
                f"{folder} cannot be made ({error.strerror}). Give another with --out."
            ) from error

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep other processes from changing the files meanwhile."""
        with (self.folder / ".turn").open("w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def gateways(self) -> Mapping[GatewayId, BookedGateway]:
        """Return the gateways by name.

        Raises
        ------
        InvalidSettings
            If the file cannot be read.
        """
        path = self.folder / BOOK_NAME
        content = _read(path)
        if not content:
            return {}
        try:
            book = msgspec.json.decode(content, type=GatewayBook)
        except (ValueError, RecursionError) as error:
            raise InvalidSettings(
                f"{path}: cannot be read ({error}). Restore it from a backup, or move it away: "
                f"accounts stay, but nobody knows then to which site a gateway belongs."
            ) from error
        if book.version != BOOK_VERSION:
            raise InvalidSettings(
                f"{path}: version is {book.version}; expected {BOOK_VERSION}. Use the release that "
                "wrote it."
            )
        return book.gateways

    def keep_gateways(self, gateways: Mapping[GatewayId, BookedGateway]) -> None:
        """Replace what is known of gateways."""
        book = GatewayBook(version=BOOK_VERSION, gateways=dict(sorted(gateways.items())))
        content = msgspec.json.format(msgspec.json.encode(book), indent=2)
        self._replace(BOOK_NAME, content + b"\n")

    def has_account(self, name: str) -> bool:
        """Return whether the broker would let somebody of this name in."""
        return any(_is_of(name, line) for line in self._password_lines())

    def put_account(self, name: str) -> str:
        """Give an account a new password, and return it: for the first and last time."""
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        kept = [line for line in self._password_lines() if not _is_of(name, line)]
        line = password_line(name, password, salt=secrets.token_bytes(SALT_BYTES))
        self._replace(ACCOUNTS_NAME, b"".join((*kept, line)))
        return password

    def remove_account(self, name: str) -> None:
        """Let nobody of this name in any more."""
        kept = [line for line in self._password_lines() if not _is_of(name, line)]
        self._replace(ACCOUNTS_NAME, b"".join(kept))

    def complete_rules(self) -> tuple[str, ...]:
        """Add to the rules what ours have of every gateway and theirs lack; return that.

        Where there are no rules yet, ours are laid down whole.
        """
        ours = (config_folder() / ACL_NAME).read_text(encoding="utf-8")
        theirs = _read(self.folder / ACL_NAME).decode()
        if not theirs.strip():
            self._replace(ACL_NAME, ours.encode())
            return ()
        have = {" ".join(line.split()) for line in theirs.splitlines()}
        missing = tuple(
            line for line in ours.splitlines() if line.startswith("pattern ") and line not in have
        )
        if missing:
            rules = "".join(f"{line}\n" for line in missing)
            self._replace(ACL_NAME, f"{theirs.rstrip()}\n\n{rules}".encode())
        return missing

    def _password_lines(self) -> list[bytes]:
        lines = _read(self.folder / ACCOUNTS_NAME).splitlines()
        return [line + b"\n" for line in lines if line.strip()]

    def _replace(self, name: str, content: bytes) -> None:
        """Replace a file; it keeps its owner and rights, by which the broker reads it.

        Raises
        ------
        Unavailable
            If the disk refuses; what was there before still stands.
        """
        path = self.folder / name
        beside = path.with_name(f"{name}.writing")
        try:
            beside.unlink(missing_ok=True)
            beside.touch(mode=ONLY_OURS)
            write_durably(beside, content)
            if path.exists():
                before = path.stat()
                beside.chmod(before.st_mode & 0o777)
                os.chown(beside, before.st_uid, before.st_gid)
            beside.replace(path)
            sync_folder(self.folder)
        except OSError as error:
            raise Unavailable(
                f"{path} cannot be written ({error.strerror}); expected a folder that this user "
                "may write to, and files of his own. What was there still stands."
            ) from error


def check_gateway_id(name: str) -> GatewayId:
    """Return the id of a gateway.

    Raises
    ------
    InvalidSettings
        If it breaks the grammar, or is the name of an account of ours.
    """
    if not GATEWAY_PATTERN.match(name) or name in SERVICE_ACCOUNTS:
        raise InvalidSettings(
            f"gateway is {name!r}; expected 3 to 63 of a-z, 0-9 and '-', not beginning with '-', "
            f"and none of {', '.join(SERVICE_ACCOUNTS)}: it is its user name and stands in topics."
        )
    return GatewayId(name)


def password_line(name: str, password: str, *, salt: bytes) -> bytes:
    """Return an account as a line of mosquitto's password file: PBKDF2-HMAC-SHA512.

    Examples
    --------
    >>> password_line("gw-01", "secret", salt=bytes(12))[:32]
    b'gw-01:$7$1000$AAAAAAAAAAAAAAAA$o'
    """
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    parts = (base64.b64encode(salt).decode(), base64.b64encode(digest).decode())
    return f"{name}:$7${ITERATIONS}${parts[0]}${parts[1]}\n".encode()


def _is_of(name: str, line: bytes) -> bool:
    return line.startswith(f"{name}:".encode())


def _read(path: Path) -> bytes:
    """Return a file's content; nothing where there is none.

    Raises
    ------
    Unavailable
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read ({error.strerror}). Run this as its owner."
        ) from error
