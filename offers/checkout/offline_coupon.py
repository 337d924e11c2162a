"""Sign a coupon so that a till can check it without a line, and read one.

Layer: rules. Takes: an `OfflineCoupon` and a seed; a text that was scanned and public keys.
Gives: the text for a QR code; the coupon, if it is ours. Ed25519 (RFC 8032): 64 bytes of signature,
and a till that knows the public keys can make none itself.

``IC1.<key id>.<payload>.<signature>``: the payload is JSON, both it and the signature in base64url
without padding, and what is signed is all before the last dot.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from offers.model.campaigns.benefit_json import parse_benefit, render_benefit
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import InvalidCode, OffersError, WrongState
from offers.model.ids import CampaignId, CouponId
from offers.model.till.offline_coupon import OfflineCoupon, OfflineReason
from rtls.model.units import SiteId, UnixMs

VERSION: Final = "IC1"
SEED_BYTES: Final = 32
# A QR code of this many bytes is still read from a phone's screen by an ordinary till's scanner.
CHARACTERS_MAX: Final = 1_000
# How far a till's clock may be ahead of ours.
CLOCK_AHEAD_MS_MAX: Final = 300_000
_PARTS: Final = 4


def public_key_of(seed: bytes) -> bytes:
    """Return the 32 bytes by which tills know our signatures."""
    return _private(seed).public_key().public_bytes_raw()


def key_id_of(public_key: bytes) -> str:
    """Return the name of a key."""
    return hashlib.sha256(public_key).hexdigest()[:8]


def render_offline_coupon(coupon: OfflineCoupon, *, seed: bytes) -> str:
    """Return the text to show.

    Raises
    ------
    WrongState
        If the benefit names so many items that the text does not fit a QR code.
    """
    payload = {
        "b": render_benefit(coupon.benefit),
        "c": coupon.coupon,
        "e": coupon.expires_at_ms,
        "f": coupon.issued_at_ms,
        "k": coupon.campaign,
        "s": coupon.site,
        "x": coupon.stacking.value,
    }
    document = json.dumps(payload, separators=(",", ":"), sort_keys=True).encode()
    told = f"{VERSION}.{key_id_of(public_key_of(seed))}.{_text(document)}"
    text = f"{told}.{_text(_private(seed).sign(told.encode()))}"
    if len(text) > CHARACTERS_MAX:
        raise WrongState(
            f"coupon {coupon.coupon} needs {len(text)} characters; expected at most "
            f"{CHARACTERS_MAX}. Its benefit names too many items for a QR code: show its code."
        )
    return text


def parse_offline_coupon(scanned: str, *, keys: Mapping[str, bytes]) -> OfflineCoupon:
    """Return the coupon, if one of ``keys`` has signed it.

    Parameters
    ----------
    scanned
        The text of the QR code.
    keys
        Public keys by their id.

    Raises
    ------
    InvalidCode
        If it is no coupon of ours.
    """
    parts = scanned.split(".") if len(scanned) <= CHARACTERS_MAX else []
    if len(parts) != _PARTS or parts[0] != VERSION or parts[1] not in keys:
        raise InvalidCode(
            f"the text has {len(scanned)} characters and {len(parts)} parts; expected a coupon "
            f"{VERSION} of one of the keys {sorted(keys)}. Fetch the keys, and scan it again."
        )
    told, _, _ = scanned.rpartition(".")
    try:
        public_key = Ed25519PublicKey.from_public_bytes(keys[parts[1]])
        public_key.verify(_bytes(parts[3]), told.encode())
        return _coupon(json.loads(_bytes(parts[2])))
    except (
        InvalidSignature,
        binascii.Error,
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
        OffersError,
    ) as error:
        raise InvalidCode(
            "the coupon's signature is not good; expected one of ours. Do not take it."
        ) from error


def refusal_of_offline(
    coupon: OfflineCoupon, *, site: SiteId, redeemed_at_ms: UnixMs, now_ms: UnixMs
) -> OfflineReason | None:
    """Return why a till should not have taken the coupon then and there, or None."""
    if coupon.site != site:
        return OfflineReason.COUPON_FOREIGN
    if redeemed_at_ms > now_ms + CLOCK_AHEAD_MS_MAX:
        return OfflineReason.CLOCK_AHEAD
    # A till's clock may be behind the phone's that has just got the coupon.
    if not coupon.issued_at_ms - CLOCK_AHEAD_MS_MAX <= redeemed_at_ms < coupon.expires_at_ms:
        return OfflineReason.OUTSIDE_VALIDITY
    return None


def _private(seed: bytes) -> Ed25519PrivateKey:
    assert len(seed) == SEED_BYTES
    return Ed25519PrivateKey.from_private_bytes(seed)


def _coupon(payload: dict[str, object]) -> OfflineCoupon:
    benefit = payload["b"]
    if not isinstance(benefit, dict):
        raise InvalidCode("the payload has no benefit; expected one.")
    return OfflineCoupon(
        coupon=CouponId(str(payload["c"])),
        campaign=CampaignId(str(payload["k"])),
        site=SiteId(str(payload["s"])),
        benefit=parse_benefit(benefit),
        stacking=StackingClass(str(payload["x"])),
        issued_at_ms=UnixMs(int(str(payload["f"]))),
        expires_at_ms=UnixMs(int(str(payload["e"]))),
    )


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded.encode(), altchars=b"-_", validate=True)
