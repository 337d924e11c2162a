"""Note in the audit who plays back where people were.

Layer: doors. Takes: the request that was admitted and what it asks for. Gives: an entry of the
audit, durable before anything is shown, to rtls.api.playback_routes, which knows no audit.
"""

from fastapi import Request

from inaisle.service.operator_access import acting
from offers.api.services import services_of
from offers.handlers.note_audit import note_audit
from offers.model.audit import AuditAction, Detail
from rtls.api.playback_routes import PlaybackAsked


async def note_playback(request: Request, asked: PlaybackAsked) -> None:
    """Write who asks for which minutes of which floor."""
    services = services_of(request)
    details: dict[str, Detail] = {
        "floor": asked.floor,
        "from_ms": asked.from_ms,
        "until_ms": asked.until_ms,
    }
    await services.write(
        lambda work: note_audit(
            AuditAction.POSITIONS_PLAYED,
            subject=services.site_map.site,
            by=acting(request),
            details=details,
            work=work,
            now_ms=services.now_ms(),
        )
    )
