"""Draw randomness from the operating system, and fingerprint secrets with a key of our own.

Layer: edges. Takes: a key file beside the database. Gives: `offers.ports.SecretSource`. The key is
not in the database: whoever steals the one without the other can neither call us nor redeem, nor
even begin to guess a password.
"""

import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from offers.model.errors import CorruptDatabase

if TYPE_CHECKING:
    from argon2 import PasswordHasher

KEY_BYTES: Final = 32
# argon2id with what OWASP names as the least (Password Storage Cheat Sheet): 25 ms of one core and
# 19 MiB, since the machine that checks passwords also locates.
ARGON_KIB: Final = 19 * 1024
ARGON_PASSES: Final = 2
PASSWORD_PURPOSE: Final = "password"  # noqa: S105 - the name of a use, not a secret


class SystemSecretSource:
    """Randomness of the operating system, HMAC-SHA256 under one key."""

    def __init__(self, key: bytes) -> None:
        """Take the key that `load_key` gives."""
        assert len(key) == KEY_BYTES
        self._key = key

    def random_bytes(self, count: int) -> bytes:
        """Return ``count`` bytes that nobody can guess."""
        return secrets.token_bytes(count)

    def fingerprint(self, secret: str, *, purpose: str) -> str:
        """Return HMAC-SHA256 of ``secret`` as 64 hex digits; another ``purpose``, another value."""
        name = purpose.encode()
        # The length in front keeps ("ab", "c") and ("a", "bc") apart.
        told = len(name).to_bytes(4, "big") + name + secret.encode("utf-8", "surrogatepass")
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()

    def hash_password(self, password: str) -> str:
        """Return argon2id of the password's fingerprint, with salt and parameters in the text."""
        return _argon().hash(self.fingerprint(password, purpose=PASSWORD_PURPOSE))

    def is_password(self, password: str, password_hash: str | None) -> bool:
        """Return whether it is the password; takes as long where there is none to compare with."""
        from argon2.exceptions import InvalidHashError, VerificationError

        if password_hash is None:
            self.hash_password(password)
            return False
        try:
            return _argon().verify(
                password_hash, self.fingerprint(password, purpose=PASSWORD_PURPOSE)
            )
        except (VerificationError, InvalidHashError):
            return False


@cache
def _argon() -> "PasswordHasher":
    from argon2 import PasswordHasher  # a twentieth of a second, which few starts need

    return PasswordHasher(time_cost=ARGON_PASSES, memory_cost=ARGON_KIB, parallelism=1)


def load_key(path: Path) -> bytes:
    """Return the key in the file, which is made, for our eyes only, where there is none.

    Raises `CorruptDatabase` if the file does not hold a key: with another one no coupon and no
    credential would be known any more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(path)
    key = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def _read_key(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise CorruptDatabase(
            f"{path}: the key has {len(key)} bytes; expected {KEY_BYTES}. Put back the key that "
            "belongs to this database."
        )
    return key
