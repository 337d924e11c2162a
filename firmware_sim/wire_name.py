"""Name the wire formats that the simulator speaks.

Layer: nouns. Takes: nothing. Gives: `WireName` and `UwbWireName` to firmware_sim.field_device and
to settings, which must not load the simulator for it.
"""

from typing import Literal

WireName = Literal["reference", "espresense", "minew"]
UwbWireName = Literal["reference", "packed", "dwm1001"]
