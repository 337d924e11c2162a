"""Encrypt a push message so that only the shopper's browser can read it (RFC 8291).

Layer: edges. Takes: a plaintext, the browser's key and secret, fresh randomness. Gives: the body to
web_push. The push service of the browser's maker carries it and sees nothing but its length, which
is padded so that it does not tell one offer from another.
"""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from offers.model.errors import InvalidTarget
from offers.model.messages.push import AUTH_BYTES, PUBLIC_KEY_BYTES

SALT_BYTES: Final = 16
RECORD_BYTES: Final = 4_096  # RFC 8291, 4: one record, and no service has to take a longer body
# The body must fit into one record: header of 86, tag of 16, delimiter of 1 byte.
PLAINTEXT_BYTES_MAX: Final = RECORD_BYTES - 86 - 16 - 1
_LAST_RECORD: Final = b"\x02"  # RFC 8188, 2: ends the plaintext of the last record


def load_public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """Return the P-256 key of an uncompressed point.

    Raises
    ------
    InvalidTarget
        If it is no point of the curve.
    """
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise InvalidTarget(
            "p256dh is no point of the curve P-256; expected the browser's own key."
        ) from error


def public_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the uncompressed point of a key, as it goes over the wire."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypt_push(
    plaintext: bytes,
    *,
    browser_key: bytes,
    browser_secret: bytes,
    salt: bytes,
    own_key: ec.EllipticCurvePrivateKey,
    pad_to: int = 0,
) -> bytes:
    """Return the body of the message, in the content coding aes128gcm (RFC 8188).

    Parameters
    ----------
    plaintext
        At most `PLAINTEXT_BYTES_MAX`.
    browser_key, browser_secret
        ``p256dh`` and ``auth`` of the subscription, as bytes.
    salt, own_key
        Fresh for each message: the same pair twice would open both messages.
    pad_to
        How long the plaintext is made at least.

    Raises `InvalidTarget` as `load_public_key` does.
    """
    assert len(plaintext) <= PLAINTEXT_BYTES_MAX
    assert len(salt) == SALT_BYTES
    assert len(browser_secret) == AUTH_BYTES
    own_point = public_point(own_key.public_key())
    shared = own_key.exchange(ec.ECDH(), load_public_key(browser_key))
    info = b"WebPush: info\x00" + browser_key + own_point
    input_key = _derive(shared, salt=browser_secret, info=info, length=32)
    key = _derive(input_key, salt=salt, info=b"Content-Encoding: aes128gcm\x00", length=16)
    nonce = _derive(input_key, salt=salt, info=b"Content-Encoding: nonce\x00", length=12)
    padding = bytes(max(0, min(pad_to, PLAINTEXT_BYTES_MAX) - len(plaintext)))
    sealed = AESGCM(key).encrypt(nonce, plaintext + _LAST_RECORD + padding, None)
    header = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([PUBLIC_KEY_BYTES]) + own_point
    return header + sealed


def _derive(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
