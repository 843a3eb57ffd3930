"""The console says what it did, and exits 0, 1 or 2 accordingly."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid

import httpx
from tests.scanner import event, new_number, until

from parcelward.parcels import queries
from parcelward.parcels.models import ItemStatus
from parcelward.parcels.rules import State


def find(number: str) -> uuid.UUID:
    item = queries.find(number)
    assert item is not None
    return item


def run(*words: str, code: int = 0, say: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", *words],
        capture_output=True,
        text=True,
        input=say,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def test_help_names_every_command_and_nothing_is_a_wrong_call():
    from parcelward.doors.console.main import COMMANDS

    said = run("--help")
    assert all(name in said for name in COMMANDS)
    run(code=2)
    run("fly", code=2)


def test_a_person_is_locked_out_and_let_in_again(browser, link):
    mine = browser()
    mine.join(link("inspector"))
    login = mine.http.get("/app/account").text.split("Your id is <code>")[1].split("<")[0]
    assert json.loads(run("person", "lock", login)) == {"login": login, "locked": True}
    assert not mine.signed_in()
    assert json.loads(run("person", "unlock", login)) == {"login": login, "locked": False}
    mine.sign_in()
    assert mine.signed_in()
    assert "Nobody signs in under this staff id" in run("person", "lock", "nobody-9", code=1)


def test_administrators_are_invited_at_the_console(browser):
    said = [json.loads(line) for line in run("admin", "invite", "--count", "2").splitlines()]
    assert [one["role"] for one in said] == ["administrator"] * 2
    mine = browser()
    assert mine.join(said[0]["link"]).status_code == 302
    assert "administrator" in mine.http.get("/app/").text


def test_verify_log_says_that_all_holds_and_how_fast(installation, scanner):
    scanner.send(*(event(new_number(), "accepted") for _ in range(20)))
    said = run("verify-log", "--statuses")
    assert "agree" in said
    assert "events per second" in said


def test_verify_log_names_the_first_entry_that_differs(installation, scanner, number):
    from django.db import connections

    scanner.send(event(number, "accepted"), event(number, "left_sorting", minutes=1))
    until(lambda: httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["events_proven"] == 2)
    item = find(number)

    def turn(old: int, new: int) -> None:
        with connections["default"].cursor() as cur:
            cur.execute(
                "UPDATE parcels_scan_event SET step = %s WHERE item = %s AND step = %s RETURNING event_id",
                [new, item, old],
            )
            found.append(cur.fetchone()[0])

    found: list[uuid.UUID] = []
    turn(2, 13)
    try:
        said = run("verify-log", code=1)
    finally:
        turn(13, 2)
    proofs = httpx.get(f"{installation.url}/api/v1/items/{number}/proofs", timeout=30).json()
    index = proofs["events"][1]["log_index"]
    assert f"Entry {index} differs" in said
    assert f"itm_{item.hex}" in said
    assert f"evt_{found[0].hex}" in said
    assert "step" in said
    run("verify-log")


def test_rebuild_puts_wrong_statuses_right_and_then_finds_nothing(scanner, number):
    other = new_number()
    scanner.send(event(number, "accepted"), event(number, "delivered", minutes=1), event(other, "accepted"))
    item = find(number)
    right = ItemStatus.objects.filter(item=item).values().get()
    ItemStatus.objects.filter(item=item).update(step=30, flags=0, item_seq=7, seal="X", head=b"\0" * 32)
    ItemStatus.objects.filter(item=find(other)).delete()
    assert "2 were wrong" in run("rebuild", number, other)
    turned = {**right, "flags": right["flags"] ^ State.REBUILT}  # who remembers the wrong one is to find out
    assert ItemStatus.objects.filter(item=item).values().get() == turned
    assert ItemStatus.objects.get(item=find(other)).item_seq == 1
    assert "0 were wrong" in run("rebuild", number, other)
    assert "0 were wrong" in run("rebuild")
    assert "No item" in run("rebuild", new_number(), code=1)


def test_verify_tells_a_proof_from_what_is_none(tmp_path):
    none = tmp_path / "holiday.json"
    none.write_text("{}")
    assert "does not hold" in run("verify", str(none), code=1)
    assert "cannot read" in run("verify", str(tmp_path / "missing.zip"), code=1)


def test_device_and_key_are_printed_once_as_json(installation):
    device = json.loads(run("device", "add", "counter 4"))
    assert device.keys() == {"device_id", "key_id", "private_key_ed25519_base64"}
    assert json.loads(run("device", "revoke", device["device_id"]))["revoked"] is True
    key = json.loads(run("key", "add", "partner 7"))
    assert key["api_key"].startswith("pw_test_")
    assert json.loads(run("key", "revoke", key["key_id"])) == {"key_id": key["key_id"], "revoked": True}
