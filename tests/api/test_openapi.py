"""Generated calls against the OpenAPI description of the live API: no 5xx, and nothing that is not described."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.epcis_partner import Partner, item, place
from tests.epcis_partner import event as epcis_event
from tests.joined import signed_in_as, tenant
from tests.passkey import Browser
from tests.scanner import SEED, Scanner, event, new_number
from tests.shipping import shop

from parcelward.people.wire import Role

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,use_after_free"
)
SECONDS_MAX = 25


@pytest.fixture(scope="module")
def described(installation):
    return httpx.get(f"{installation.url}/api/v1/openapi.json", timeout=30).json()


@pytest.mark.asvs("2.1.1")
def test_scans_are_described_with_all_their_answers(described):
    scans = described["paths"]["/api/v1/scans"]["post"]
    assert set(scans["responses"]) == {"200", "401", "403", "408", "409", "411", "413", "422", "429", "503"}
    assert "ScanIn" in described["components"]["schemas"]
    assert set(scans["requestBody"]["content"]) == {"application/json", "application/x-ndjson"}


def test_a_receipt_goes_as_text_and_its_answer_is_described(described):
    asked = described["paths"]["/api/v1/receipts"]["post"]
    assert set(asked["requestBody"]["content"]) == {"text/plain"}
    assert "security" not in asked, "anyone may ask"
    answer = described["components"]["schemas"]["ReceiptProofOut"]
    assert set(answer["required"]) == set(answer["properties"])
    assert answer["properties"]["state"]["enum"] == ["in_log", "waiting", "broken"]


def test_every_refusal_is_described_as_a_problem_document(described):
    for path, operations in described["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


def test_it_says_where_this_house_is(described, installation):
    """The public address as it is configured: what is made from the description asks there."""
    assert described["servers"] == [{"url": installation.url}]


def test_every_address_of_the_log_is_described(described):
    from parcelward.doors.urls import urlpatterns

    there = {"/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(each.pattern)) for each in urlpatterns}
    log = {path for path in there if path.startswith("/log/")}
    assert log == {path for path in described["paths"] if path.startswith("/log/")}


def test_the_headers_that_change_what_a_write_does_are_described(described):
    for path, method, header in (
        ("/api/v1/devices", "post", "Idempotency-Key"),
        ("/api/v1/manifests", "post", "Idempotency-Key"),
        ("/api/v1/orders", "post", "Idempotency-Key"),
        ("/api/v1/keys", "post", "Idempotency-Key"),
        ("/api/v1/keys/{key_id}/rotate", "post", "Idempotency-Key"),
        ("/api/v1/keys/{key_id}/grants", "post", "Idempotency-Key"),
        *((f"/api/v1/me/{deed}", "post", "Idempotency-Key") for deed in ("corrections", "objections", "erasure")),
        ("/api/v1/webhooks", "post", "Idempotency-Key"),
        *(
            (f"/api/v1/webhooks/{{endpoint_id}}/{deed}", "post", "Idempotency-Key")
            for deed in ("rotate", "test", "replay")
        ),
        *(("/api/v1/webhooks/{endpoint_id}", method, "If-Match") for method in ("patch", "delete")),
        ("/api/v1/facilities/{code}", "put", "If-Match"),
        ("/api/v1/facilities/{code}/calendar", "put", "If-Match"),
        ("/api/v1/lanes/{origin}/{destination}", "put", "If-Match"),
    ):
        there = [p["name"] for p in described["paths"][path][method]["parameters"] if p["in"] == "header"]
        forged = ["X-CSRFToken"] * path.startswith("/api/v1/me/")
        assert there == [header, *forged], path
        required = [p["required"] for p in described["paths"][path][method]["parameters"] if p["in"] == "header"]
        assert required == [header == "Idempotency-Key", *(True for _ in forged)], path


def test_every_name_that_is_used_is_defined(described):
    def names(value):
        if isinstance(value, dict):
            yield from (text for key, text in value.items() if key == "$ref")
            yield from (name for inner in value.values() for name in names(inner))
        elif isinstance(value, list):
            yield from (name for inner in value for name in names(inner))

    defined = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert set(names(described)) <= defined


@dataclasses.dataclass(frozen=True)
class Known:
    """What exists, so that generated calls reach more than refusals."""

    items: list[str]
    devices: list[str]
    keys: list[str]
    endpoints: list[str]  # of webhooks
    codes: list[str]  # places of its own: generated calls describe them anew, and other tests rely on theirs


@pytest.fixture
def known(installation, facilities):
    scanner = Scanner(installation)
    codes = ["GENERATED-A", "GENERATED-B"]
    for code in codes:
        place = {"name": code, "kind": "office", "country": "US", "time_zone": "America/Chicago", "coarse_place": code}
        httpx.put(
            f"{installation.url}/api/v1/facilities/{code}", json=place, headers=installation.headers, timeout=30
        ).raise_for_status()
    for origin, destination in itertools.product(codes, repeat=2):  # lanes enough for a guess to hit upon one
        httpx.put(
            f"{installation.url}/api/v1/lanes/{origin}/{destination}",
            json={"usual_duration_s": 3600},
            headers=installation.headers,
            timeout=30,
        ).raise_for_status()
    items = [new_number() for _ in range(3)]
    scanner.send(*(event(one, step, minutes=at) for one in items for at, step in enumerate(("accepted", "delivered"))))
    return Known(
        items, [Scanner(installation).device_id for _ in range(4)], [_key(installation) for _ in range(8)], [], codes
    )


def _key(installation):
    """Make a key that the calls may rotate and revoke, and return its id."""
    from parcelward.people import actions, queries
    from parcelward.people.wire import Role

    by = queries.key_holder(installation.api_key)
    made = actions.new_key("generated key", Role.PARTNER, by=by, mode="test", simulated=True)
    return f"key_{made.id.hex}"


def _senders_keys():
    """Return the token of a sender of its own, and the ids of keys and endpoints that it made."""
    from parcelward.people import actions, queries
    from parcelward.people.wire import OrganisationKind, Role
    from parcelward.shipping.actions import webhooks

    shop = tenant(OrganisationKind.SENDER)
    by = actions.installer()
    token = actions.new_key("generated calls", Role.SENDER_ADMIN, by=by, mode="test", organisation=shop).token
    mine = queries.key_holder(token)
    made = [actions.new_key("generated key", Role.SENDER_MEMBER, by=mine, mode="test") for _ in range(8)]
    nobody = [webhooks.make("http://127.0.0.1:1/hooks", by=mine) for _ in range(8)]
    return token, [f"key_{one.id.hex}" for one in made], [f"whe_{one.endpoint.hex}" for one in nobody]


def _configuration(known, captured):
    """Return a configuration by which half of the generated paths and bodies name something that exists."""
    lists = {
        "items": known.items,
        "devices": known.devices,
        "keys": known.keys,
        "endpoints": known.endpoints,
        "codes": known.codes,
        **captured,
    }
    uses = {
        "path.item_id": "items",
        "path.device_id": "devices",
        "path.key_id": "keys",
        "path.endpoint_id": "endpoints",
        "path.code": "codes",
        "path.origin": "codes",
        "path.destination": "codes",
        "body.facility": "codes",
        "path.path": "tiles",
        "path.value": "values",
        "path.name": "questions",
        "path.event_id": "events",
    }
    lists = {name: values for name, values in lists.items() if values}  # a role without any of a kind guesses
    uses = {place: name for place, name in uses.items() if name in lists}
    lines = [f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in lists.items()]
    lines += ["[parameters]"]
    lines += [f'"{place}" = {{ dictionary = "{name}", probability = 0.5 }}' for place, name in uses.items()]
    return "\n".join(lines) + "\n"


def _capture(installation, token, number):
    """Let a partner capture an event and keep a question; return by what paths they and the log's tiles are found."""
    partner = Partner(installation, key=token)
    said = epcis_event(item(number), disposition="in_progress", bizLocation=place())
    assert partner.capture(said)["success"]
    partner.ask("POST", "/queries", json={"name": "ours", "query": {"EQ_bizStep": ["accepting"]}}).raise_for_status()
    values = [value for kind in EPCIS_LISTS for value in partner.get(f"/{kind}").json()["member"][:1]]
    return {"values": values, "questions": ["ours"], "events": [said["eventID"]], "tiles": ["entries/000.p/1"]}


def _session(installation):
    """Return the headers of somebody who is signed in: their cookies, and the token against forged requests."""
    mine = Browser(installation.url)
    with mine.http:
        signed_in_as(mine, Role.ADDRESSEE, installation)
        token = mine.http.get("/api/v1/me").json()["csrf_token"]
        cookies = "; ".join(f"{name}={value}" for name, value in mine.http.cookies.items())
    return [f"Cookie: {cookies}", f"X-CSRFToken: {token}"]


def _answers(folder):
    """Return how often each operation of the description gave each status."""
    (report,) = folder.glob("*.json")
    counted: Counter[tuple[str, str, int]] = Counter()
    for entry in json.loads(report.read_text())["log"]["entries"]:
        path = urlsplit(entry["request"]["url"]).path
        shape = [re.fullmatch(re.sub(r"{\w+}", "[^/]+", one), path) and one for one in (*PATHS, *STANDARD_PATHS)]
        counted[entry["request"]["method"], next(filter(None, shape), path), entry["response"]["status"]] += 1
    return counted


PATHS = (
    "/api/v1/items/{item_id}",
    "/api/v1/items/{item_id}/events",
    "/api/v1/items/{item_id}/proofs",
    "/api/v1/items/{item_id}/links",
    "/api/v1/facilities/{code}",
    "/api/v1/facilities/{code}/calendar",
    "/api/v1/calendar",
    "/api/v1/lanes/{origin}/{destination}",
    "/api/v1/devices",
    "/api/v1/devices/{device_id}",
    "/api/v1/keys",
    "/api/v1/keys/{key_id}",
    "/api/v1/keys/{key_id}/rotate",
    "/api/v1/keys/{key_id}/grants",
    "/api/v1/keys/{key_id}/grants/{grant_id}",
    "/api/v1/manifests",
    "/api/v1/routes",
    "/api/v1/tariff",
    "/api/v1/addresses/check",
    "/api/v1/quotes",
    "/api/v1/orders",
    "/api/v1/orders/{order_id}",
    "/api/v1/orders/{order_id}/give-up",
    "/api/v1/orders/{order_id}/cancel",
    "/api/v1/orders/{order_id}/appeal",
    "/api/v1/orders/{order_id}/labels/{place}",
    "/api/v1/orders/{order_id}/customs",
    "/api/v1/items/{item_id}/customs",
    "/api/v1/hs-codes",
    "/api/v1/addressbook",
    "/api/v1/addressbook/find",
    "/api/v1/addressbook/{entry}",
    "/api/v1/uploads",
    "/api/v1/uploads/{upload_id}",
    "/api/v1/uploads/{upload_id}/errors",
    "/api/v1/uploads/{upload_id}/give-up",
    "/api/v1/uploads/{upload_id}/mapping",
    "/api/v1/uploads/{upload_id}/place",
    "/api/v1/uploads/{upload_id}/rows/{row}",
    "/api/v1/me",
    "/api/v1/me/data",
    "/api/v1/me/data/opened",
    "/api/v1/me/looks",
    "/api/v1/me/export",
    "/api/v1/me/corrections",
    "/api/v1/me/restriction",
    "/api/v1/me/objections",
    "/api/v1/me/erasure",
    "/api/v1/me/requests",
    "/api/v1/me/requests/{request_id}",
    "/api/v1/receipts",
    "/api/v1/scans",
    "/api/v1/webhooks",
    "/api/v1/webhooks/{endpoint_id}",
    "/api/v1/webhooks/{endpoint_id}/deliveries",
    "/api/v1/webhooks/{endpoint_id}/replay",
    "/api/v1/webhooks/{endpoint_id}/rotate",
    "/api/v1/webhooks/{endpoint_id}/test",
)
EPCIS_LISTS = ("epcs", "bizSteps", "bizLocations", "readPoints", "dispositions", "eventTypes")
STANDARD_PATHS = (
    *("/log/checkpoint", "/log/checkpoint/witnessed", "/log/vkey", "/log/verifier", "/log/succession"),
    *("/log/archive", "/log/archive/{day}.tsr", "/log/archive/{day}", "/log/tile/{path}"),
    *("/epcis/", "/epcis/capture", "/epcis/capture/{capture_id}", "/epcis/events", "/epcis/events/{event_id}"),
    *("/epcis/queries", "/epcis/queries/{name}/events", "/epcis/queries/{name}"),
    *(f"/epcis/{kind}" for kind in EPCIS_LISTS),
    *(f"/epcis/{kind}/{{value}}/events" for kind in EPCIS_LISTS),
    *(f"/epcis/{kind}/{{value}}" for kind in EPCIS_LISTS),
)
RUNS = {
    # What is sold and who delivers where is one for the whole house: tests/shipping and tests/network set it.
    "administrator": r"^/api/v1/(?!(scans|manifests|routes|tariff|quotes)$|(me|keys|orders|ad\w+|up\w+|we\w+|hs)\b)",
    "a sender's orders": r"^/api/v1/(orders|quotes|addresses|addressbook|uploads|hs-codes)\b",
    "a sender's keys": r"^/api/v1/keys\b",  # it may revoke any key that it sees: none that others work with
    "a sender's webhooks": r"^/api/v1/webhooks\b",
    "partner": r"^/api/v1/(scans|manifests)$",
    "partner's events": r"^/(epcis|log)/",
    "somebody's own data": r"^/api/v1/me\b",
}


UNGUESSED = {
    # A key that other calls have not yet revoked, and one of its grants: tests/api/test_keys
    ("POST", "/api/v1/keys/{key_id}/rotate"),
    # An order that can be sold is not hit upon, and so there is none to look at: tests/shipping/test_orders
    ("POST", "/api/v1/orders"),
    *(("GET", path) for path in ("/api/v1/orders/{order_id}", "/api/v1/orders/{order_id}/labels/{place}")),
    *(("POST", f"/api/v1/orders/{{order_id}}/{deed}") for deed in ("give-up", "cancel", "appeal", "labels/{place}")),
    *((method, "/api/v1/orders/{order_id}/customs") for method in ("GET", "PUT")),  # tests/shipping/test_customs
    ("GET", "/api/v1/items/{item_id}/customs"),
    ("POST", "/api/v1/addressbook"),  # nor an address of a country that there is
    *((method, "/api/v1/addressbook/{entry}") for method in ("GET", "PUT", "DELETE")),
    # Neither is a file that is a list, and so none of these: tests/shipping/test_uploads
    ("POST", "/api/v1/uploads"),
    *(("GET", path) for path in ("/api/v1/uploads/{upload_id}", "/api/v1/uploads/{upload_id}/errors")),
    *(("POST", f"/api/v1/uploads/{{upload_id}}/{deed}") for deed in ("give-up", "mapping", "place", "rows/{row}")),
    ("POST", "/api/v1/keys"),  # an organisation that there is, and scopes that the role has, are rarely hit upon
    ("POST", "/api/v1/keys/{key_id}/grants"),
    # An entry or a request of one's own, and a screen's pace of deeds: tests/api/test_own_data
    *(("POST", f"/api/v1/me/{deed}") for deed in ("corrections", "erasure", "export", "objections", "restriction")),
    ("GET", "/api/v1/me/requests/{request_id}"),
    ("DELETE", "/api/v1/me/requests/{request_id}"),
    ("DELETE", "/api/v1/keys/{key_id}/grants/{grant_id}"),
    ("POST", "/api/v1/webhooks"),  # an address, and a moment, are rarely hit upon: tests/api/test_webhooks
    ("POST", "/api/v1/webhooks/{endpoint_id}/replay"),
    ("POST", "/api/v1/receipts"),  # only what the log itself signed succeeds: tests/doors/test_receipts
    ("GET", "/log/checkpoint/witnessed"),  # nobody cosigns here: tests/stories/test_witnessed
    # Values with colons and slashes are rarely hit upon: tests/doors/test_epcis_* and test_log
    *(("GET", path) for path in STANDARD_PATHS if "{" in path),
    ("DELETE", "/epcis/queries/{name}"),
}
"""Operations that need not succeed in the generated calls; each is called all the same."""


def test_no_path_of_the_description_is_left_out_of_the_generated_calls(described):
    assert set(described["paths"]) == {*PATHS, *STANDARD_PATHS}


@pytest.mark.asvs("1.4.2", "2.2.1", "2.2.2", "4.1.1", "15.3.5")
@pytest.mark.slow
@pytest.mark.parametrize("role", RUNS)
def test_generated_calls_break_nothing_and_are_answered_as_described(
    installation, facilities, described, known, tmp_path, role
):
    """An administrator's key for the network and the devices, a partner's for scans; each operation also succeeds."""
    from parcelward.people import actions
    from parcelward.people.wire import Role

    program = Path(sys.executable).with_name("st")
    print(f"seed {SEED}")
    token, captures, heads = installation.api_key, installation.api_key, []
    if role == "somebody's own data":
        heads = _session(installation)
    if role.startswith("a sender's"):
        token, keys, endpoints = _senders_keys()
        known = dataclasses.replace(known, keys=keys, endpoints=endpoints)
        captures = actions.make_key("generated calls", Role.PARTNER, by=actions.installer(), mode="test")
    elif role != "administrator":
        token = captures = actions.make_key("generated calls", Role.PARTNER, by=actions.installer(), mode="test")
    if role == "a sender's orders":
        shop.open_shop()
    captured = _capture(installation, captures, new_number())
    (tmp_path / "schemathesis.toml").write_text(_configuration(known, captured))
    done = subprocess.run(
        [
            *(str(program), "--config-file", "schemathesis.toml"),
            *("run", f"{installation.url}/api/v1/openapi.json", *("--include-path-regex", RUNS[role])),
            *(part for head in heads or [f"Authorization: Bearer {token}"] for part in ("--header", head)),
            *("--checks", CHECKS, "--seed", str(SEED)),
            *("--max-time", str(SECONDS_MAX), "--max-examples", "25", "--no-shrink"),
            *("--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--warnings", "off"),
            *("--suppress-health-check", "all", "--request-timeout", "30"),
            *("--report", "har", "--report-dir", "calls"),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX * 6,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6_000:]
    answers = _answers(tmp_path / "calls")
    print(dict(answers))
    of_this_run = {
        (method.upper(), path)
        for path, operations in described["paths"].items()
        for method in operations
        if re.search(RUNS[role], path)
    }
    succeeded = {(method, path) for method, path, status in answers if 200 <= status < 300}
    assert of_this_run <= {(method, path) for method, path, _ in answers}, "these operations were never called"
    assert of_this_run - succeeded - UNGUESSED == set(), "these operations never succeeded"
    failed = {asked: count for asked, count in answers.items() if asked[2] >= 500}
    assert {status for _, _, status in failed} <= {503}, failed
    assert sum(failed.values()) * 100 <= sum(answers.values()), f"busy more than now and then: {failed}"
