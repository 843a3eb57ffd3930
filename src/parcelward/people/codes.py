"""Short codes by e-mail or phone: six digits, ten minutes, five tries, spent once, only in the browser that asked.

Who may ask how often, so that neither a mailbox is flooded nor an owner locked out by a stranger:

* one browser, for one recipient: five codes an hour. It counts nobody else's requests.
* one network address: sixty an hour. A browser that has spent a code of this recipient before is not counted out.
* one recipient, over all browsers: ten an hour are sent at once. Then each new browser asks, waits five minutes of its
  own, and asks again; whatever others do meanwhile does not make its wait longer. It is a delay, never a refusal: a
  stranger cannot use the limit up for the owner, and with 60 requests an address can send no more than 60 messages.

A try counts only against the code of the browser it is typed in. Whoever guesses from many browsers at once makes the
recipient's next codes longer (`proofing_rules.digits_for`), which costs the owner four more digits.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import transaction

from parcelward.base import db
from parcelward.people import proofing_rules as rules
from parcelward.people.errors import BadCode, TooManyCodes

DIGEST_BYTES: Final = 32
PURPOSE_LENGTH_MAX: Final = 40
FORGOTTEN_AT_ONCE: Final = 100


def issue(purpose: str, recipient: bytes, binding: bytes, *, now: dt.datetime, network: bytes = b"") -> str:
    """Return a new code to send; it ends the one before it. Raises TooManyCodes with when to ask again.

    `recipient` is a 32-byte digest of purpose and address, `binding` what only this browser has (such as its session's
    key), `network` the address that asks. The code has six digits, ten while somebody guesses. It is stored as a keyed
    hash. Not inside another transaction: a request that has to wait is remembered although this raises.
    """
    slot, owner, origin = _slot(purpose, recipient, binding), _owner(purpose, recipient), keyed("network", network)
    with transaction.atomic(durable=True), db.cursor() as cur:
        for key in sorted({_lock_of(owner), _lock_of(origin)}):  # counting and adding are one step
            cur.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
        _forget_some(cur, now)
        wait = _wait(cur, slot, owner, origin if network else b"", now)
        code = "" if wait else _add(cur, slot, owner, origin if network else b"", now)
    if wait:
        seconds = max(1, round(wait.total_seconds()))
        words = "Too many codes were asked for. Wait until the time is over, then ask again."
        raise TooManyCodes(words, retry_after_s=seconds)
    return code


def recipient(email: str) -> bytes:
    """Return the digest that stands for an e-mail address here: keyed, so that nobody guesses whose it is."""
    return keyed("recipient", email.strip().lower().encode())


def spend(purpose: str, recipient: bytes, binding: bytes, code: str, *, now: dt.datetime) -> None:
    """Use a code up. Raises BadCode, one error for wrong, expired, used, tried too often and never sent.

    One statement whatever is found: of many who send the right code at once, one succeeds. Not inside another
    transaction: a wrong try counts although this raises.
    """
    slot = _slot(purpose, recipient, binding)
    digest = keyed("code", slot, rules.normal_code(code).encode())
    with transaction.atomic(durable=True), db.cursor() as cur:
        cur.execute(
            "UPDATE people_code SET tries = tries + 1, spent_at = CASE WHEN digest = %s THEN %s::timestamptz END "
            "WHERE slot = %s AND digest IS NOT NULL AND spent_at IS NULL AND tries < %s AND expires_at > %s "
            "RETURNING spent_at",
            (digest, now, slot, rules.CODE_TRIES_MAX, now),
        )
        found = cur.fetchone()
    if found is None or found[0] is None:
        raise BadCode("This code is not right, or its time is over. Check it, or ask for a new one.")


def _wait(cur: psycopg.Cursor[Any], slot: bytes, owner: bytes, origin: bytes, now: dt.datetime) -> dt.timedelta:
    """Return how long this browser has to wait; nothing when it may have its code."""
    since = now - rules.ASKED_WITHIN
    mine, oldest = _count(cur, "slot", slot, since)
    if mine >= rules.PER_BROWSER_MAX:
        return oldest - since
    cur.execute("SELECT 1 FROM people_code WHERE slot = %s AND spent_at > %s LIMIT 1", (slot, now - rules.KNOWN_FOR))
    if cur.fetchone():
        return dt.timedelta()
    if origin:
        asked, oldest = _count(cur, "network", origin, since, waiting=True)
        if asked >= rules.PER_NETWORK_MAX:
            return oldest - since
    if _count(cur, "recipient", owner, since)[0] < rules.PER_RECIPIENT_FREE:
        return dt.timedelta()
    cur.execute(
        "SELECT min(issued_at) FROM people_code WHERE slot = %s AND digest IS NULL AND issued_at > %s", (slot, since)
    )
    first: dt.datetime | None = _row(cur)[0]
    if first is None:
        _insert(cur, slot, owner, origin, None, now)
        return rules.NEW_BROWSER_WAITS
    if first + rules.NEW_BROWSER_WAITS > now:
        return first + rules.NEW_BROWSER_WAITS - now
    cur.execute("DELETE FROM people_code WHERE slot = %s AND digest IS NULL", (slot,))
    return dt.timedelta()


def _count(
    cur: psycopg.Cursor[Any], column: str, value: bytes, since: dt.datetime, *, waiting: bool = False
) -> tuple[int, dt.datetime]:
    """Return how many codes were asked for, and when the oldest of them was."""
    sent = "" if waiting else " AND digest IS NOT NULL"
    cur.execute(
        f"SELECT count(*), min(issued_at) FROM people_code WHERE {column} = %s AND issued_at > %s{sent}",  # noqa: S608 -- our own column names
        (value, since),
    )
    count, oldest = _row(cur)
    return count, oldest or since


def _row(cur: psycopg.Cursor[Any]) -> tuple[Any, ...]:
    found = cur.fetchone()
    if found is None:
        raise AssertionError("an aggregate has one row")  # pragma: no cover -- see above
    return tuple(found)


def _add(cur: psycopg.Cursor[Any], slot: bytes, owner: bytes, origin: bytes, now: dt.datetime) -> str:
    cur.execute(
        "SELECT coalesce(sum(tries), 0) FROM people_code WHERE recipient = %s AND issued_at > %s",
        (owner, now - rules.ASKED_WITHIN),
    )
    digits = rules.digits_for(int(_row(cur)[0]))
    code = f"{secrets.randbelow(10**digits):0{digits}d}"
    cur.execute(
        "UPDATE people_code SET expires_at = %s WHERE slot = %s AND spent_at IS NULL AND expires_at > %s",
        (now, slot, now),
    )
    _insert(cur, slot, owner, origin, keyed("code", slot, code.encode()), now)
    return code


def _insert(
    cur: psycopg.Cursor[Any], slot: bytes, owner: bytes, origin: bytes, digest: bytes | None, now: dt.datetime
) -> None:
    cur.execute(
        "INSERT INTO people_code (slot, recipient, network, digest, issued_at, expires_at, tries) "
        "VALUES (%s, %s, %s, %s, %s, %s, 0)",
        (slot, owner, origin, digest, now, now + rules.CODE_HOLDS if digest else now),
    )


def _forget_some(cur: psycopg.Cursor[Any], now: dt.datetime) -> None:
    """Delete a few rows that no limit looks at any more: each request takes away more than it adds."""
    cur.execute(
        "DELETE FROM people_code WHERE id IN (SELECT id FROM people_code WHERE issued_at < %s "
        "AND (spent_at IS NULL OR issued_at < %s) ORDER BY issued_at LIMIT %s FOR UPDATE SKIP LOCKED)",
        (now - 2 * rules.ASKED_WITHIN, now - rules.KNOWN_FOR - rules.ASKED_WITHIN, FORGOTTEN_AT_ONCE),
    )


def _slot(purpose: str, recipient: bytes, binding: bytes) -> bytes:
    if not binding:
        raise ValueError("a code is for one browser")  # a caller's bug, not input
    return keyed("slot", _owner(purpose, recipient), binding)


def _owner(purpose: str, recipient: bytes) -> bytes:
    if not 0 < len(purpose) <= PURPOSE_LENGTH_MAX or len(recipient) != DIGEST_BYTES:
        raise ValueError("a code has a purpose, and a recipient of 32 bytes")  # a caller's bug, not input
    return keyed("recipient", purpose.encode(), recipient)


def keyed(what: str, *parts: bytes) -> bytes:
    """Return a keyed hash that nobody can compute who has only the database. Each part has its length before it."""
    return _keyed(settings.SECRET_KEY, what, parts)


def is_keyed(digest: bytes, what: str, *parts: bytes) -> bool:
    """Return whether `keyed` gave this digest, under the present secret or one that is still believed."""
    return sum(hmac.compare_digest(digest, each) for each in keyed_alike(what, *parts)) > 0  # asks all of them


def keyed_alike(what: str, *parts: bytes) -> list[bytes]:
    """Return what `keyed` gives, and after it what it gave under each former secret that is still believed."""
    return [_keyed(each, what, parts) for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _keyed(secret: str, what: str, parts: Sequence[bytes]) -> bytes:
    key = hashlib.sha256(b"parcelward/v1/codes\x00" + secret.encode()).digest()
    message = b"".join(len(part).to_bytes(4, "big") + part for part in (what.encode(), *parts))
    return hmac.digest(key, message, "sha256")


def _lock_of(keyed: bytes) -> int:
    return int.from_bytes(keyed[:8], "big", signed=True)
