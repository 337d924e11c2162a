"""Tell push services who sends, so that they can reach us when something is amiss (RFC 8292).

Layer: edges. Takes: a `SecretSource`, the operator's address, a push service. Gives: the
Authorization header to web_push, and the public key that browsers subscribe with. The key pair
follows from the installation's own key: there is no second file to lose, and a restored backup
keeps all subscriptions.
"""

import json
from collections import OrderedDict
from threading import Lock
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from offers.delivery.push_encryption import public_point
from offers.model.messages.push import render_base64url
from offers.model.messages.target import Target
from offers.ports import SecretSource
from rtls.model.units import UnixMs

TOKEN_S: Final = 12 * 3_600  # RFC 8292, 2: at most 24 h
_RENEW_S: Final = 3_600
_TOKENS_KEPT: Final = 64
_ORDER_P256: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_COORDINATE_BYTES: Final = 32


def vapid_key(secrets: SecretSource) -> ec.EllipticCurvePrivateKey:
    """Return the key pair of this installation, always the same."""
    # 512 bits, so that the remainder leans to no side (FIPS 186-5, A.2.1).
    drawn = "".join(secrets.fingerprint(half, purpose="vapid") for half in ("high", "low"))
    return ec.derive_private_key(int(drawn, 16) % (_ORDER_P256 - 1) + 1, ec.SECP256R1())


class Vapid:
    """Signs for push services; keeps a token for each as long as it is good.

    Parameters
    ----------
    key
        Of `vapid_key`.
    contact
        ``mailto:`` or https address of the operator.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, *, contact: str) -> None:
        self._key = key
        self._contact = contact
        self._tokens: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._lock = Lock()
        self.public_key = render_base64url(public_point(key.public_key()))

    def authorization(self, target: Target, *, now_ms: UnixMs) -> str:
        """Return the value of the Authorization header for one push service."""
        now_s = now_ms // 1_000
        with self._lock:
            expires_s, token = self._tokens.get(target.origin, (0, ""))
            if expires_s - now_s < _RENEW_S or expires_s - now_s > TOKEN_S:
                expires_s = now_s + TOKEN_S
                token = self._sign(target.origin, expires_s)
                self._tokens[target.origin] = (expires_s, token)
                while len(self._tokens) > _TOKENS_KEPT:
                    self._tokens.popitem(last=False)
        return f"vapid t={token}, k={self.public_key}"

    def _sign(self, audience: str, expires_s: int) -> str:
        claims = {"aud": audience, "exp": expires_s, "sub": self._contact}
        signed = f"{_part({'typ': 'JWT', 'alg': 'ES256'})}.{_part(claims)}"
        der = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        pair = (number.to_bytes(_COORDINATE_BYTES, "big") for number in _numbers(der))
        return f"{signed}.{render_base64url(b''.join(pair))}"


def _numbers(der: bytes) -> tuple[int, int]:
    return utils.decode_dss_signature(der)


def _part(content: dict[str, object]) -> str:
    return render_base64url(json.dumps(content, separators=(",", ":")).encode())
