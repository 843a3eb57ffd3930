"""A receipt's holder asks what became of the promise, and checks the answer without the operator."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
import uuid

import httpx
import pytest
from django.db import connections, transaction
from tests.scanner import Scanner, event, new_number, until

from parcelward.base import config
from parcelward.base.standards import identify
from parcelward.custody import actions as custody
from parcelward.custody import receipts as receipts_check
from parcelward.custody.keys import vkeys_in
from parcelward.custody.models import Batch
from parcelward.custody.queries import sign_receipts
from parcelward.doors.api import scans
from parcelward.parcels import actions, queries
from parcelward.parcels.wire import Answer, Submission
from parcelward.people import actions as people
from parcelward.people import queries as people_queries
from parcelward.people.wire import Role


def ask(installation, receipt):
    answer = httpx.post(f"{installation.url}/api/v1/receipts", content=receipt, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer


def said(receipt):
    return dict(line.split(" ", 1) for line in receipt.split("\n\n")[0].splitlines()[1:])


def kept(installation, receipt):
    """Return the answer once the promise is kept."""
    until(lambda: ask(installation, receipt).json()["state"] == "in_log")
    return ask(installation, receipt)


@pytest.fixture
def scanner(installation, facilities):
    return Scanner(installation)


def test_the_holder_gets_the_proof_and_the_command_checks_it_offline(installation, scanner, number, tmp_path):
    given = scanner.send(event(number, "accepted"), event(number, "left_sorting", minutes=1), {"bad": 1})
    proof = tmp_path / "receipt.json"
    proof.write_bytes(kept(installation, given["receipt"]).content)
    saved = json.loads(proof.read_text())
    vkey = vkeys_in(httpx.get(f"{installation.url}/log/vkey", timeout=30).text)[0]
    proofs = httpx.get(f"{installation.url}/api/v1/items/{number}/proofs", timeout=30).json()["events"]
    assert [(e["log_index"], e["commitment"]) for e in saved["entries"]] == [
        (e["log_index"], e["commitment"]) for e in proofs
    ]
    checked = subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", "verify", str(proof), "--key", vkey],
        env={**os.environ, "PARCELWARD_DATABASE_URL": "postgresql://nowhere.invalid/x"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"sequence {scanner.sequence}, 2 entries" in checked.stdout
    assert "keys came with the file" not in checked.stdout


def test_each_of_many_requests_in_one_batch_gets_its_own_entries(installation, facilities):
    token = people.make_key("partner of receipts", Role.PARTNER, by=people.installer(), mode="test", simulated=True)
    partner = people_queries.key_holder(token)
    senders = [(partner, 1), (partner, 2), (partner, 0), (partner, 0), (partner, 0)]  # without number: not told apart
    things = [[new_number() for _ in range(3)] for _ in senders]
    submissions = []
    for (by, sequence), numbers in zip(senders, things, strict=True):
        body = json.dumps([event(one, "accepted") for one in numbers]).encode()
        events, bad = scans.parse(body, ndjson=False)
        submissions.append(Submission(by, sequence, hashlib.sha256(body).digest(), events, bad))
    answers = actions.record_scans(submissions, now=dt.datetime.now(dt.UTC))
    receipts = [json.loads(answer.body)["receipt"] for answer in answers if isinstance(answer, Answer)]
    assert len({said(one)["batch"] for one in receipts}) == 1
    for receipt, numbers in zip(receipts, things, strict=True):
        saved = kept(installation, receipt)
        mine = [
            httpx.get(f"{installation.url}/api/v1/items/{one}/proofs", timeout=30).json()["events"][0]["log_index"]
            for one in numbers
        ]
        assert [entry["log_index"] for entry in saved.json()["entries"]] == mine
        assert receipts_check.verify_receipt(saved.content).events == 3


def test_each_of_many_requests_is_told_by_the_number_that_it_scanned(installation, scanner, number):
    scanner.send(event(number, "accepted"), event(number, "held", minutes=1, reason="security"))
    known = queries.find(number)
    assert known is not None
    token = people.make_key("partner of names", Role.PARTNER, by=people.installer(), mode="test", simulated=True)
    partner, names = people_queries.key_holder(token), (number, identify.item_id(known))
    submissions = []
    for nth, one in enumerate((*names, *names[::-1])):
        body = json.dumps([event(one, "arrived_inward_office", minutes=2 + nth)]).encode()
        events, bad = scans.parse(body, ndjson=False)
        submissions.append(Submission(partner, 0, hashlib.sha256(body).digest(), events, bad))
    answers = actions.record_scans(submissions, now=dt.datetime.now(dt.UTC))
    told = [json.loads(answer.body)["instructions"][0] for answer in answers if isinstance(answer, Answer)]
    assert [(one["do"], one["item_id"]) for one in told] == [("HOLD", one) for one in (*names, *names[::-1])]


def test_a_repeat_of_the_batch_brings_the_same_receipt_and_so_the_same_proof(installation, scanner, number):
    body = scanner.body([event(number, "accepted")])
    first = scanner.post(body).json()["receipt"]
    assert scanner.post(body, sequence=scanner.sequence).json()["receipt"] == first
    assert [e["log_index"] for e in kept(installation, first).json()["entries"]] != []


def test_a_request_that_recorded_nothing_new_was_promised_nothing(installation, scanner, number):
    one = event(number, "accepted")
    scanner.send(one)
    receipt = scanner.send(one)["receipt"]
    answer = kept(installation, receipt)
    assert answer.json()["entries"] == []
    assert "promises no entry" in answer.json()["message"]
    assert receipts_check.verify_receipt(answer.content).events == 0


def _receipt(batch, commitments, *, recorded):
    """Return a receipt as the log signs it."""
    settings = config.get()
    text = (
        f"{settings.origin}/receipt\nbatch {batch}\nsource {uuid.uuid4()}\nsequence 7\nbody {'0' * 64}\n"
        f"count {len(commitments)}\ncommitments {hashlib.sha256(b''.join(commitments)).hexdigest()}\n"
        f"recorded {recorded.isoformat(timespec='microseconds')[:-6]}Z\npromise in the log within 10 s\n"
    )
    return sign_receipts(settings, [text])[0].encode()


def test_while_the_promise_runs_the_answer_says_how_long_and_afterwards_that_it_is_broken(installation):
    now = dt.datetime.now(dt.UTC)
    commitments = [os.urandom(32), os.urandom(32)]
    with transaction.atomic():  # never committed, so the sequencer never sees it
        batch = custody.add_batch("fact", commitments, now=now)
        note = _receipt(batch, commitments, recorded=now)
        waiting = queries.receipt_proof(note, now=now + dt.timedelta(seconds=3))
        assert (waiting.state, waiting.due_in_s, waiting.checkpoint) == ("waiting", 7.0, None)
        assert [e.commitment for e in waiting.entries] == [each.hex() for each in commitments]
        late = queries.receipt_proof(note, now=now + dt.timedelta(seconds=11))
        assert (late.state, late.due_in_s) == ("broken", None)
        assert "not in the log within the time promised" in late.message
        transaction.set_rollback(True)
    gone = queries.receipt_proof(note, now=now)
    assert gone.state == "broken"
    assert "no record of this request" in gone.message


def test_a_record_that_was_changed_breaks_the_promise_and_changed_rows_alone_do_not(installation, scanner, number):
    receipt = scanner.send(event(number, "accepted"))["receipt"]
    batch = int(said(receipt)["batch"])
    kept(installation, receipt)

    def edit(statement):
        with connections["default"].cursor() as cur:
            cur.execute(statement, [batch])
            assert cur.rowcount == 1

    turn = "UPDATE {} SET {} WHERE {} = %s"
    edit(turn.format("parcels_scan_event", "sequence = sequence # 1", "batch"))
    try:
        assert ask(installation, receipt).json()["state"] == "in_log"
    finally:
        edit(turn.format("parcels_scan_event", "sequence = sequence # 1", "batch"))
    flip = "commitments = set_byte(commitments, 3, get_byte(commitments, 3) # 1)"
    assert Batch.objects.filter(id=batch, n=1).exists()
    edit(turn.format("custody_batch", flip, "id"))
    try:
        answer = ask(installation, receipt).json()
        assert (answer["state"], answer["entries"]) == ("broken", [])
        assert "other entries than were promised" in answer["message"]
    finally:
        edit(turn.format("custody_batch", flip, "id"))
    assert ask(installation, receipt).json()["state"] == "in_log"
