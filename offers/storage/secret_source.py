"""Draw randomness from the operating system, and fingerprint secrets with a key of our own.

Layer: edges. Takes: a key file beside the database. Gives: `offers.ports.SecretSource`. The key is
not in the database: whoever steals the one without the other can neither call us nor redeem.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from offers.model.errors import CorruptDatabase

KEY_BYTES: Final = 32


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
