"""Set up the log: JSON for machines, colours for a terminal, no person in either.

Layer: doors. Takes: the log section of the settings. Gives: one pipeline for structlog and for the
standard library's loggers (uvicorn, paho, alembic), on standard error.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import TextIO

import structlog

from inaisle.settings_sections import LogSection

REDACTED = "[redacted]"
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# A tag id at INFO would let a log reader follow a person; so would an e-mail address.
PERSONAL_KEYS = frozenset({
    "tag", "tags", "tag_id", "shopper", "shopper_id", "email", "token", "key", "code", "password",
    "x_m", "y_m",
})  # fmt: skip
PERSONAL_TEXT = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"
    r"|\b(?:tag|app|ble):[A-Za-z0-9:._-]{1,64}|\b(?:till|op|shp)_[A-Za-z0-9_-]{8,128}"
)
EventDict = MutableMapping[str, object]


def set_up_logging(section: LogSection, *, stream: TextIO | None = None) -> None:
    """Send everything that is logged through one pipeline.

    Parameters
    ----------
    section
        Level and format; "auto" is console on a terminal, else JSON.
    stream
        Standard error if None: standard output belongs to `--json`.
    """
    stream = sys.stderr if stream is None else stream
    is_console = section.format == "console" or (section.format == "auto" and stream.isatty())
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if is_console else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[section.level])
    # One line a request tells nothing that /metrics does not, and names the caller's address;
    # alembic tells at each start that nothing has changed.
    for chatty in ("uvicorn.access", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def redact(_logger: object, method: str, event: EventDict) -> EventDict:
    """Take persons out of a line, unless it is a debug line.

    Examples
    --------
    >>> redact(None, "info", {"event": "lost tag:0d13", "tag": "tag:0d13", "zone": "dowels"})
    {'event': 'lost [redacted]', 'tag': '[redacted]', 'zone': 'dowels'}
    """
    if method == "debug":
        return event
    for name, value in event.items():
        if name in PERSONAL_KEYS:
            event[name] = REDACTED
        elif isinstance(value, str):
            event[name] = PERSONAL_TEXT.sub(REDACTED, value)
    return event
