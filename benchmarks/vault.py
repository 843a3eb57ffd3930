"""The vault: put and reveal a second and a core, look-up among a million people, rotations under reads.

In this process, beside a running installation whose two databases and worker do their part. A call with its log entry
and its durable commits is what is measured; `--people` says how many are there (by COPY, with real keys and marks).
CPU is that of this process and of both databases.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import struct
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from benchmarks.ingest import percentile
from benchmarks.installation import SEED, Installation, report, running

CHUNK = 20_000
LOOKUPS = 4_000
READERS = 2
MIXED = 16


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="vault")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--people", type=int, default=1_000_000)
    options = parser.parse_args()
    with running() as installation:
        os.environ |= {
            "PARCELWARD_HOME": str(installation.home),
            "DJANGO_SETTINGS_MODULE": "parcelward.doors.settings",
        }
        import django

        django.setup()
        rows = measure(installation, options.people, options.seconds)
    report("vault", rows, people=options.people)


def measure(installation: Installation, people: int, seconds: float) -> list[tuple[str, float, str]]:
    """Return the rows of the table."""
    from django.db import connections

    began = time.monotonic()
    tokens = fill(people)
    rows = [("people filled a second (sealing included)", people / (time.monotonic() - began), "1/s")]
    for alias in connections:
        with connections[alias].cursor() as cur:
            cur.execute("VACUUM (FREEZE, ANALYZE)")
    rows += puts(installation, seconds)
    rows += reveals(installation, tokens, seconds)
    rows += lookups(people)
    rows += rewrapped(tokens)
    rows += marks_remade(people)
    return rows


def fill(people: int) -> list[uuid.UUID]:
    """Put that many people in by COPY: real keys, sealed values and marks; no entries in the log."""
    from parcelward.base import db
    from parcelward.privacy import cipher, keepers, normal, rows
    from parcelward.privacy.keys import DataKey
    from parcelward.privacy.wire import Field

    chance = random.Random(SEED)
    keeper, now = keepers.keeper(), db.pg_micros(dt.datetime.now(dt.UTC))
    kek, secret = max(keeper.versions()), keepers.index_secrets()[1].secret
    tokens = []
    for first in range(0, people, CHUNK):
        persons, keys, marks = [], [], []
        for n in range(first, min(first + CHUNK, people)):
            token = uuid.UUID(int=chance.getrandbits(128), version=4)
            tokens.append(token)
            key = DataKey(1, chance.randbytes(32))
            fields = {
                Field.NAME: f"Person {n}",
                Field.EMAIL: f"person{n}@example.com",
                Field.POSTCODE: f"{n % 99999:05d}",
            }
            sealed = rows.seal_fields(token, key, fields)
            persons.append(
                _row(
                    token.bytes,
                    b"addressee",
                    _long(now),
                    _int(1),
                    _short(1),
                    *(bytes(v or b"") for v in sealed.values()),
                )
            )
            wrapped = keeper.wrap(key.key, cipher.person_context(token, 1), kek)
            keys.append(_row(token.bytes, _short(1), _int(kek), wrapped, _long(now)))
            for field in (Field.NAME, Field.EMAIL):
                mark = cipher.mark(secret, field, None, normal.normal(field, fields[field]))
                marks.append(_row(_short(rows.NUMBERS[field]), _int(mark), token.bytes, _short(1)))
        names = ", ".join(rows.COLUMNS[field] for field in (Field.NAME, Field.EMAIL, Field.POSTCODE))
        db.copy_binary(db.raw(), "privacy_person", f"token, kind, made_at, made_by, key_version, {names}", persons)
        db.copy_binary(db.raw("keys"), "privacy_personkey", "person, version, kek_version, wrapped, made_at", keys)
        db.copy_binary(db.raw(), "privacy_blind_index", "field, mark, person, version", marks)
    return tokens


def _row(*values: bytes) -> bytes:
    return struct.pack(">h", len(values)) + b"".join([struct.pack(">i", len(v)) + v for v in values])


def _short(number: int) -> bytes:
    return struct.pack(">h", number)


def _int(number: int) -> bytes:
    return struct.pack(">i", number)


def _long(number: int) -> bytes:
    return struct.pack(">q", number)


def timed(installation: Installation, what: str, seconds: float, each: int, work: Callable[[], Any]) -> list[Any]:
    """Return rows for how often `work`, which does `each` of them, can be done in a row, and what CPU one costs."""
    for _ in range(20):
        work()
    took: list[float] = []
    cpu, began = time.process_time() + installation.cpu_seconds()["database"], time.monotonic()
    while time.monotonic() - began < seconds:
        start = time.perf_counter()
        work()
        took.append((time.perf_counter() - start) * 1000)
    whole = time.monotonic() - began
    used = time.process_time() + installation.cpu_seconds()["database"] - cpu
    done = len(took) * each
    return [
        (f"{what} a second", done / whole, "1/s"),
        (f"{what} a second and core (process and databases)", done / used, "1/s"),
        (f"{what} p99 of a call", percentile(took, 0.99), "ms"),
    ]


def puts(installation: Installation, seconds: float) -> list[Any]:
    """Measure putting, one by one and many at once."""
    from parcelward.people.actions import machinery
    from parcelward.privacy import actions
    from parcelward.privacy.wire import Field, Kind

    by = machinery()
    fields = {Field.NAME: "Anna Kowalska", Field.EMAIL: "anna@example.com", Field.ADDRESS: "1 Main Street\nSpringfield"}
    return [
        *timed(installation, "put", seconds, 1, lambda: actions.put(fields, kind=Kind.ADDRESSEE, by=by)),
        *timed(
            installation, "put, 500 at once,", seconds, 500,
            lambda: actions.put_many([fields] * 500, kind=Kind.ADDRESSEE, by=by),
        ),
    ]  # fmt: skip


def reveals(installation: Installation, tokens: list[uuid.UUID], seconds: float) -> list[Any]:
    """Measure opening, one by one and many at once, and masking; how much of it unwrapping is."""
    from parcelward.base.vault import VaultToken
    from parcelward.people.actions import machinery
    from parcelward.privacy import actions, cipher, keepers, keys
    from parcelward.privacy.models import PersonKey
    from parcelward.privacy.wire import Field, Purpose

    by, chance = machinery(), random.Random(SEED)
    fields = [Field.NAME, Field.POSTCODE]

    def one() -> None:
        with actions.reveal(VaultToken(chance.choice(tokens)), fields, purpose=Purpose.LETTER, by=by):
            pass

    def many() -> None:
        some = [VaultToken(token) for token in chance.sample(tokens, 500)]
        with actions.reveal_many(some, fields, purpose=Purpose.LETTER, by=by):
            pass

    def masked() -> None:
        actions.masked_many([VaultToken(token) for token in chance.sample(tokens, 50)], fields, by=by)

    row = PersonKey.objects.get(person=tokens[0])
    wrapped, keeper = bytes(row.wrapped), keepers.keeper()
    began = time.perf_counter()
    for _ in range(20_000):
        keeper.unwrap(wrapped, cipher.person_context(tokens[0], 1), row.kek_version)
    unwrap_us = (time.perf_counter() - began) / 20_000 * 1e6
    began = time.perf_counter()
    for token in chance.sample(tokens, min(2_000, len(tokens))):
        keys.held([token])
    held_us = (time.perf_counter() - began) / min(2_000, len(tokens)) * 1e6
    return [
        *timed(installation, "reveal", seconds, 1, one),
        *timed(installation, "reveal, 500 at once,", seconds, 500, many),
        *timed(installation, "masked, a list of 50,", seconds, 50, masked),
        ("unwrapping a key", unwrap_us, "us"),
        ("asking for a key's row and unwrapping it", held_us, "us"),
    ]


def lookups(people: int) -> list[Any]:
    """Measure finding somebody by e-mail address, and how many strangers share a mark."""
    from parcelward.people.actions import machinery
    from parcelward.privacy import actions, normal, rows
    from parcelward.privacy.wire import Field, Purpose

    by, chance = machinery(), random.Random(SEED + 1)
    took, strangers = [], 0
    for n in range(LOOKUPS):
        wanted = f"Person{chance.randrange(people)}@example.com"
        began = time.perf_counter()
        found = actions.find(Field.EMAIL, wanted, purpose=Purpose.SIGN_IN, by=by)
        took.append((time.perf_counter() - began) * 1000)
        assert len(found) == 1
        if n % 10 == 0:
            strangers += len(rows.candidates(Field.EMAIL, normal.normal(Field.EMAIL, wanted), None)) - 1
    return [
        ("look-up p50", percentile(took, 0.5), "ms"),
        ("look-up p99 (wanted: < 5)", percentile(took, 0.99), "ms"),
        ("strangers opened a look-up", strangers / (LOOKUPS / 10), ""),
    ]


def beside(work: Callable[[], Any], read: Callable[[random.Random], tuple[int, int]]) -> tuple[Any, list[Any]]:
    """Do `work` while READERS read again and again (done, failed); return its answer, and the rows on both."""
    from django.db import connections

    stop = threading.Event()
    done, failed = [0] * READERS, [0] * READERS

    def reader(nth: int) -> None:
        chance = random.Random(SEED + nth)
        while not stop.is_set():
            try:
                well, badly = read(chance)
            except Exception as err:  # noqa: BLE001 -- whatever it is, it is a read that failed
                print(f"  a read failed: {type(err).__name__}")
                well, badly = 0, 1
            done[nth] += well
            failed[nth] += badly
            time.sleep(0.005)  # readers that leave the machine some air, as people do
        connections.close_all()

    threads = [threading.Thread(target=reader, args=(nth,), daemon=True) for nth in range(READERS)]
    for thread in threads:
        thread.start()
    began, cpu = time.monotonic(), time.thread_time()
    answer = work()
    took, used = time.monotonic() - began, time.thread_time() - cpu
    stop.set()
    for thread in threads:
        thread.join(30)
    return answer, [
        ("  took", took, "s"),
        ("  cpu of the rotating thread", used, "s"),
        ("  reads meanwhile", float(sum(done)), ""),
        ("  reads that failed (wanted: 0)", float(sum(failed)), ""),
    ]


def rewrapped(tokens: list[uuid.UUID]) -> list[Any]:
    """Measure wrapping all keys anew while others read, and count the reads that failed."""
    from parcelward.base.vault import VaultToken
    from parcelward.people.actions import machinery
    from parcelward.privacy import actions, queries
    from parcelward.privacy.wire import Field

    by = machinery()

    def read(chance: random.Random) -> tuple[int, int]:
        some = [VaultToken(token) for token in chance.sample(tokens, MIXED)]
        shown = len(actions.masked_many(some, [Field.NAME], by=by))
        return shown, MIXED - shown

    turned, rows = beside(lambda: actions.rotate_kek(by=by, now=dt.datetime.now(dt.UTC)), read)
    left = sum(n for version, n in queries.kek_status().items() if version != turned.version)
    return [
        ("keys wrapped anew", float(turned.rewrapped), ""),
        *rows,
        ("  keys left with an old version (wanted: 0)", float(left), ""),
    ]


def marks_remade(people: int) -> list[Any]:
    """Measure making all marks of the search anew while others look people up, and count who was not found."""
    from parcelward.people.actions import machinery
    from parcelward.privacy import actions
    from parcelward.privacy.wire import Field, Purpose

    by = machinery()

    def read(chance: random.Random) -> tuple[int, int]:
        wanted = f"person{chance.randrange(people)}@example.com"
        found = len(actions.find(Field.EMAIL, wanted, purpose=Purpose.SIGN_IN, by=by))
        return found, int(found != 1)

    remade, rows = beside(lambda: actions.rotate_index(by=by, now=dt.datetime.now(dt.UTC)), read)
    return [
        ("people whose marks were made anew", float(remade.people), ""),
        *rows,
        ("  marks left of the old secret (wanted: 0)", float(remade.left), ""),
    ]


if __name__ == "__main__":
    main()
