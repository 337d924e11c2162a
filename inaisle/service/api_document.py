"""Write the OpenAPI document of the whole service, as pages and integrators are built against it.

Layer: doors. Takes: settings. Gives: the document on standard output or in a file, and an exit
status to inaisle.cli. The service is wired in an empty folder and never started.
"""

import json
import tempfile
from pathlib import Path

import typer
from fastapi import FastAPI
from pydantic import JsonValue

from inaisle.clock import SystemClock
from inaisle.demo.demo_settings import demo_settings
from inaisle.errors import ExitStatus
from inaisle.service.assembly import open_service
from inaisle.service.broker import BrokerAddress
from inaisle.settings import Settings


def api_document(settings: Settings) -> dict[str, JsonValue]:
    """Return the document of a service that does all in one process."""
    broker = BrokerAddress(host=settings.mqtt.host, port=settings.mqtt.port, qos=settings.mqtt.qos)
    with (
        tempfile.TemporaryDirectory(prefix="inaisle-") as folder,
        open_service(
            demo_settings(settings, Path(folder)), role="all", broker=broker, clock=SystemClock()
        ) as service,
    ):
        app = service.app()
        assert isinstance(app, FastAPI)
        document: dict[str, JsonValue] = app.openapi()
        return document


def run_openapi(settings: Settings, out: Path | None) -> ExitStatus:
    """Write the document; the same code gives the same bytes."""
    text = json.dumps(api_document(settings), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
    return ExitStatus.DONE
