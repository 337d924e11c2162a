"""Drawing and publishing the map over the API: what is kept, what is refused, who is told."""

import base64
import copy
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inaisle.config_files import demo_site_map_file
from offers.model.people.shopper import Role
from rtls.model.site_map_geojson import parse_site_map
from tests.scenario.running_api import RunningApi, running_api
from tests.unit.offers.shop import campaign

DRAFT = "/v1/operator/site-map/draft"
PUBLISH = "/v1/operator/site-map/publish"


SITE_MAP = parse_site_map(demo_site_map_file().read_bytes(), source="demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("maps")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[RunningApi]:
    with running_api(folder, site_map=SITE_MAP) as api:
        yield api


@pytest.fixture
def api(running: RunningApi, folder: Path) -> RunningApi:
    """The same service for all, with the maps of none."""
    shutil.rmtree(folder / "site-map", ignore_errors=True)
    running.published_maps.clear()
    return running


class Planner:
    """Somebody of the staff before the floor plan."""

    def __init__(self, api: RunningApi) -> None:
        self._http, self._headers = api.http, api.key(Role.STORE_ADMIN)
        self.draft = self.read()

    def read(self) -> dict:
        answer = self._http.get(DRAFT, headers=self._headers)
        assert answer.status_code == 200, answer.text
        self.draft = answer.json()
        return self.draft

    def put(self, document: object, *, version: int | None = None, backgrounds: object = ()):
        body = {
            "version": self.draft["version"] if version is None else version,
            "document": document,
            "backgrounds": list(backgrounds),
        }
        answer = self._http.put(DRAFT, json=body, headers=self._headers)
        if answer.status_code == 200:
            self.draft = answer.json()
        return answer

    def publish(self, *, version: int | None = None):
        body = {"version": self.draft["version"] if version is None else version, "note": "shelf"}
        return self._http.post(PUBLISH, json=body, headers=self._headers)

    def discard(self):
        return self._http.delete(DRAFT, headers=self._headers)

    def get(self, path: str):
        return self._http.get(f"/v1/operator/site-map{path}", headers=self._headers)


def with_shelf(document: dict, name: str = "screws-2", *, x: float = 20.0) -> dict:
    """Return the map with one zone more, in a corner that is free."""
    drawn = copy.deepcopy(document)
    ring = [[x, 2], [x + 1, 2], [x + 1, 3], [x, 3], [x, 2]]
    drawn["features"].append(
        {
            "type": "Feature",
            "id": name,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"kind": "zone", "zone_kind": "shelf", "name": "New", "floor": 0},
        }
    )
    return drawn


def test_a_draft_begins_as_the_map_in_force_and_is_published_as_the_next_revision(
    api: RunningApi,
) -> None:
    """The everyday story: draw a shelf, save, publish; the file of the map is the first of all."""
    planner = Planner(api)
    assert (planner.draft["version"], planner.draft["is_kept"]) == (0, False)
    assert planner.draft["problems"] == []
    saved = planner.put(with_shelf(planner.draft["document"]))
    assert saved.status_code == 200, saved.text
    assert (saved.json()["version"], saved.json()["is_kept"]) == (1, True)
    assert planner.read()["document"]["features"][-1]["id"] == "screws-2"
    assert planner.publish().json() == {"revision": 1}
    assert [one.revision for one in api.published_maps] == [1]
    listed = planner.get("/revisions").json()
    assert [one["revision"] for one in listed["revisions"]] == [1]
    assert listed["revisions"][0]["note"] == "shelf"
    after = planner.read()
    assert (after["is_kept"], after["based_on"], after["version"]) == (False, 1, 2)
    assert after["document"]["features"][-1]["id"] == "screws-2"
    exported = planner.get("/export?revision=1")
    assert json.loads(exported.content) == after["document"]


def test_of_two_who_edit_at_once_the_second_is_told_and_loses_nothing(api: RunningApi) -> None:
    """The later save would otherwise take the earlier one's shelf away without a word."""
    anna, bert = Planner(api), Planner(api)
    assert anna.put(with_shelf(anna.draft["document"], "annas")).status_code == 200
    refused = bert.put(with_shelf(bert.draft["document"], "berts"))
    assert (refused.status_code, refused.json()["code"]) == (409, "state_conflict")
    assert refused.json()["version"] == 1
    assert bert.read()["document"]["features"][-1]["id"] == "annas"
    both = with_shelf(bert.draft["document"], "berts", x=23.0)
    assert bert.put(both).status_code == 200


def test_who_began_before_a_map_was_published_cannot_save_over_it(api: RunningApi) -> None:
    """After publishing there is no draft, as there was none when Bert began: not the same none."""
    anna, bert = Planner(api), Planner(api)
    anna.put(with_shelf(anna.draft["document"]))
    assert anna.publish().status_code == 200
    assert bert.put(bert.draft["document"]).status_code == 409


def test_a_faulty_plan_is_saved_with_its_problems_and_not_published(api: RunningApi) -> None:
    """Half a drawing must survive the evening; half a map must not go into force."""
    planner = Planner(api)
    drawn = with_shelf(planner.draft["document"])
    drawn["features"][-1]["geometry"]["coordinates"] = [[[1, 1], [3, 3], [3, 1], [1, 3], [1, 1]]]
    saved = planner.put(drawn).json()
    (problem,) = [one for one in saved["problems"] if one["feature"] == "screws-2"]
    assert problem["at"] == [2.0, 2.0]  # where the outline crosses itself
    assert (problem["floor"], problem["field"]) == (0, "geometry")
    assert problem["remedy"] == "Draw it in one round."
    refused = planner.publish()
    assert (refused.status_code, refused.json()["code"]) == (422, "site_map_invalid")
    assert problem in refused.json()["problems"]
    assert planner.get("/revisions").json() == {"published": 0, "revisions": []}
    assert not api.published_maps


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "inaisle"),
        ({"inaisle": {"version": 1, "crs": "EPSG:4326"}}, "crs"),
        ({"inaisle": {"version": 1, "crs": "local"}, "features": 7}, "features"),
    ],
)
def test_what_is_no_map_at_all_leaves_the_draft_as_it_was(
    api: RunningApi, document: object, said: str
) -> None:
    """A file of another kind must not replace an evening's work."""
    planner = Planner(api)
    planner.put(with_shelf(planner.draft["document"]))
    refused = planner.put(document)
    assert refused.status_code == 422
    assert said in refused.json()["detail"]
    assert planner.read()["document"]["features"][-1]["id"] == "screws-2"


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"version": "x"}', b"[" * 100_000])
def test_a_body_that_is_none_is_refused_and_nothing_breaks(api: RunningApi, body: bytes) -> None:
    answer = api.http.put(DRAFT, content=body, headers=api.key(Role.STORE_ADMIN))
    assert answer.status_code == 422
    assert "body" in answer.json()["detail"]


def test_a_map_without_the_zone_of_a_running_campaign_is_not_published(api: RunningApi) -> None:
    """The campaign would wait for ever for visits that nobody can tell."""
    api.start_campaign(campaign())
    planner = Planner(api)
    drawn = copy.deepcopy(planner.draft["document"])
    gone = {"dowels", "pair-dowels-drill-bits"}
    drawn["features"] = [one for one in drawn["features"] if one.get("id") not in gone]
    (bay,) = [one for one in drawn["features"] if one.get("id") == "drill-bits"]
    del bay["properties"]["parent"]
    assert planner.put(drawn).json()["problems"] == []
    refused = planner.publish().json()
    assert refused["code"] == "site_map_invalid"
    (problem,) = refused["problems"]
    assert "dowels-2-off" in problem["message"]
    assert "'dowels'" in problem["message"]


def test_a_map_of_another_site_or_of_no_time_zone_is_not_published(api: RunningApi) -> None:
    """The service could not start on it."""
    planner = Planner(api)
    drawn = copy.deepcopy(planner.draft["document"])
    drawn["inaisle"] |= {"site": "elsewhere", "time_zone": "Mars/Olympus"}
    assert planner.put(drawn).status_code == 200
    assert [one["field"] for one in planner.publish().json()["problems"]] == ["site", "time_zone"]


def test_a_damaged_draft_is_set_aside_and_said(api: RunningApi, folder: Path) -> None:
    """A torn disk must not take the floor plan away, and nobody must wonder where his work is."""
    planner = Planner(api)
    planner.put(with_shelf(planner.draft["document"]))
    file = folder / "site-map" / "draft.json"
    file.write_bytes(file.read_bytes()[:-9])
    after = planner.read()
    assert after["is_kept"] is False
    assert "damaged" in after["notice"]
    assert file.with_name("draft.json.damaged").is_file()
    assert planner.put(with_shelf(after["document"])).json()["notice"] is None


def test_nothing_new_is_not_published_and_a_discarded_draft_is_gone(api: RunningApi) -> None:
    planner = Planner(api)
    assert planner.publish().status_code == 409
    planner.put(with_shelf(planner.draft["document"]))
    assert planner.discard().status_code == 204
    assert planner.read()["is_kept"] is False
    assert planner.publish().status_code == 409


def test_a_kill_between_publishing_and_emptying_the_draft_leaves_no_draft(
    api: RunningApi, folder: Path
) -> None:
    """The revision is there with one rename; what is left of the draft is equal to it."""
    planner = Planner(api)
    planner.put(with_shelf(planner.draft["document"]))
    file = folder / "site-map" / "draft.json"
    before = file.read_bytes()
    assert planner.publish().json() == {"revision": 1}
    file.write_bytes(before)  # as if the process had been killed before this was written
    assert planner.read()["is_kept"] is False
    assert planner.publish().status_code == 409


def test_the_scale_of_a_picture_comes_from_two_points_and_a_third_tells_how_good(
    api: RunningApi,
) -> None:
    """100 px are 2 m; the third point was clicked 10 cm beside."""
    points = [
        {"source": [0, 100], "plan": [1, 1]},
        {"source": [100, 100], "plan": [3, 1]},
        {"source": [0, 0], "plan": [1, 3.1]},
    ]
    path, headers = "/v1/operator/site-map/scale", api.key(Role.OPERATOR)
    two = api.http.post(path, json={"points": points[:2]}, headers=headers).json()
    assert two["m_per_px"] == pytest.approx(0.02)
    assert (two["x_m"], two["y_m"], two["rotation_deg"]) == (1.0, 3.0, 0.0)
    assert two["residual_cm_rms"] == 0.0
    three = api.http.post(path, json={"points": points}, headers=headers).json()
    assert 2.0 < three["residual_cm_rms"] < 10.0
    one = api.http.post(path, json={"points": points[:1]}, headers=headers)
    assert one.status_code == 422
    assert "points" in one.json()["detail"]


def decoded(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.dtype(kind))


def test_coverage_is_told_cell_by_cell_also_of_a_map_that_is_half_drawn(api: RunningApi) -> None:
    """The planner drags an anchor; a zone beside it is still a bow tie."""
    path, headers = "/v1/operator/coverage", api.key(Role.OPERATOR)
    body = {"floor": 0, "kind": "range", "cell_m": 1.0}
    told = api.http.post(path, json=body, headers=headers).json()
    assert (told["rows"], told["columns"], told["kind"]) == (40, 60, "range")
    error_cm, heard = decoded(told["error_cm"], "<u2"), decoded(told["anchors_heard"], "u1")
    assert error_cm.size == heard.size == 40 * 60
    assert told["p95_m"] == pytest.approx(
        np.quantile(error_cm[error_cm < 65_535], 0.95) / 100, abs=0.02
    )
    assert told["best"]["p95_after_m"] <= told["best"]["p95_before_m"]
    drawn = with_shelf(Planner(api).draft["document"])
    drawn["features"][-1]["geometry"]["coordinates"] = [[[1, 1], [3, 3], [3, 1], [1, 3], [1, 1]]]
    drawn["features"] = [f for f in drawn["features"] if f["properties"].get("radio") != "uwb"]
    refused = api.http.post(path, json=body | {"document": drawn}, headers=headers)
    assert refused.status_code == 422
    assert "0 anchors for range" in refused.json()["detail"]
    by_strength = body | {"document": drawn, "kind": "rssi"}
    assert api.http.post(path, json=by_strength, headers=headers).json()["p50_m"] > 0


@pytest.mark.parametrize(
    "body",
    [
        {"floor": 9},
        {"kind": "sonar"},
        {"cell_m": 0},
        {"cell_m": 1e-3},
        {"document": {}},
        {"floor": ""},
    ],
)
def test_coverage_that_cannot_be_worked_out_is_refused(api: RunningApi, body: object) -> None:
    answer = api.http.post("/v1/operator/coverage", json=body, headers=api.key(Role.OPERATOR))
    assert answer.status_code == 422
    assert "expected" in answer.json()["detail"]


def test_an_imported_plan_and_its_picture_come_back_and_the_draft_is_as_it_was(
    api: RunningApi,
) -> None:
    """What is kept of a plan is for the planner to choose."""
    planner = Planner(api)
    planner.put(with_shelf(planner.draft["document"]))
    before, headers = planner.read(), api.key(Role.STORE_ADMIN)
    picture = io.BytesIO()
    Image.new("RGB", (40, 20), "white").save(picture, "PNG")
    path = "/v1/operator/site-map/imports?format=image&floor=0&name=plan.png"
    read = api.http.post(path, content=picture.getvalue(), headers=headers)
    assert read.status_code == 200, read.text
    background = read.json()["background"]
    assert (read.json()["units"], background["width_px"], background["height_px"]) == ("px", 40, 20)
    shown = planner.get(f"/backgrounds/{background['background']}")
    assert shown.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(shown.content)).size == (40, 20)
    assert planner.get(f"/backgrounds/{'0' * 32}").status_code == 404
    assert planner.get("/backgrounds/..%2Fdraft").status_code in {404, 422}
    refused = api.http.post(path, content=b"GIF89a rubbish", headers=headers)
    assert refused.status_code == 422
    assert "plan.png" in refused.json()["detail"]
    assert planner.read() == before


def test_backgrounds_stay_with_the_map_that_was_drawn_after_them(api: RunningApi) -> None:
    """Who goes on drawing next month finds the picture where it lay."""
    planner = Planner(api)
    lies = {
        "background": "a" * 32, "floor": 0, "x_m": 1.0, "y_m": 20.0, "m_per_px": 0.05,
        "rotation_deg": 1.5, "width_px": 400, "height_px": 300, "opacity": 0.5,
    }  # fmt: skip
    saved = planner.put(with_shelf(planner.draft["document"]), backgrounds=[lies])
    assert saved.json()["backgrounds"] == [lies]
    assert planner.publish().status_code == 200
    assert planner.read()["backgrounds"] == [lies]
    wrong = planner.put(planner.draft["document"], backgrounds=[lies | {"m_per_px": 0}])
    assert wrong.status_code == 422
    assert "m_per_px" in wrong.json()["detail"]


def test_a_published_map_is_taken_along_as_imdf(api: RunningApi) -> None:
    """Other programs read IMDF; ours reads its own back."""
    exported = Planner(api).get("/export?format=imdf")
    assert exported.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        assert "manifest.json" in archive.namelist()
    assert Planner(api).get("/export?format=shp").status_code == 422
    assert Planner(api).get("/export?revision=77").status_code == 404
