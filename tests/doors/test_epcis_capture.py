"""What EPCIS capture takes, refuses with its place, and does when it is sent again."""

from __future__ import annotations

import json
import re
import time
import uuid

import httpx
import pytest
from django.db import connections
from tests.epcis_partner import Partner, document, event, item, packed
from tests.scanner import new_number, new_receptacle


@pytest.fixture(scope="module")
def partner(installation, facilities):
    return Partner(installation)


@pytest.fixture(scope="module")
def desk(installation):
    return Partner(installation, key=installation.api_key)


def places_of(answer):
    return [problem["pointer"] for problem in answer.json()["errors"]]


def test_a_document_is_received_and_its_job_says_what_became_of_it(partner, number):
    answer = partner.send(document(event(item(number))))
    job = partner.job(answer)
    assert answer.headers["GS1-EPCIS-Version"] == "2.0.0"
    assert (job["running"], job["success"], job["captureErrorBehaviour"], job["errors"]) == (
        False,
        True,
        "rollback",
        [],
    )
    assert (job["parcelward:captured"], job["parcelward:duplicates"]) == (1, 0)
    assert job["captureID"] in [one["captureID"] for one in partner.get("/capture").json()]


def test_the_same_event_again_is_no_second_event_and_no_second_scan(partner, number, installation):
    said = event(item(number))
    partner.capture(said)
    job = partner.capture(said)
    assert (job["success"], job["parcelward:captured"], job["parcelward:duplicates"]) == (True, 0, 1)
    assert len(partner.events(MATCH_epc=item(number))) == 1
    assert httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["events_total"] == 1


def test_the_same_event_without_an_id_is_known_by_its_content(partner, number):
    said = event(item(number), named=False)
    partner.capture(said)
    assert (
        partner.capture({**said, "eventTime": said["eventTime"].replace("+00:00", "Z")})["parcelward:duplicates"] == 1
    )
    (given,) = partner.events(MATCH_epc=item(number))
    assert given["eventID"].startswith("ni:///sha-256;")


def test_another_event_under_a_known_id_is_refused_with_its_place_and_nothing_changes(partner, number):
    first = event(item(number))
    partner.capture(first)
    other = new_number()
    job = partner.capture(event(item(other)), {**first, "bizStep": "departing"})
    assert job["success"] is False
    assert [(e["code"], e["pointer"]) for e in job["errors"]] == [("event_id_reused", "/epcisBody/eventList/1/eventID")]
    assert partner.events(MATCH_epc=item(other)) == []
    assert [e["bizStep"] for e in partner.events(MATCH_epc=item(number))] == ["accepting"]


def test_a_bad_event_takes_the_whole_document_with_it(partner, number):
    answer = partner.send(document(event(item(number)), event(item(number), bizStep="dancing")))
    assert (answer.status_code, answer.json()["type"]) == (400, "epcisException:ValidationException")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert places_of(answer) == ["/epcisBody/eventList/1/bizStep"]
    assert partner.events(MATCH_epc=item(number)) == []


def test_a_bad_event_is_left_out_when_the_sender_says_proceed(partner, number):
    bad, late = event(item(number), bizStep="dancing"), event(item(number), minutes=1_000)
    job = partner.capture(event(item(number)), bad, late, **{"GS1-Capture-Error-Behaviour": "proceed"})
    assert (job["success"], job["parcelward:captured"]) == (False, 1)
    assert [(e["code"], e["pointer"]) for e in job["errors"]] == [
        ("unknown_business_step", "/epcisBody/eventList/1/bizStep"),
        ("clock_ahead", "/epcisBody/eventList/2/eventTime"),
    ]
    assert len(partner.events(MATCH_epc=item(number))) == 1


def test_one_event_alone_is_captured_before_the_answer(partner, number):
    said = {"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], **event(item(number))}
    answer = partner.ask("POST", "/events", json=said)
    assert answer.status_code == 201, answer.text
    assert partner.get(answer.headers["Location"]).status_code == 200
    again = partner.ask("POST", "/events", json={**said, "bizStep": "departing"})
    assert (again.status_code, places_of(again)) == (409, ["/eventID"])
    assert again.json()["type"] == "epcisException:ResourceAlreadyExistsException"


def test_a_document_is_no_single_event(partner, number):
    answer = partner.ask("POST", "/events", json=document(event(item(number))))
    assert (answer.status_code, answer.json()["code"]) == (400, "one_event")


def test_many_events_are_left_to_the_worker(partner):
    numbers = [new_number() for _ in range(3)]
    answer = partner.send(document(*(event(item(n)) for n in numbers)), Prefer="respond-async")
    deadline = time.monotonic() + 60
    while (job := partner.job(answer))["running"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (job["running"], job["success"], job["parcelward:captured"]) == (False, True, 3)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "not_json"),
        (b"[]", {}, 400, "not_an_object"),
        (b"", {}, 400, "not_json"),
        (b'{"@context": ' + b"[" * 60 + b"]" * 60 + b"}", {}, 400, "too_deep"),
        (b"<epcis/>", {"Content-Type": "application/xml"}, 415, "unsupported_media_type"),
        (b"{}", {"Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
        (b"{}", {"GS1-EPCIS-Version": "1.2"}, 406, "not_acceptable"),
        (b"{}", {"GS1-EPCIS-Min": "3.0.0"}, 406, "not_acceptable"),
        (b"{}", {"GS1-Capture-Error-Behaviour": "hope"}, 400, "bad_behaviour"),
        (b"{}", {"Accept": "application/xml"}, 406, "not_acceptable"),
        (b" " * (8 * 1024 * 1024 + 1), {}, 413, "too_large"),
    ],
)
def test_what_is_no_epcis_message_is_refused_before_anything_is_stored(partner, body, headers, status, code):
    before = len(partner.get("/capture").json())
    answer = partner.ask("POST", "/capture", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["request_id"]
    assert len(partner.get("/capture").json()) == before


def test_an_identifier_that_no_index_could_hold_is_refused(partner):
    answer = partner.capture(event(item(new_number()), "urn:example:" + "x" * 2_000), **PROCEED)
    assert [(e["code"], e["pointer"]) for e in answer["errors"]] == [("too_long", "/epcisBody/eventList/0/epcList")]


PROCEED = {"GS1-Capture-Error-Behaviour": "proceed"}


def test_only_who_may_capture_captures(installation, number):
    inspector = Partner(installation, role="inspector")
    answer = inspector.send(document(event(item(number))))
    assert (answer.status_code, answer.json()["type"]) == (403, "epcisException:SecurityException")
    nobody = Partner(installation, key="pw_test_nobody")
    for method, path in (("POST", "/capture"), ("GET", "/events"), ("OPTIONS", "/capture")):
        assert nobody.ask(method, path).status_code == 401, path
    assert httpx.get(f"{installation.url}/epcis/events", timeout=30).status_code == 401


def test_a_revoked_key_captures_no_more_and_its_waiting_job_fails(installation, number, facilities):
    from django.utils import timezone

    from parcelward.parcels.actions import capture_jobs
    from parcelward.parcels.models import CaptureJob
    from parcelward.people import actions
    from parcelward.people import queries as people

    partner = Partner(installation)
    by = people.key_holder(partner.key)
    job = CaptureJob(
        id=uuid.uuid4(),
        source=by.source,
        by=by.id,
        role=by.role.value,
        simulated=False,
        created_at=timezone.now(),
        behaviour="rollback",
        document=json.dumps(document(event(item(number), readPoint=None))).encode(),  # no scan asks the key again
    )
    actions.revoke_key(by.id, by=actions.installer())
    job.save()
    capture_jobs.run_job(job.id)
    deadline = time.monotonic() + 20
    while CaptureJob.objects.get(pk=job.id).finished_at is None and time.monotonic() < deadline:
        time.sleep(0.1)
    job.refresh_from_db()
    assert (job.success, job.captured) == (False, 0)
    assert partner.send(document(event(item(number)))).status_code == 401


def test_the_log_holds_a_commitment_and_never_the_hash_of_an_event(partner, number):
    """The hash id is guessable: it stands in the committed bytes, and only the salted commitment is an entry."""
    import hashlib

    from parcelward.custody.models import Batch
    from parcelward.parcels import bodies
    from parcelward.parcels.models import EpcisEvent

    partner.capture(event(item(number), named=False))
    row = EpcisEvent.objects.get(epcs__contains=[f"nr:{number}"])
    [body] = bodies.events([(row.body_key, bytes(row.body))])
    assert body is not None
    batch = Batch.objects.get(id=row.batch)
    entry = bytes(batch.commitments)[row.leaf * 32 : row.leaf * 32 + 32]
    group = hashlib.sha256(b"parcelward/v1/group\x00" + bytes(row.salt) + body).digest()
    assert batch.kind == "parcels.epcis"
    assert entry == hashlib.sha256(b"parcelward/v1/event\x00" + group).digest()
    said = json.loads(body)
    assert said["name"].startswith("ni:///sha-256;")
    assert bytes.fromhex(said["name"][14:78]) not in bytes(batch.commitments)


def test_two_partners_do_not_take_each_others_names(installation, partner, number):
    other, said = Partner(installation), event(item(number))
    partner.capture(said)
    job = other.capture({**said, "bizStep": "departing"})
    assert (job["success"], job["parcelward:captured"]) == (True, 1)
    assert [e["bizStep"] for e in partner.events(EQ_eventID=said["eventID"])] == ["accepting"]
    assert [e["bizStep"] for e in other.events(EQ_eventID=said["eventID"])] == ["departing"]


def test_a_hundred_copies_at_the_same_time_are_one_event(partner, number):
    from concurrent.futures import ThreadPoolExecutor

    said = event(item(number))
    with ThreadPoolExecutor(6) as pool:
        jobs = list(pool.map(lambda _: partner.capture(said), range(12)))
    assert sorted(job["parcelward:captured"] for job in jobs) == [0] * 11 + [1]
    assert all(job["success"] for job in jobs)


def test_options_says_what_can_be_captured(partner):
    answer = partner.ask("OPTIONS", "/capture")
    assert answer.status_code == 204
    assert answer.headers["Allow"] == "OPTIONS, GET, POST"
    for name in ("GS1-EPCIS-Min", "GS1-EPCIS-Max", "GS1-CBV-Min", "GS1-CBV-Max", "GS1-EPCIS-Version"):
        assert answer.headers[name] == "2.0.0", name
    assert answer.headers["GS1-EPCIS-Capture-Limit"] == "5000"
    assert answer.headers["GS1-EPCIS-Capture-File-Size-Limit"] == "8388608"
    assert answer.headers["GS1-Capture-Error-Behaviour"] == "all"
    assert answer.headers["GS1-Extensions"].startswith("parcelward=")
    wrong = partner.ask("DELETE", "/capture")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "OPTIONS, GET, POST")


def test_jobs_are_paged_and_belong_to_who_sent_them(installation, facilities):
    partner, other = Partner(installation), Partner(installation)
    ids = [partner.capture(event(item(new_number())))["captureID"] for _ in range(3)]
    first = partner.get("/capture", perPage="2")
    second = partner.get(first.links["next"]["url"])
    assert [job["captureID"] for job in first.json() + second.json()] == ids[::-1]
    assert "next" not in second.links
    assert other.get("/capture").json() == []
    assert other.get(f"/capture/{ids[0]}").status_code == 404
    assert partner.get("/capture/nonsense").status_code == 404


def test_an_event_at_a_place_that_we_do_not_know_is_kept_and_makes_no_scan(partner, installation, number):
    job = partner.capture(event(item(number), readPoint={"id": "urn:epc:id:sgln:9521321.00000.0"}))
    assert job["parcelward:captured"] == 1
    assert len(partner.events(MATCH_epc=item(number))) == 1
    assert httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).status_code == 404


def test_a_container_that_nobody_scanned_before_is_a_receptacle(partner, number):
    from parcelward.parcels.models import Item, ItemAlias, ItemKind

    cage = new_receptacle()
    partner.capture(packed(f"https://id.gs1.org/00/{cage}", item(number), minutes=5), event(item(number)))
    kind = Item.objects.get(item=ItemAlias.objects.get(number=cage).item).kind
    assert kind == ItemKind.RECEPTACLE


def test_event_times_of_any_age_find_a_partition(partner):
    for year in ("1971", "1999", "2003", "2019"):
        number = new_number()
        job = partner.capture(event(item(number), eventTime=f"{year}-02-28T23:59:59.999Z", readPoint=None))
        assert job["success"], (year, job)
        assert len(partner.events(MATCH_epc=item(number))) == 1


@pytest.mark.parametrize("time", ["2901-02-03T00:00:00Z", "1951-02-03T00:00:00Z"])
def test_a_declaration_of_a_time_that_no_scan_can_have_makes_no_partition_of_it(partner, number, time):
    """One document could name a thousand days, and each would be a table for good."""
    said = event(item(number))
    partner.capture(said)
    wrong = {"declarationTime": time, "reason": "did_not_occur"}
    assert partner.capture({**said, "errorDeclaration": wrong})["success"]
    partner.capture(event(item(number), eventTime=time.replace("2901", "1952")))
    with connections["default"].cursor() as cur:
        cur.execute(r"SELECT relname FROM pg_class WHERE relname ~ '^parcels_scan_event_[dm](19|29)'")
        assert cur.fetchall() == []


def test_many_partners_at_once_about_the_same_parcels_lose_nothing(installation, facilities):
    from concurrent.futures import ThreadPoolExecutor

    partners, numbers = [Partner(installation) for _ in range(4)], [new_number() for _ in range(12)]

    def send(nth):
        order = numbers if nth % 2 else numbers[::-1]
        said = [event(item(n), minutes=nth + at / 100) for at, n in enumerate(order)]
        return partners[nth % 4].capture(*said)

    with ThreadPoolExecutor(6) as pool:
        jobs = list(pool.map(send, range(12)))
    assert [(job["success"], job["parcelward:captured"]) for job in jobs] == [(True, 12)] * 12
    for number in numbers:
        assert httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["events_total"] == 12


def test_a_document_of_thousands_is_captured_whole_or_not_at_all(installation, facilities):
    partner = Partner(installation)
    said = [event(item(new_number()), readPoint=None) for _ in range(2_500)]
    answer = partner.send(document(*said))
    deadline = time.monotonic() + 240
    while (job := partner.job(answer))["running"] and time.monotonic() < deadline:
        time.sleep(0.3)
    assert (job["running"], job["success"], job["parcelward:captured"]) == (False, True, 2_500)
    more = [event(item(new_number()), readPoint=None) for _ in range(600)]
    answer = partner.send(document(*more, {**said[0], "bizStep": "departing"}))
    deadline = time.monotonic() + 240
    while (job := partner.job(answer))["running"] and time.monotonic() < deadline:
        time.sleep(0.3)
    assert (job["success"], job["parcelward:captured"]) == (False, 0)
    assert [problem["pointer"] for problem in job["errors"]] == ["/epcisBody/eventList/600/eventID"]
    assert partner.events(MATCH_epc=more[0]["epcList"][0]) == []


def partitions_now():
    from parcelward.base import db

    with db.cursor() as cur:
        cur.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent::regclass::text LIKE 'parcels_%'")
        return {name for (name,) in cur.fetchall() if re.search(r"_[dm]\d+$", name)}


@pytest.mark.parametrize("behaviour", ["rollback", "proceed"])
def test_events_of_days_to_come_are_refused_and_leave_no_partitions(partner, number, behaviour):
    before = partitions_now()
    ahead = [event(item(number), minutes=days * 24 * 60) for days in (1, 7, 20, 39, 41, 400, 2_400)]
    job = partner.capture(event(item(number)), *ahead, **{"GS1-Capture-Error-Behaviour": behaviour})
    assert (job["success"], job["parcelward:captured"]) == (False, behaviour == "proceed")
    assert [(e["code"], e["pointer"]) for e in job["errors"]] == [
        ("clock_ahead", f"/epcisBody/eventList/{n}/eventTime") for n in range(1, 8)
    ]
    assert partitions_now() == before


def test_a_refused_document_leaves_no_partition_of_its_good_events_either(partner, number):
    before = partitions_now()
    job = partner.capture(event(item(number), eventTime="2003-05-05T09:00:00Z"), event(item(number), minutes=1_000))
    assert (job["success"], job["parcelward:captured"]) == (False, 0)
    assert partitions_now() == before


@pytest.mark.parametrize("declared", ["1987-06-05T04:03:02Z", "2999-01-01T00:00:00Z"])
def test_a_declaration_of_no_believable_time_is_kept_and_its_correction_waits_at_the_desk(partner, number, declared):
    wrong = event(item(number))
    partner.capture(wrong)
    before = partitions_now()
    said = {**wrong, "errorDeclaration": {"declarationTime": declared, "reason": "did_not_occur"}}
    assert partner.capture(said)["parcelward:captured"] == 1
    assert len(partner.events(MATCH_epc=item(number))) == 2
    assert partitions_now() == before


def test_an_event_of_the_last_century_is_kept_and_leaves_no_partition(partner, number):
    before = partitions_now()
    job = partner.capture(event(item(number), eventTime="1950-01-02T03:04:05Z"), event(item(number)))
    assert (job["success"], job["parcelward:captured"]) == (True, 2)
    assert len(partner.events(MATCH_epc=item(number))) == 2
    assert partitions_now() == before
