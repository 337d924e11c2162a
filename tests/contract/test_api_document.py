"""docs/openapi.json is what the service says of itself; pages are built against it."""

import json

from inaisle.config_files import shipped_settings_files
from inaisle.service.api_document import api_document
from inaisle.settings import load_settings
from tests.conftest import REPOSITORY


def test_the_document_that_stands_in_docs_is_that_of_the_service() -> None:
    """A route that changed without it would break the pages only when somebody opens them."""
    settings = load_settings(files=shipped_settings_files(), environment={}).settings
    written = json.loads((REPOSITORY / "docs" / "openapi.json").read_text(encoding="utf-8"))
    told = api_document(settings)
    assert written["paths"].keys() == told["paths"].keys(), "make openapi"
    assert written == told, "make openapi"
