"""A row that somebody with the database edits is found by the command, named, and changes nothing in the log."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx
import pytest
from django.db import connections
from tests.attacks.untouched import untouched
from tests.scanner import Scanner, event, new_number, until

from parcelward.custody.models import PendingBatch
from parcelward.parcels import queries

# What is changed in the last event's row, and what puts it back.
EDITS = {
    "the body": "body = set_byte(body, 20, get_byte(body, 20) # 1)",
    "the step": "step = step # 1",
    "who sent it": "source = source # 1",
    "where it was": "facility = facility # 1",
}


def verify_log():
    return subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", "verify-log"],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def edit(sql, *values):
    with connections["default"].cursor() as cur:
        cur.execute(sql, values)
        assert cur.rowcount == 1


@pytest.mark.asvs("16.4.2")
@pytest.mark.parametrize("what", EDITS)
def test_an_edited_row_is_found_and_named_and_the_log_stays(installation, facilities, what):
    scanner, number = Scanner(installation), new_number()
    scanner.send(event(number, "accepted"), event(number, "left_sorting", minutes=5))
    until(lambda: not PendingBatch.objects.exists())
    assert verify_log().returncode == 0
    item = queries.find(number)
    assert item is not None
    proofs = httpx.get(f"{installation.url}/api/v1/items/{number}/proofs", timeout=30).json()
    index = proofs["events"][-1]["log_index"]
    # Each edit undoes itself when it is made twice.
    statement = f"UPDATE parcels_scan_event SET {EDITS[what]} WHERE item = %s AND item_seq = 2"
    edit(statement, item)
    try:
        with untouched():
            found = verify_log()
            assert found.returncode == 1, found.stdout
            assert str(index) in (found.stdout + found.stderr).replace(",", "")
            for path in (f"/track/{number}", f"/api/v1/items/{number}/proofs", f"/api/v1/items/{number}"):
                assert httpx.get(installation.url + path, timeout=30).status_code in {200, 409}, path
    finally:
        edit(statement, item)
    assert verify_log().returncode == 0
