"""From a real installation to a receiver who has nothing of it: the bundle is made, handed over and checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.utils import timezone
from tests.custody.node import STATIC
from tests.custody.node import run as run_node
from tests.custody.sample_log import WITNESSED_AT_S, base64_text, witness
from tests.scanner import Scanner, event, new_number, until

from parcelward.base.errors import Conflict, NotAllowed
from parcelward.custody import notes, stored_zip
from parcelward.custody.errors import ProofFailed
from parcelward.custody.files import CHECKPOINT, CHECKPOINT_WITNESSED
from parcelward.custody.models import Fact, Tombstone
from parcelward.parcels import actions, queries
from parcelward.people.actions import installer
from parcelward.people.wire import Person, Role


def console(
    *words: str, away: Path | None = None, settings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command; `away` runs it in that folder, with nothing that points to the installation."""
    env = dict(os.environ) | (settings or {})
    if away is not None:
        env = {k: v for k, v in env.items() if not k.startswith(("PARCELWARD_", "DJANGO_", "PG"))}
    return subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=env,
        cwd=away,
    )


@pytest.fixture(scope="module")
def parcel(installation: Any, facilities: tuple[str, ...]) -> str:
    scanner, number = Scanner(installation, name="bundle scanner"), new_number()
    scanner.send(event(number, "accepted", weight_g=1200), event(number, "left_sorting", minutes=5))
    scanner.send(event(number, "delivered", minutes=9, facility="TEST-B"))
    until(lambda: httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["events_proven"] == 3)
    return number


def facts() -> list[dict[str, Any]]:
    rows = Fact.objects.filter(kind="custody.bundle").order_by("record_time")
    return [json.loads(bytes(row.body)) for row in rows]


def test_a_bundle_is_made_and_then_checked_by_who_has_nothing_else(parcel: str, tmp_path: Path) -> None:
    file = tmp_path / "case.zip"
    words = ("bundle", parcel, "--out", str(file), "--reveal", "public,addressee", "--reason", "Inquiry 7")
    made = console(*words)
    assert made.returncode == 0, made.stderr
    checked = console("verify", str(file), away=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "3 event(s) recomputed and found in the log test.parcelward.example/log" in checked.stdout
    assert file.stat().st_mode & 0o077 == 0
    item = queries.find(parcel)
    said = facts()[-1]
    assert said["item"] == str(item)
    assert said["revealed"] == ["public", "addressee"]
    assert said["by"] == installer().source
    assert f"{said['sha256']}  {file}" in made.stdout
    files = stored_zip.read(file.read_bytes())
    first = json.loads(files[f"events/itm_{item.hex if item else ''}/000001.json"])["groups"]
    assert {name: "canon" in group for name, group in first.items()} == {
        "public": True,
        "addressee": True,
        "operations": False,
        "restricted": False,
    }
    assert json.loads(first["addressee"]["canon"])["weight_g"] == 1200
    manifest = json.loads(files["manifest.json"])
    assert (manifest["legal_basis"], manifest["reference"]) == ("Inquiry 7", parcel)
    assert manifest["absent"].keys() == {"bodies/"}
    told = "Devices: 2 signature(s) by 1 device(s) that this log enrolled hold, over the requests that recorded 3 of 3"
    assert told in checked.stdout
    assert "0 of these events name device and request themselves" in checked.stdout
    assert console(*words).returncode == 1  # what is there is not written over
    data = file.read_bytes()
    (browser,) = run_node({"kind": "file", "module": str(STATIC / "offline.js"), "data": base64_text(data), "keys": ""})
    assert browser["ok"], browser
    assert [each["number"] for each in browser["events"]] == [parcel] * 3
    assert browser["shown"] == {"signatures": 2, "devices": 1, "events": 3, "named": 0}


def test_who_opens_operations_sees_each_event_name_its_device_and_request(parcel: str, tmp_path: Path) -> None:
    file = tmp_path / "case.zip"
    words = ("--reveal", "public,operations", "--reason", "Inquiry 8")
    assert console("bundle", parcel, "--out", str(file), *words).returncode == 0
    checked = console("verify", str(file), away=tmp_path)
    assert "3 of these events name device and request themselves" in checked.stdout
    (path,) = [each for each in stored_zip.read(file.read_bytes()) if each.startswith("devices/")]
    device = json.loads(stored_zip.read(file.read_bytes())[path])
    assert [each["sequence"] for each in device["batches"]] == [1, 2]
    assert [len(each["events"]) for each in device["batches"]] == [2, 1]
    assert json.loads(device["enrolled"]["body"])["kind"] == "people.device_enrolled"


def test_a_signature_that_was_changed_or_lost_in_the_database(parcel: str) -> None:
    from django.db import connections

    item = queries.find(parcel)
    batches = "id IN (SELECT batch FROM parcels_scan_event WHERE item = %s)"

    def after(change: str) -> actions.Made:
        with transaction.atomic():
            with connections["default"].cursor() as cur:
                cur.execute(f"UPDATE custody_batch SET signed = {change} WHERE {batches}", [item])
                assert cur.rowcount == 2
            try:
                return _make(parcel, installer())
            finally:
                transaction.set_rollback(True)

    with pytest.raises(ProofFailed, match="did not sign batch 1"):
        after("set_byte(signed, length(signed) - 1, 255 - get_byte(signed, length(signed) - 1))")
    lost = after("''")
    assert (lost.report.shown.signatures, lost.report.events) == (0, 3)
    assert "Devices: no signature of a device is in the bundle." in lost.report.words


def test_a_flipped_byte_is_refused(parcel: str, tmp_path: Path) -> None:
    file = tmp_path / "case.zip"
    assert console("bundle", parcel, "--out", str(file)).returncode == 0
    data = bytearray(file.read_bytes())
    data[data.index(b"left_sorting")] ^= 1
    file.write_bytes(data)
    checked = console("verify", str(file), away=tmp_path)
    assert checked.returncode == 1
    assert "It does not hold" in checked.stdout


def test_a_witnessed_bundle_ends_where_the_witnesses_were_and_says_so(
    installation: Any, facilities: tuple[str, ...], tmp_path: Path
) -> None:
    scanner, number, file = Scanner(installation, name="late scanner"), new_number(), tmp_path / "case.zip"
    seen = {"PARCELWARD_WITNESSES": f"{witness(1).verifier.vkey}=http://localhost:9", "PARCELWARD_WITNESS_QUORUM": "1"}
    words = ("bundle", number, "--out", str(file))

    def proven(events: int) -> None:
        until(
            lambda: httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["events_proven"] == events
        )

    scanner.send(event(number, "accepted"), event(number, "left_sorting", minutes=1))
    proven(2)
    folder = installation.home / "log"
    note = (folder / CHECKPOINT).read_bytes()
    scanner.send(event(number, "delivered", minutes=2))
    proven(3)
    early = console(*words, settings=seen)
    assert (early.returncode, early.stdout, file.exists()) == (1, "", False), "no witness has signed anything yet"
    signed = notes.signature(notes.parse(note).text, witness(1), timestamp_s=WITNESSED_AT_S)
    try:
        (folder / CHECKPOINT_WITNESSED).write_bytes(notes.add_signatures(note, [signed]))
        made = console(*words, settings=seen)
    finally:
        (folder / CHECKPOINT_WITNESSED).unlink()
    assert made.returncode == 0, made.stderr
    checked = console("verify", str(file), away=tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert "2 event(s) recomputed" in checked.stdout
    assert "Witnesses: w1.example." in checked.stdout
    assert "events 3 to 3" in checked.stdout


def test_what_may_not_be_revealed_is_refused_and_leaves_nothing(parcel: str, tmp_path: Path) -> None:
    before, file = len(facts()), tmp_path / "case.zip"
    for words in (
        (parcel, "--reveal", "operations"),
        (parcel, "--reveal", "public,restricted", "--reason", "why not"),
        (parcel, "--reveal", "everything", "--reason", "why not"),
        (new_number(),),
    ):
        refused = console("bundle", *words, "--out", str(file))
        assert (refused.returncode, refused.stdout) == (1, ""), refused
    assert not file.exists()
    assert len(facts()) == before


def _make(number: str, by: Person) -> actions.Made:
    item = queries.find(number)
    assert item is not None
    return actions.make_bundle(
        item,
        by=by,
        now=timezone.now(),
        reveal=["public"],
        reason="",
        verify_html=b"<!doctype html>",
        software="parcelward test",
    )


def test_only_who_may_gets_one_and_only_of_what_can_be_opened_and_was_not_changed(parcel: str) -> None:
    from django.db import connections

    console_person = installer()
    assert _make(parcel, console_person).report.events == 3
    for role in (Role.INSPECTOR, Role.PARTNER, Role.DEVICE):
        with pytest.raises(NotAllowed):
            _make(parcel, Person(console_person.id, role, console_person.source, "somebody"))
    item = queries.find(parcel)
    assert item is not None
    before = len(facts())
    with transaction.atomic():
        Tombstone.objects.create(item=item, shredded_at=timezone.now(), events=3)
        with pytest.raises(Conflict):
            _make(parcel, console_person)
        transaction.set_rollback(True)
    with transaction.atomic():
        with connections["default"].cursor() as cur:
            cur.execute(
                "UPDATE parcels_scan_event SET body = set_byte(body, 20, 255 - get_byte(body, 20)) "
                "WHERE item = %s AND item_seq = 2",
                [item],
            )
        with pytest.raises(ProofFailed):
            _make(parcel, console_person)
        transaction.set_rollback(True)
    with transaction.atomic():
        with connections["default"].cursor() as cur:
            cur.execute("UPDATE parcels_itemalias SET number = 'RR000000005US' WHERE item = %s", [item])
        with pytest.raises(ProofFailed, match="was recorded of"):
            _make("RR000000005US", console_person)
        transaction.set_rollback(True)
    assert len(facts()) == before
