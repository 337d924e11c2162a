"""The smallest site that a loop can run on."""

from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.units import AnchorId, Metre, SiteId

TWO_ANCHORS = SiteMap(
    site=SiteId("s"),
    name="s",
    floors=(Floor(floor=0, name="0", width_m=Metre(9.0), height_m=Metre(9.0)),),
    zones=(),
    anchors=tuple(
        Anchor(
            anchor=AnchorId(name),
            radio=Radio.UWB,
            floor=0,
            x_m=Metre(0.0),
            y_m=Metre(0.0),
            z_m=Metre(2.0),
        )
        for name in ("a0", "a1")
    ),
)
