"""Who may call what: the table of roles against the running application and its document."""

import inspect
import json
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import httpx2
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import WebSocketRoute

from offers.api.problem import KINDS, MEDIA_TYPE, ProblemCode
from offers.api.roles import EVERYBODY, ROLES
from offers.model.campaigns.funding import PartnerId
from offers.model.campaigns.settlement import Period, Settlement, SettlementKind
from offers.model.people.card import CardNumber
from offers.model.people.shopper import Role
from rtls.model.units import SiteId, UnixMs
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.shop import DWELL_S, SITE, campaign

BASKET = {
    "currency": "EUR",
    "lines": [{"sku": "1", "category": "dowels", "quantity": 1, "unit_price_minor": 1000}],
}
DOCUMENT = {
    "site": "demo",
    "name": "Dowels",
    "trigger": {"kind": "visit", "zone": "dowels", "dwell_s": 300},
    "benefit": {"kind": "information"},
    "validity": {"from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"},
    "texts": {"de": {"title": "a", "body": "b"}, "en": {"title": "a", "body": "b"}},
}
SURVEY = {
    "titles": {"de": "a", "en": "b"},
    "opens": "2023-01-01T00:00:00Z",
    "closes": "2027-01-01T00:00:00Z",
    "questions": [{"question": "advice", "kind": "scale", "texts": {"de": "a", "en": "b"}}],
}
PROGRAMME = {"version": 1, "site": "demo", "time_zone": "Europe/Berlin", "units": []}
# Paused and rewritten by the tests of roles, so that Anna's campaign stays as it is.
SCAPEGOAT = "scapegoat"
# Bodies that pass the schema, so that only the role or the owner can stand against the request.
BODIES: dict[str, object] = {
    "enrolShopper": {},
    "putConsent": {"is_granted": True, "text_version": "v1"},
    "pairTag": {"tag": "tag:9"},
    "quoteBasket": {"codes": ["0123-4567-89AB"], "basket": BASKET},
    "holdBasket": {"codes": ["0123-4567-89AB"], "basket": BASKET},
    "returnPurchase": {"lines": [{"line": 0, "quantity": 1}]},
    "putSiteBudgets": [],
    "bookOfflineBatch": {
        "items": [
            {
                "reference": "1",
                "signed": "IC1.00000000.AA.AA",
                "redeemed_at": "2026-01-01T00:00:00Z",
                "basket": BASKET,
                "discount_lines_minor": [100],
            }
        ]
    },
    "simulateCampaign": {},
    "evaluateRanking": {"ranking": {"policy": "thompson/1"}},
    "issueByHand": {"wish": "spring"},
    "checkProgramme": PROGRAMME,
    "addProgrammeRevision": PROGRAMME,
    "redeemCoupon": {"code": "0123-4567-89AB", "basket": BASKET},
    "publishSurvey": SURVEY,
    "answerSurvey": {"answers": {"advice": 4}},
    "sizeAudience": {"conditions": {"kind": "locale", "in": ["de"]}},
    "putAttribute": {"values": ["wood"]},
    "reportProductScan": {"sku": "4006209123456"},
    "requestStaff": {"zone": "dowels"},
    "putBirthday": {"month": 12, "day": 24},
    "suspendCard": {"card": "1", "reason": "resale"},
    "appealSuspension": {"text": "It was not me."},
    "grantGoodwill": {"card": "1", "points": 1, "reason": "thanks"},
    "printStatement": {"card": "1"},
    "lookUpCard": {"card": "1"},
    "complain": {"text": "Too few tills."},
    "answerCase": {"text": "We are sorry."},
    "addPushSubscription": {
        "endpoint": "https://push.example.net/send/1",
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"
            "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    },
    "putContact": {},
    "putPause": {"is_paused": False},
    "settlePartner": {"from_day": "2023-01-01", "until_day": "2023-01-02"},
    "correctSettlement": {
        "lines": [{"campaign": "dowels-2-off", "currency": "EUR", "amount_minor": 1}]
    },
    "addWebhook": {"url": "https://crm.example.com/in", "events": ["offer.issued"]},
    "replayWebhook": {},
    "putTillTotal": {"day": "2023-11-14", "currency": "EUR", "receipts": 1, "sales_minor": 100},
    "claimReferral": {"code": "0123-4567-89AB"},
    "putSiteMapDraft": {"version": 0, "document": {}},
    "publishSiteMap": {"version": 0},
    "computeCoverage": {"floor": 0},
    "fitSiteMapScale": {
        "points": [{"source": [0, 0], "plan": [0, 9]}, {"source": [9, 0], "plan": [9, 9]}]
    },
    "findRoute": {"zone": "dowels", "from_place": {"floor": 0, "x_m": 5.0, "y_m": 5.0}},
}
EXPERIMENT = {
    "revision": 1,
    "question": "Does a coupon at the shelf pay?",
    "salt": "9f2c6a11",
    "metric": "revenue-minor",
    "from": "2023-01-01T00:00:00Z",
    "until": "2023-12-31T00:00:00Z",
    "factors": [{"name": "offer", "dimension": "benefit", "levels": ["none", "five"]}],
}
PROBLEM_REF = {"$ref": "#/components/schemas/ProblemBody"}
ONCE = {"Idempotency-Key": "key-00000001"}
HEADERS = {
    "redeemCoupon": ONCE,
    "bookOfflineBatch": ONCE,
    "grantGoodwill": ONCE,
    "answerCase": ONCE,
    "settlePartner": ONCE,
    "correctSettlement": ONCE,
    "holdBasket": ONCE,
    "commitBasket": ONCE,
    "cancelBasket": ONCE,
    "returnPurchase": ONCE,
    "exchangeReward": ONCE,
    "issueByHand": ONCE,
    "addCampaignRevision": {"If-Match": "*"},
    "addProgrammeRevision": {"If-Match": "*"},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    folder: Path = tmp_path_factory.mktemp("api")
    with running_api(folder) as running:
        running.start_campaign(campaign())
        running.start_campaign(campaign(SCAPEGOAT))
        yield running


@pytest.fixture(scope="module")
def credentials(api: RunningApi) -> dict[Role, dict[str, str]]:
    return {
        Role.SHOPPER: Phone(api).headers,
        Role.TILL: api.till(),
        **{role: api.key(role) for role in (Role.MERCHANDISER, Role.STORE_ADMIN, Role.OPERATOR)},
    }


@cache  # it takes longer to fetch than most calls, and each call looks at it
def operations(api: RunningApi) -> dict[str, tuple[str, str]]:
    """Operation → method and path, from the document that clients read."""
    document = api.http.get("/v1/openapi.json").json()
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def call(
    api: RunningApi, operation: str, headers: dict[str, str], **places: str
) -> httpx2.Response:
    method, path = operations(api)[operation]
    defaults = {"purpose": "notify", "attribute": "interest", "code": "expired"} | dict.fromkeys(
        (
            "pairing",
            "offer",
            "coupon",
            "subscription",
            "webhook",
            "request",
            "basket",
            "purchase",
            "suspension",
            "case",
            "decision",
            "shopper",
        ),
        "0" * 32,
    )
    names = {
        "sku": "D-1",
        "campaign": SCAPEGOAT,
        "survey": "nobodys",
        "reward": "mug",
        "partner": "nobody",
        "experiment": "shelf-tea",
        "background": "0" * 32,
    }
    known = defaults | names | {"settlement": "1", "number": "1"} | places
    path = re.sub(r"{(\w+)}", lambda place: known[place[1]], path)
    body = BODIES.get(operation)
    if operation == "addCampaignRevision":
        body = DOCUMENT | {"campaign": known["campaign"]}
    if operation == "previewCampaign":
        body = {"document": DOCUMENT | {"campaign": known["campaign"]}}
    if operation == "addExperimentRevision":
        body = EXPERIMENT | {"experiment": known["experiment"]}
    return api.http.request(method, path, json=body, headers=headers | HEADERS.get(operation, {}))


def test_every_route_has_a_role_in_the_table_and_the_table_names_no_other(
    api: RunningApi,
) -> None:
    """A route that somebody forgets to declare must not go out."""
    streams = {
        context.original_route.name
        for context in iter_route_contexts(api.app.routes)
        if isinstance(context.original_route, WebSocketRoute)
    }
    assert set(operations(api)) | streams == set(ROLES)


# The stream signs in by itself: test_api_stream_limits.
GUARDED = sorted(
    name for name, roles in ROLES.items() if roles is not EVERYBODY and name != "streamOffers"
)


@pytest.mark.parametrize("operation", GUARDED)
def test_each_role_gets_through_where_the_table_says_and_nowhere_else(
    api: RunningApi, credentials: dict[Role, dict[str, str]], operation: str
) -> None:
    """A stolen till key must not list customers; an app must not redeem."""
    for role, held in credentials.items():
        is_last_call = (role, operation) == (Role.SHOPPER, "eraseShopper")
        headers = Phone(api).headers if is_last_call else held
        answer = call(api, operation, headers)
        if role in ROLES[operation]:
            assert answer.status_code not in {401, 403}, answer.text
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "role_forbidden")
    nobody = call(api, operation, {})
    assert (nobody.status_code, nobody.json()["code"]) == (401, "credential_missing")
    assert nobody.headers["WWW-Authenticate"] == "Bearer"
    stranger = call(api, operation, {"Authorization": "Bearer till_" + "A" * 43})
    assert (stranger.status_code, stranger.json()["code"]) == (401, "credential_invalid")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Basic abc", "Bearer a b", "Bearer " + "x" * 5000, "Bearer \xff"]
)
def test_a_header_that_is_no_credential_is_refused(api: RunningApi, header: str) -> None:
    """Whatever stands in the header, the answer is a problem document and never a fault of ours."""
    raw = [(b"Authorization", header.encode("latin-1"))]
    answer = api.http.get("/v1/me/card", headers=raw)
    assert answer.status_code == 401


def test_a_revoked_key_is_refused_at_once(api: RunningApi) -> None:
    """A till that was stolen must be out of the game within a second."""
    till = api.till("till-2")
    assert call(api, "quoteBasket", till).status_code == 200
    secret = till["Authorization"].removeprefix("Bearer ")
    fingerprint = api.secrets.fingerprint(secret, purpose="credential")

    def revoke(work) -> bool:
        found = work.shoppers.find_credential(fingerprint)
        return work.shoppers.revoke_credential(found.credential, at_ms=api.now_ms)

    assert api.writer.run(revoke)
    assert call(api, "quoteBasket", till).json()["code"] == "credential_invalid"


def test_the_database_holds_no_secret_in_clear(
    api: RunningApi, credentials: dict[Role, dict[str, str]]
) -> None:
    """Whoever steals the file must not be able to call us with what stands in it."""
    content = b"".join(
        path.read_bytes()
        for path in Path(api.writer._engine.url.database).parent.rglob("*")
        if path.is_file()
    )
    for headers in credentials.values():
        secret = headers["Authorization"].removeprefix("Bearer ").encode()
        assert secret not in content


@pytest.fixture(scope="module")
def belongings(api: RunningApi) -> dict[str, str]:
    """Things of Anna, which others will try to reach."""
    return belongings_in(api)


def belongings_in(api: RunningApi) -> dict[str, str]:
    """One thing of every kind that a path can name, all of one shopper and one shop."""
    anna = Phone(api)
    anna.pair("tag:anna")
    api.advance(int(DWELL_S * 1000))
    with anna.stream() as stream:
        api.stand("tag:anna")
        offer = frame(stream)["offer"]
    assert isinstance(offer, dict)
    pairing = anna.get("/v1/me/pairings").json()["pairings"][0]["pairing"]
    asked = anna.post("/v1/me/staff-request", {"zone": "dowels"}).json()["request"]
    staff = api.key(Role.MERCHANDISER)
    assert api.http.put("/v1/surveys/visit", json=SURVEY, headers=staff).status_code == 204
    admin, product = api.key(Role.STORE_ADMIN), json.dumps({"sku": "D-1", "name_de": "Dübel"})
    imported = api.http.put("/v1/operator/catalogue", content=product.encode(), headers=admin)
    assert imported.status_code == 200
    return {
        "suspension": _suspension(api),
        "case": anna.post("/v1/me/cases", BODIES["complain"]).json()["case"],
        "request": asked,
        "shopper": anna.shopper,
        "background": "b" * 32,
        "survey": "visit",
        "sku": "D-1",
        **_settlement(api),
        "subscription": anna.post(
            "/v1/me/push-subscriptions", BODIES["addPushSubscription"]
        ).json()["subscription"],
        "webhook": api.http.post(
            "/v1/operator/webhooks", json=BODIES["addWebhook"], headers=api.key(Role.OPERATOR)
        ).json()["webhook"]["webhook"],
        "offer": offer["offer"],
        "coupon": offer["coupon"]["coupon"],
        "pairing": pairing,
        "campaign": "dowels-2-off",
        "experiment": _experiment(api),
        "decision": api.reader.run(
            lambda work: work.decisions.of_shopper(anna.shopper, limit=1)[0].decision
        ),
        **_at_the_till(api, anna, offer["coupon"]["coupon"]),
    }


def _at_the_till(api: RunningApi, anna: Phone, coupon: str) -> dict[str, str]:
    """A basket that is held and a purchase, both of this site."""
    code = anna.get(f"/v1/me/coupons/{coupon}/code").json()["code"]
    till, body = api.till("till-of-anna"), {"codes": [code], "basket": BASKET}

    def post(path: str, key: str) -> dict[str, str]:
        headers = till | {"Idempotency-Key": f"key-anna-{key}"}
        answer = api.http.post(f"/v1/till/baskets{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    held = post("", "1")["held"]
    return {"basket": held, "purchase": post(f"/{held}/commit", "2")["purchase"]}


def _settlement(api: RunningApi) -> dict[str, str]:
    """A document of a partner of this site."""
    day = Period(from_day=date(2023, 1, 1), until_day=date(2023, 1, 2))
    from_ms, until_ms = day.bounds_ms("Europe/Berlin")
    document = Settlement(
        site=SITE,
        partner=PartnerId("fischer"),
        number=1,
        kind=SettlementKind.PERIOD,
        corrects=None,
        period=day,
        from_ms=from_ms,
        until_ms=until_ms,
        after_sequence=0,
        through_sequence=0,
        made_at_ms=UnixMs(api.now_ms),
        lines=(),
    )
    assert api.writer.run(lambda work: work.partners.add_settlement(document))
    return {"partner": document.partner, "settlement": "1"}


def _experiment(api: RunningApi) -> str:
    """An experiment of this site."""
    answer = api.http.post(
        "/v1/operator/experiments/shelf-coffee/revisions",
        json=EXPERIMENT | {"experiment": "shelf-coffee"},
        headers=api.key(Role.MERCHANDISER),
    )
    assert answer.status_code == 201, answer.text
    return "shelf-coffee"


def _suspension(api: RunningApi) -> str:
    """Of somebody else than Anna, who has to shop on."""
    carl = Phone(api)
    api.writer.run(lambda work: work.cards.add(carl.shopper, CardNumber(77)))
    body = {"card": "77", "reason": "resale"}
    answer = api.http.post("/v1/suspensions", json=body, headers=api.key(Role.STORE_ADMIN))
    assert answer.status_code == 201
    return str(answer.json()["suspension"])


def places_of(operation_path: str) -> set[str]:
    """What the path names that may be somebody's; what is the same for all callers is not."""
    return set(re.findall(r"{(\w+)}", operation_path)) - {
        "purpose",
        "code",
        "reward",
        "attribute",
        "number",
    }


# Which routes with an id in the path do not answer 404 to a stranger, and why.
NOT_FOREIGN = {
    "answerSurvey": "every shopper may answer a survey",
    "findProduct": "every shopper may look up what the shop sells",
    "publishSurvey": "a survey's name is the staff's own to choose",
    # The key's own site decides: a document for it under another's id finds that id taken.
    "addCampaignRevision": "the test below",
    "previewCampaign": "the site of its document is looked at first, and nothing is looked up",
    "addExperimentRevision": "the same, in test_live_experiments.py",
}


def stranger(api: RunningApi, role: Role) -> dict[str, str]:
    """Return the credential of somebody in the same role and in another place."""
    if role is Role.SHOPPER:
        return Phone(api).headers
    away = SiteId("elsewhere")
    return api.till("till-away", site=away) if role is Role.TILL else api.key(role, site=away)


def said(answer: httpx2.Response) -> dict[str, object] | str:
    """Return what an answer says, but for the path, which the asker knows."""
    if not answer.content or "json" not in answer.headers.get("content-type", ""):
        return answer.text
    found = answer.json()
    return found | {"instance": ""} if isinstance(found, dict) else found


def test_what_belongs_to_another_is_answered_as_if_it_did_not_exist(
    api: RunningApi, belongings: dict[str, str]
) -> None:
    """Every route with an id, in every role that may call it: an id must not be worth guessing."""
    leaks = []
    for operation, (_, path) in operations(api).items():
        roles = ROLES[operation]
        assert places_of(path) <= set(belongings), f"{operation}: give Anna one of each, above"
        if roles is EVERYBODY or operation in NOT_FOREIGN or not places_of(path):
            continue
        for role in roles:
            headers = stranger(api, role)
            foreign = call(api, operation, headers, **belongings)
            unknown = call(api, operation, headers, **dict.fromkeys(belongings, "f" * 32))
            is_hidden = foreign.status_code == 404 and said(foreign) == said(unknown)
            if not is_hidden:
                leaks.append((operation, role.value, foreign.status_code, unknown.status_code))
    assert leaks == []


def test_no_route_tells_a_stranger_of_a_shoppers_things(
    api: RunningApi, belongings: dict[str, str]
) -> None:
    """Also lists, counts and searches, and whatever will be added: no id of Anna's comes back."""
    private = {belongings[place] for place in PRIVATE}
    for operation, roles in ROLES.items():
        if roles is EVERYBODY or operation == "streamOffers":
            continue
        for role in roles:
            told = json.dumps(said(call(api, operation, stranger(api, role), **belongings)))
            assert [found for found in private if found in told] == [], (operation, role)


PRIVATE = (
    "offer",
    "coupon",
    "pairing",
    "request",
    "basket",
    "purchase",
    "shopper",
    "subscription",
    "case",
)


def test_a_campaign_of_another_site_cannot_be_overwritten(api: RunningApi) -> None:
    """Two sites may choose the same name; the second must not take the first one's campaign."""
    elsewhere = api.key(Role.OPERATOR, site=SiteId("elsewhere")) | {"If-Match": '"1"'}
    path = "/v1/operator/campaigns/dowels-2-off/revisions"
    document = DOCUMENT | {"campaign": "dowels-2-off", "site": "elsewhere"}
    answer = api.http.post(path, json=document, headers=elsewhere)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_lists_hold_only_what_is_ones_own(api: RunningApi, belongings: dict[str, str]) -> None:
    """The commonest leak is a list without a filter."""
    assert belongings
    ben = Phone(api)
    assert ben.get("/v1/me/offers").json()["offers"] == []
    assert ben.get("/v1/me/pairings").json()["pairings"] == []
    assert ben.get("/v1/me/why").json()["decisions"] == []
    assert ben.get("/v1/me/push-subscriptions").json()["subscriptions"] == []
    elsewhere = api.key(Role.OPERATOR, site=SiteId("elsewhere"))
    assert api.http.get("/v1/operator/campaigns", headers=elsewhere).json()["campaigns"] == []
    nowhere = api.key(Role.OPERATOR, site=SiteId("nowhere"))
    assert api.http.get("/v1/operator/webhooks", headers=nowhere).json()["webhooks"] == []


def test_every_answer_of_the_document_is_described_as_it_comes(api: RunningApi) -> None:
    """Clients are generated from the document: each operation names its problems."""
    document = api.http.get("/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            errors = {
                status: answer["content"]
                for status, answer in operation["responses"].items()
                if int(status) >= 400
            }
            assert errors, path
            for content in errors.values():
                assert content.keys() == {MEDIA_TYPE}, (path, errors)
                assert is_problem(content[MEDIA_TYPE]["schema"]), (path, errors)
    assert {"ProblemBody", "FaultBody"} <= set(document["components"]["schemas"])


def is_problem(schema: dict[str, object]) -> bool:
    """Whether it is a problem, perhaps with members of its own beside those that each one has."""
    if "anyOf" in schema:
        return all(is_problem(one) for one in schema["anyOf"])
    members = {"type", "title", "status", "code", "detail", "instance"}
    return schema == PROBLEM_REF or members < set(schema.get("required", ()))


@pytest.mark.parametrize("code", list(ProblemCode))
def test_every_problem_has_a_page_where_its_type_leads(api: RunningApi, code: ProblemCode) -> None:
    """`type` is an address; it must not lead nowhere."""
    page = api.http.get(f"/v1/problems/{code}").json()
    assert (page["status"], page["title"]) == (KINDS[code].status, KINDS[code].title)


def test_no_request_waits_for_a_thread_that_it_does_not_need(api: RunningApi) -> None:
    """FastAPI runs a plain function in a thread: three of them took a third of a redemption."""

    def plain(dependant: Dependant) -> Iterator[object]:
        for below in dependant.dependencies:
            call = below.call
            asks = (call, type(call).__call__)
            if not any(inspect.iscoroutinefunction(one) for one in asks):
                yield call
            yield from plain(below)

    routes = [
        context.original_route
        for context in iter_route_contexts(api.app.routes)
        if isinstance(context.original_route, APIRoute)
    ]
    assert routes
    assert [found for route in routes for found in plain(route.dependant)] == []
