"""Experiments over HTTP: begun, revised, read, judged, stopped; what is wrong is told clearly."""

from collections.abc import Iterator

import httpx2
import pytest

from offers.model.experiments.experiment_run import Assignment
from offers.model.ids import ExperimentId
from offers.model.people.shopper import Role
from tests.contract.test_api_roles import EXPERIMENT
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.unit.offers.shop import DWELL_S, SITE, campaign

PATH = "/v1/operator/experiments"
TEA = EXPERIMENT | {"experiment": "shelf-tea"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


def put(api: RunningApi, document: object, *, path: str = "shelf-tea") -> httpx2.Response:
    headers = api.key(Role.MERCHANDISER)
    return api.http.post(f"{PATH}/{path}/revisions", json=document, headers=headers)


def get(api: RunningApi, path: str, role: Role = Role.MERCHANDISER) -> httpx2.Response:
    return api.http.get(f"/v1/operator/{path}", headers=api.key(role))


def test_an_experiment_from_its_first_revision_to_its_end(api: RunningApi) -> None:
    """The life of one, as a merchandiser's desk sees it."""
    begun = put(api, TEA)
    assert begun.status_code == 201, begun.text
    assert (begun.json()["state"], begun.json()["arms"]) == ("running", ["none", "five"])
    longer = TEA | {"revision": 2, "until": "2023-12-30T00:00:00Z"}
    assert put(api, longer).json()["revision"] == 2
    assert get(api, "experiments/shelf-tea").json()["document"]["until"].startswith("2023-12-30")
    first = get(api, "experiments/shelf-tea/revisions/1").json()
    assert first["document"]["until"].startswith("2023-12-31")
    assert get(api, "experiments/shelf-tea/revisions/3").status_code == 404
    listed = get(api, "experiments").json()["experiments"]
    assert ("shelf-tea", 2) in [(one["experiment"], one["revision"]) for one in listed]
    report = get(api, "experiments/shelf-tea/report").json()
    assert (report["advice"], report["sample_ratio"], report["lifts"]) == ("wait", None, [])
    assert [arm["shoppers"] for arm in report["arms"]] == [0, 0]
    stopped = api.http.post(f"{PATH}/shelf-tea/stop", headers=api.key(Role.MERCHANDISER))
    assert stopped.json()["state"] == "stopped"
    again = put(api, longer | {"revision": 3})
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")


def test_an_interval_without_a_bound_is_null(api: RunningApi) -> None:
    """JSON knows no infinity: of four shoppers nothing can be said for every look."""
    put(api, EXPERIMENT | {"experiment": "shelf-ice"}, path="shelf-ice")
    for number in range(4):
        assignment = Assignment(
            site=SITE,
            experiment=ExperimentId("shelf-ice"),
            salt=str(EXPERIMENT["salt"]),
            shopper=Phone(api).shopper,
            arm=number % 2,
            revision=1,
            at_ms=api.now_ms,
        )
        assert api.writer.run(lambda work, noted=assignment: work.experiments.note(noted))
    report = get(api, "experiments/shelf-ice/report").json()
    assert report["advice"] == "wait"
    assert report["lifts"][0]["sequential"] == {"low": None, "high": None, "level": 0.95}


def test_a_decision_is_taken_again_and_a_ranking_needs_decisions(api: RunningApi) -> None:
    """The auditor's route; and what is asked of a log that holds nothing is said, not guessed."""
    api.start_campaign(campaign())
    phone = Phone(api)
    phone.pair("tag:1")
    api.advance(int(DWELL_S * 1_000))
    api.stand("tag:1")
    decision = api.reader.run(lambda work: work.decisions.of_shopper(phone.shopper, limit=1))[0]
    answer = get(api, f"decisions/{decision.decision}/replay", Role.OPERATOR)
    assert answer.json() == {"is_same": True, "differs_in": []}
    ranking = {"ranking": {"policy": "thompson/1"}}
    evaluated = api.http.post(
        "/v1/operator/ranking/evaluation", json=ranking, headers=api.key(Role.MERCHANDISER)
    )
    assert evaluated.status_code == 422
    assert "0 decisions were taken by a ranking" in evaluated.json()["detail"]
    assert get(api, "holdout/report").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "detail"),
    [
        ({"revision": 2}, "which is new; expected 1"),
        ({"metric": "luck"}, "metric is 'luck'; expected one of ['revenue-minor'"),
        ({"metric": "margin-minor"}, "expected settings.margin_per_mille"),
        ({"salt": "short"}, "salt is 'short'; expected 8 characters or more"),
        ({"until": "2022-01-01T00:00:00Z"}, "expected an end after the start"),
        ({"until": "2031-01-01T00:00:00Z"}, "a year"),
        ({"from": "2023-01-01"}, "without a time zone"),
        ({"factors": []}, "factors are []"),
        ({"factors": [{"name": "offer", "dimension": "colour", "levels": ["a", "b"]}]}, "'colour'"),
        (
            {"factors": [{"name": "offer", "dimension": "benefit", "levels": ["none"]}]},
            "expected two or more different ones",
        ),
        (
            {"guardrails": [{"metric": "fun", "worse_when": "lower", "margin": 0}]},
            "guardrail.metric is 'fun'",
        ),
        ({"budget": 5}, "unknown members ['budget']"),
        ({"experiment": "other"}, "expected 'wrong', as the path says"),
    ],
)
def test_a_wrong_document_gets_one_clear_problem(api: RunningApi, wrong, detail: str) -> None:
    """Told at the desk: after four weeks it would be a month without an answer."""
    answer = put(api, EXPERIMENT | {"experiment": "wrong"} | wrong, path="wrong")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert detail in answer.json()["detail"]
    assert get(api, "experiments/wrong").status_code == 404
