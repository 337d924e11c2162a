"""Put a site's programme into force.

Layer: flow. Takes: a `Programme`. Gives: the number of its revision. What was earned under an
earlier one stays as it is.
"""

from offers.model.programme import Programme
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def start_programme(programme: Programme, *, work: UnitOfWork, now_ms: UnixMs) -> int | None:
    """Write the programme as the newest revision; None where it is the newest already."""
    if work.programmes.current(programme.site) == programme:
        return None
    return work.programmes.add_revision(programme, at_ms=now_ms)
