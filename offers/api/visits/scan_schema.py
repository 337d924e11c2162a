"""Say what a shopper's phone sends of the anchors that it hears.

Layer: edges. Takes: JSON of the app. Gives: checked bodies to the scan route and the stream. The
members of a reading are those of the reference protocol (docs/wire_protocol.md), without `id`: the
tag is the one that is paired, never one that the body names.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from offers.api.schema import Body, Id

READINGS_MAX = 256
Rssi = Annotated[float, Field(strict=True, ge=-120.0, le=0.0, allow_inf_nan=False)]
Range = Annotated[float, Field(strict=True, ge=0.0, le=300.0, allow_inf_nan=False)]
Sigma = Annotated[float, Field(strict=True, gt=0.0, le=100.0, allow_inf_nan=False)]


class HeardBody(Body):
    """What readings of both kinds have."""

    a: StrictStr = Field(
        min_length=1,
        max_length=128,
        description="the anchor: its id, or the name that it advertises and that has an alias",
        examples=["a17"],
    )
    dt: StrictInt = Field(
        default=0, ge=-30_000, le=0, description="when it was heard, ms before sending"
    )
    sd: Sigma | None = Field(default=None, description="standard deviation, unit of `v`")
    ch: StrictInt | None = Field(default=None, ge=0, le=255, description="radio channel")


class HeardRssiBody(HeardBody):
    """Strength of an anchor's advert."""

    k: Literal["rssi"]
    v: Rssi = Field(description="dBm", examples=[-67])


class HeardRangeBody(HeardBody):
    """Distance to an anchor, by channel sounding, Wi-Fi round trip or UWB."""

    k: Literal["range"]
    v: Range = Field(description="metres", examples=[4.31])


HeardOne = Annotated[HeardRssiBody | HeardRangeBody, Field(discriminator="k")]


class ScanBody(Body):
    """One scan."""

    obs: list[HeardOne] = Field(min_length=1, max_length=READINGS_MAX)
    pairing: Id | None = Field(
        default=None, description="which of several pairings the phone is; may be left out if one"
    )

    def readings_json(self) -> bytes:
        """Return the readings as locating takes them."""
        return self.model_dump_json(include={"obs"}, exclude_none=True).encode()


class ScanTakenBody(Body):
    """The scan is on its way to locating."""

    readings: int
