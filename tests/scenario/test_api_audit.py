"""Whether the audit still holds and who may sign in, for those who answer for the site."""

from collections.abc import Iterator

import pytest

from offers.handlers.people.staff_users import add_staff_user
from offers.model.ids import StaffName, TillId
from offers.model.people.shopper import Role
from offers.model.people.staff_user import StaffUser
from rtls.model.units import SiteId
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.unit.offers.shop import SITE


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


def test_a_sound_chain_is_told_with_its_last_entry(api: RunningApi) -> None:
    """Whoever noted the head down sees later whether somebody wrote the chain anew."""
    Phone(api)
    found = api.http.get("/v1/operator/privacy/audit", headers=api.key(Role.OPERATOR)).json()
    assert found["first_bad_entry"] is None
    assert found["head"]["sequence"] == found["entries"] > 0
    assert len(found["head"]["hash"]) == 64


def test_users_of_the_own_site_are_listed_without_their_passwords(api: RunningApi) -> None:
    """Whose account nobody needs any more is seen by who knows the people."""

    def user(name: str, site: SiteId) -> StaffUser:
        return StaffUser(
            name=StaffName(name),
            role=Role.TILL,
            till=TillId("till-1"),
            site=site,
            password_hash="a hash",  # noqa: S106 -- of nothing
            created_at_ms=api.now_ms,
            changed_at_ms=api.now_ms,
        )

    for one in (user("kasse", SITE), user("elsewhere", SiteId("away"))):
        api.writer.run(lambda work, one=one: add_staff_user(one, work=work, now_ms=api.now_ms))
    answer = api.http.get("/v1/operator/staff", headers=api.key(Role.STORE_ADMIN))
    (found,) = answer.json()["users"]
    assert (found["name"], found["role"], found["till"]) == ("kasse", "till", "till-1")
    assert "hash" not in answer.text
