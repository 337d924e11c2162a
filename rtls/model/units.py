"""Units and identities as types, so that metres never meet decibels.

Layer: nouns. Takes: nothing. Gives: names for numbers and ids to every other module.
"""

from typing import NewType

Metre = NewType("Metre", float)
Second = NewType("Second", float)
Radian = NewType("Radian", float)
Dbm = NewType("Dbm", float)

# Milliseconds since 1970-01-01T00:00:00Z, without leap seconds (POSIX time × 1000).
UnixMs = NewType("UnixMs", int)

SiteId = NewType("SiteId", str)
GatewayId = NewType("GatewayId", str)
AnchorId = NewType("AnchorId", str)
TagId = NewType("TagId", str)
ZoneId = NewType("ZoneId", str)
