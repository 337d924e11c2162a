"""Web push encryption and sender identification against the RFCs' own examples."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offers.delivery.push_encryption import (
    PLAINTEXT_BYTES_MAX,
    RECORD_BYTES,
    encrypt_push,
    load_public_key,
    public_point,
)
from offers.delivery.vapid import TOKEN_S, Vapid, vapid_key
from offers.model.errors import InvalidTarget
from offers.model.messages.push import parse_base64url, render_base64url
from offers.model.messages.target import Target
from offers.storage.secret_source import SystemSecretSource
from rtls.model.units import UnixMs
from tests.unit.offers.shop import START_MS


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(text), "big"), ec.SECP256R1())


# RFC 8291, section 5 and appendix A.
PLAINTEXT = b"When I grow up, I want to be a watermelon"
OWN_KEY = private_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
BROWSER_KEY = private_key("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
BROWSER_POINT = decoded(
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
BROWSER_SECRET = decoded("BTBZMqHH6r4Tts7J_aSIgg")
SALT = decoded("DGv6ra1nlYgDCS1FRnbzlw")
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
    "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
    "lcy4a-fN"
)


def opened(body: bytes, *, key: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """What a browser does, written from the RFC and not from our code."""
    salt, record, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    assert len(sealed) <= record
    shared = key.exchange(ec.ECDH(), load_public_key(sender))
    own = public_point(key.public_key())

    def derive(start: bytes, salt: bytes, info: bytes, size: int) -> bytes:
        return HKDF(hashes.SHA256(), size, salt, info).derive(start)

    ikm = derive(shared, secret, b"WebPush: info\0" + own + sender, 32)
    cek = derive(ikm, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derive(ikm, salt, b"Content-Encoding: nonce\0", 12)
    padded = AESGCM(cek).decrypt(nonce, sealed, None).rstrip(b"\0")
    assert padded[-1] == 2
    return padded[:-1]


def test_the_example_of_the_rfc_comes_out_to_the_byte() -> None:
    """Browsers written by others must be able to read us."""
    body = encrypt_push(
        PLAINTEXT,
        browser_key=BROWSER_POINT,
        browser_secret=BROWSER_SECRET,
        salt=SALT,
        own_key=OWN_KEY,
    )
    assert render_base64url(body) == BODY
    assert opened(body, key=BROWSER_KEY, secret=BROWSER_SECRET) == PLAINTEXT


@pytest.mark.parametrize("length", [0, 1, 500, PLAINTEXT_BYTES_MAX])
def test_a_padded_message_of_any_length_is_read(length: int) -> None:
    """Padding hides which offer it is; the longest still fits into what services must take."""
    plaintext = b"\xe2" * length
    body = encrypt_push(
        plaintext,
        browser_key=BROWSER_POINT,
        browser_secret=BROWSER_SECRET,
        salt=SALT,
        own_key=OWN_KEY,
        pad_to=1_024,
    )
    assert opened(body, key=BROWSER_KEY, secret=BROWSER_SECRET) == plaintext
    assert len(body) <= RECORD_BYTES
    assert len(body) == 86 + 16 + 1 + max(length, 1_024)


def test_a_key_that_is_no_point_of_the_curve_is_refused() -> None:
    """An invalid curve would give our own key away bit by bit."""
    with pytest.raises(InvalidTarget, match="P-256"):
        load_public_key(b"\x04" + bytes(63) + b"\x01")


@pytest.mark.parametrize("text", ["ä", "a", "a b=", "a+b/", "x" * 200])
def test_what_is_not_base64url_is_refused(text: str) -> None:
    """Keys come from a browser, or from whoever pretends to be one."""
    with pytest.raises(InvalidTarget):
        parse_base64url("auth", text)


def test_the_example_token_of_rfc_8292_passes_our_verification() -> None:
    """The control for the test below: our way to verify is that of the RFC."""
    signed = (
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiO"
        "jE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGk"
        "MlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA"
    )
    key = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
    assert verified(f"vapid t={signed}, k={key}")["aud"] == "https://push.example.net"


def verified(authorization: str) -> dict[str, object]:
    fields = dict(part.split("=", 1) for part in authorization.removeprefix("vapid ").split(", "))
    signed, _, signature = fields["t"].rpartition(".")
    r, s = (int.from_bytes(decoded(signature)[at : at + 32], "big") for at in (0, 32))
    load_public_key(decoded(fields["k"])).verify(
        utils.encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256())
    )
    head, claims = (json.loads(decoded(part)) for part in signed.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}
    assert isinstance(claims, dict)
    return claims


def test_a_push_service_learns_who_sends_and_for_how_long() -> None:
    """A token for one service must be of no use at another, nor next week."""
    vapid = Vapid(vapid_key(SystemSecretSource(bytes(32))), contact="mailto:shop@example.com")
    target = Target.parse("https://push.example.net/send/1")
    claims = verified(vapid.authorization(target, now_ms=START_MS))
    assert claims == {
        "aud": "https://push.example.net",
        "exp": START_MS // 1_000 + TOKEN_S,
        "sub": "mailto:shop@example.com",
    }


def test_a_token_is_kept_until_shortly_before_it_expires() -> None:
    """Signing costs; and a token that expires on the way is refused."""
    vapid = Vapid(vapid_key(SystemSecretSource(bytes(32))), contact="mailto:shop@example.com")
    target = Target.parse("https://push.example.net/send/1")
    first = vapid.authorization(target, now_ms=START_MS)
    later = UnixMs(START_MS + (TOKEN_S - 3_600) * 1_000)
    assert vapid.authorization(target, now_ms=later) == first
    assert vapid.authorization(target, now_ms=UnixMs(later + 1_000)) != first


def test_the_key_follows_from_the_installation_and_from_nothing_else() -> None:
    """Another key after a restart would silence every subscription."""
    one, again, other = (
        Vapid(vapid_key(SystemSecretSource(bytes([n]) * 32)), contact="mailto:a@b.example")
        for n in (1, 1, 2)
    )
    assert one.public_key == again.public_key != other.public_key
    assert len(decoded(one.public_key)) == 65
