"""Messages as gateways make them, for the tests of ingest."""

import json
from collections.abc import Sequence

from rtls.ingest.reception import AdmittedTags, Reception, ReceptionSettings
from rtls.model.reading import ReadingBatch
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.units import AnchorId, GatewayId, Metre, SiteId, UnixMs
from rtls.ports import RawMessage

BOOT = "6f2c9a10b7e4d853"
OTHER_BOOT = "0123456789abcdef"
NOW = 1_795_255_200_000  # a whole second
TOPIC = "inaisle/v1/gw/g1/up"

Observation = dict[str, object]


def make_map(anchors: Sequence[tuple[str, str | None]] = (("a1", "g1"), ("a2", "g2"))) -> SiteMap:
    """One floor with anchors, each with the gateway that may report for it."""
    return SiteMap(
        site=SiteId("shop"),
        name="Shop",
        floors=(Floor(floor=0, name="ground", width_m=Metre(20.0), height_m=Metre(20.0)),),
        zones=(),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(name),
                radio=Radio.UWB,
                floor=0,
                x_m=Metre(1.0 + index),
                y_m=Metre(1.0),
                z_m=Metre(2.5),
                gateway=None if gateway is None else GatewayId(gateway),
            )
            for index, (name, gateway) in enumerate(anchors)
        ),
    )


def heard(tag: str = "tag:1", value: float = 4.31, **more: object) -> Observation:
    """One range, with any other members."""
    return {"id": tag, "k": "range", "v": value, **more}


def up(*observations: Observation, seq: int = 0, t: int = NOW, **more: object) -> bytes:
    """One `up` payload."""
    head = {"v": 1, "boot": BOOT, "seq": seq, "t": t, "obs": list(observations), **more}
    return json.dumps(head, separators=(",", ":")).encode()


def raw(
    payload: bytes, *, at: int = NOW, topic: str = TOPIC, is_retained: bool = False
) -> RawMessage:
    """One message as a source gives it."""
    return RawMessage(
        topic=topic, payload=payload, received_at_ms=UnixMs(at), is_retained=is_retained
    )


def make_reception(site_map: SiteMap | None = None, **settings: int) -> Reception:
    """Reception that admits every tag."""
    return Reception(
        site_map or make_map(),
        admitted=AdmittedTags.all(),
        settings=ReceptionSettings(**settings),
    )


def rows_of(batches: Sequence[ReadingBatch]) -> list[tuple[int, str, float]]:
    """(epoch end, tag, value) of every reading, in the order given; ends are relative to NOW."""
    names: dict[int, str] = {}
    rows = []
    for batch in batches:
        names.update({slot: str(tag) for slot, tag in batch.introduced})
        rows.extend(
            (batch.epoch_end_ms - NOW, names[int(row["tag"])], float(row["value"]))
            for row in batch.readings
        )
    return rows
