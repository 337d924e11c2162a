"""Remember a stay of somebody's tag, as the events told it.

Layer: nouns. Takes: zone events. Gives: `OpenVisit` to on_visit, to the check before a delivery and
to storage.
"""

from dataclasses import dataclass

from offers.model.ids import PairingId, VisitId
from rtls.model.units import SiteId, UnixMs, ZoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVisit:
    """One stay of a paired tag, as the events told it; kept after its end against late events."""

    visit: VisitId
    site: SiteId
    zone: ZoneId
    pairing: PairingId
    entered_at_ms: UnixMs
    left_at_ms: UnixMs | None = None
