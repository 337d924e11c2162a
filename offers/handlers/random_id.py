"""Draw ids and secrets that nobody can guess.

Layer: flow. Takes: a `SecretSource`. Gives: ids and bearer secrets to the other handlers.
"""

import base64
from typing import Final

from offers.model.ids import RANDOM_ID_BYTES
from offers.ports import SecretSource

SECRET_BYTES: Final = 32


def random_id(secrets: SecretSource) -> str:
    """Return 128 random bits as 32 hex digits."""
    return secrets.random_bytes(RANDOM_ID_BYTES).hex()


def random_secret(prefix: str, secrets: SecretSource) -> str:
    """Return a bearer secret of 256 bits; the prefix lets scanners find one that leaked."""
    drawn = base64.urlsafe_b64encode(secrets.random_bytes(SECRET_BYTES))
    return f"{prefix}_{drawn.rstrip(b'=').decode()}"
