"""The API against its own document: whatever fits the schema, or just misses it, is answered.

Requests are drawn from the OpenAPI document, each with a key that may make them. An answer must be
one that the document describes, and no fault of ours: a 503 counts as one, since nobody else works
on the database here.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from offers.api.roles import EVERYBODY, ROLES
from offers.model.people.shopper import Role
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.unit.offers.shop import campaign

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 400 if "INAISLE_NIGHTLY" in os.environ else 12
# What just misses the schema is refused before a database is asked: one of them is enough for that.
MODES = [
    ("sqlite", GenerationMode.POSITIVE),
    ("sqlite", GenerationMode.NEGATIVE),
    ("postgresql", GenerationMode.POSITIVE),
]
OPERATIONS = sorted(name for name in ROLES if name != "streamOffers")


class Api:
    """A running API with a shopper who has everything that a path can name."""

    def __init__(self, running: RunningApi) -> None:
        self.running = running
        document = running.http.get("/v1/openapi.json").json()
        self.schema = schemathesis.openapi.from_dict(document)
        self.operations = {
            found.ok().definition.raw["operationId"]: found.ok()
            for found in self.schema.get_all_operations()
        }
        running.start_campaign(campaign())
        self.till = running.till()
        self.staff = {
            role: running.key(role) for role in (Role.MERCHANDISER, Role.STORE_ADMIN, Role.OPERATOR)
        }

    def credential(self, operation: str) -> dict[str, str]:
        roles = ROLES[operation]
        if roles is EVERYBODY:
            return {}
        role = min(roles)
        if role is Role.SHOPPER:
            return Phone(self.running).headers
        return self.till if role is Role.TILL else self.staff[role]


@pytest.fixture(scope="module")
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder: Path = tmp_path_factory.mktemp("api")
    if request.param == "sqlite":
        with running_api(folder) as running:
            yield Api(running)
        return
    server = request.getfixturevalue("postgres")
    url = server.database()
    with running_api(folder, database=url) as running:
        yield Api(running)
    server.drop(url)


@pytest.mark.slow
@pytest.mark.parametrize(("api", "mode"), MODES, indirect=["api"], scope="module")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_in_the_document(api: Api, operation: str, mode: GenerationMode) -> None:
    """A client that is generated from the document never meets an answer that it does not know."""
    headers = api.credential(operation)

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=api.operations[operation].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(base_url=api.running.url, headers=headers)
        case.validate_response(answer, checks=CHECKS, headers=headers)

    ask()
