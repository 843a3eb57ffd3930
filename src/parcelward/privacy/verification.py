"""Compare what the tables say of people and looks with the log's entries: part of `verify-log`.

Whoever can turn a row gives a stranger somebody's data (another account, another tenant), hides a look, shreds without
two people, or makes a hold vanish. Each must be what the log's own entries add up to. The sealed values themselves are
bound to their place by their encryption, and opened by nobody here; that none was put back to an older one is shown by
the digest in the entry that wrote it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from parcelward.base import db
from parcelward.custody.queries import Findings, told
from parcelward.privacy import facts, rows
from parcelward.privacy.contact_check import check_contacts
from parcelward.privacy.rights_check import check_rights, gone_before
from parcelward.privacy.sealing.verification import check_labels

_SAID: Final = """
    SELECT convert_from(f.body, 'UTF8')::jsonb AS said, l.first_index + f.leaf AS place, f.batch
    FROM custody_fact f LEFT JOIN custody_logbatch l ON l.batch = f.batch WHERE f.kind = %s"""

_LOOKS: Final = f"""
    WITH entries AS (
        SELECT (said->>'act')::uuid AS act, place, (said->>'looked_at')::timestamptz AS looked_at,
            ROW(said->>'by', said->>'role', said->>'purpose', said->>'about', said->>'searched', said->>'n',
                said->>'persons', (said->>'looked_at')::timestamptz,
                ARRAY(SELECT jsonb_array_elements_text(said->'fields')))::text AS what
        FROM ({_SAID}) AS s),
    stored AS (
        SELECT act, at,
            ROW(by::text, role, purpose, about, searched::text, count(*)::text,
                encode(sha256(string_agg(uuid_send(person), ''::bytea ORDER BY person)), 'hex'), at,
                fields::text[])::text AS what
        FROM privacy_disclosure GROUP BY act, by, role, purpose, about, searched, at, fields)
    SELECT coalesce(e.act, s.act), e.place, e.act IS NULL
    FROM entries e FULL JOIN stored s ON s.act = e.act AND s.what = e.what
    WHERE (e.act IS NULL OR s.act IS NULL) AND coalesce(e.looked_at, s.at) >= %s
    ORDER BY e.place NULLS LAST LIMIT 1"""  # noqa: S608 -- our own words

_PEOPLE: Final = f"""
    WITH entries AS (
        SELECT p::uuid AS person, place, (said->>'by')::int AS made_by, (said->>'tenant')::uuid AS tenant,
            (said->>'account')::uuid AS account, (said->>'expires_at')::timestamptz AS expires_at,
            said->>'person_kind' AS kind
        FROM ({_SAID}) AS s, jsonb_array_elements_text(s.said->'persons') AS p),
    settled AS (
        SELECT DISTINCT ON (person) (said->>'person')::uuid AS person, said->>'person_kind' AS kind
        FROM ({_SAID}) AS t ORDER BY person, batch DESC)
    SELECT coalesce(e.person, k.token), e.place, CASE
        WHEN e.person IS NULL THEN 'is in the table and nobody put them there'
        WHEN k.token IS NULL THEN 'was put there and their row is gone'
        ELSE 'has another tenant, account, kind, end or maker than the log says' END
    FROM entries e FULL JOIN privacy_person k ON k.token = e.person
        LEFT JOIN settled s ON s.person = e.person LEFT JOIN privacy_tombstone t ON t.person = e.person
    WHERE e.person IS NULL OR (k.token IS NULL AND t.person IS NULL) OR (k.token IS NOT NULL
        AND (k.tenant, k.account, k.made_by, k.kind, k.expires_at)
        IS DISTINCT FROM (e.tenant, e.account, e.made_by, coalesce(s.kind, e.kind),
            CASE WHEN s.person IS NULL THEN e.expires_at END))
    ORDER BY e.place NULLS LAST LIMIT 1"""  # noqa: S608 -- our own words

_SEALED: Final = f"""
    WITH written AS (
        SELECT DISTINCT ON (person) person, place, sealed FROM (
            SELECT p.person::uuid AS person, place, batch, said->'sealed'->>(p.nth::int - 1) AS sealed
            FROM ({_SAID}) AS s, jsonb_array_elements_text(s.said->'persons') WITH ORDINALITY AS p(person, nth)
            UNION ALL
            SELECT (said->>'person')::uuid, place, batch, said->>'sealed' FROM ({_SAID}) AS t) AS w
        ORDER BY person, batch DESC)
    SELECT k.token, w.place, 'holds other sealed values than were last written'
    FROM written w JOIN {rows.TABLE} k ON k.token = w.person
    WHERE w.sealed <> {rows.DIGEST_IN_SQL} AND NOT EXISTS (SELECT FROM privacy_tombstone t WHERE t.person = k.token)
    ORDER BY w.place NULLS LAST LIMIT 1"""  # noqa: S608 -- our own words

_BURIED: Final = f"""
    WITH entries AS (
        SELECT (said->>'person')::uuid AS person, place, (said->>'shredded_at')::timestamptz AS at, 'asked' AS why,
            (said->>'request')::bigint AS request
        FROM ({_SAID}) AS s
        UNION ALL
        SELECT p::uuid, place, (said->>'shredded_at')::timestamptz, 'expired', NULL
        FROM ({_SAID}) AS t, jsonb_array_elements_text(t.said->'persons') AS p)
    SELECT coalesce(e.person, t.person), e.place, CASE
        WHEN e.person IS NULL THEN 'has a tombstone and no entry shredded them'
        WHEN t.person IS NULL THEN 'was shredded and their tombstone is gone'
        WHEN k.token IS NOT NULL THEN 'was shredded and their row is there again'
        ELSE 'has another tombstone than the log says' END
    FROM entries e FULL JOIN privacy_tombstone t ON t.person = e.person
        LEFT JOIN privacy_person k ON k.token = e.person
    WHERE e.person IS NULL OR t.person IS NULL OR k.token IS NOT NULL
        OR (t.shredded_at, t.why, t.request) IS DISTINCT FROM (e.at, e.why, e.request)
    ORDER BY e.place NULLS LAST LIMIT 1"""  # noqa: S608 -- our own words


def check_privacy(findings: Findings) -> None:
    """Note the first person, look, tombstone, request, hold, key of a label and loan that the log does not bear out."""
    _check_looks(findings)
    for statement, kinds, differs in (
        (_PEOPLE, (facts.KEPT, facts.SETTLED), "kept_person"),
        (_SEALED, (facts.KEPT, facts.CHANGED), "sealed_value"),
        (_BURIED, (facts.SHREDDED, facts.FORGOTTEN), "shredded_person"),
    ):
        for person, place, what in _rows(statement, *kinds):
            findings.note(f"The person {person} {what}.", differs=differs, index=place)
    _check_requests(findings)
    _check_holds(findings)
    check_contacts(findings)
    check_labels(findings)
    check_rights(findings)


def _rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with db.cursor() as cur:
        cur.execute(statement, values)
        return cur.fetchall()


def _check_looks(findings: Findings) -> None:
    for act, place, unsaid in _rows(_LOOKS, facts.LOOKED, gone_before("disclosures")):
        what = "has rows that no entry says" if unsaid else "is in the log and not, or not so, in the trail"
        findings.note(f"The look {act} {what}.", differs="disclosure", index=place)


@dataclass(frozen=True, slots=True)
class _Request:
    """A request for shredding as table or entries have it."""

    person: UUID
    requested_by: int
    requested_at: dt.datetime
    agreed_by: int | None = None
    agreed_at: dt.datetime | None = None
    not_before: dt.datetime | None = None
    withdrawn_at: dt.datetime | None = None
    done_at: dt.datetime | None = None


def _check_requests(findings: Findings) -> None:
    said: dict[int, _Request] = {}
    where: dict[int, int | None] = {}
    for kind, body, place in told(facts.SHRED_ASKED, facts.SHRED_AGREED, facts.SHRED_WITHDRAWN, facts.SHREDDED):
        number = int(body["request"])
        where[number] = place
        asked = said.get(number)
        if asked is None and kind == facts.SHRED_ASKED:
            said[number] = _Request(UUID(body["person"]), body["by"], _time(body["requested_at"]))
        elif asked is not None:
            wrong = _impossible(kind, body, asked)
            if wrong:
                findings.note(f"Request {number} for a shredding {wrong}.", differs="shred_request", index=place)
            said[number] = dataclasses.replace(asked, **_changes(kind, body))
    stored = {
        number: _Request(*columns)
        for number, *columns in _rows(
            "SELECT id, person, requested_by, requested_at, agreed_by, agreed_at, not_before, withdrawn_at, done_at "
            "FROM privacy_shred_request"
        )
    }
    for number in sorted(said.keys() | stored.keys()):
        if said.get(number) != stored.get(number):
            what = f"Request {number} for a shredding is not what the log's entries say."
            findings.note(what, differs="shred_request", index=where.get(number))


def _impossible(kind: str, body: dict[str, Any], asked: _Request) -> str:
    if kind == facts.SHRED_AGREED and body["by"] == asked.requested_by:
        return "was asked for and agreed to by the same person"
    if kind == facts.SHREDDED and (asked.not_before is None or _time(body["shredded_at"]) < asked.not_before):
        return "was done before its wait was over"
    return ""


def _changes(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    if kind == facts.SHRED_AGREED:
        at, end = _time(body["agreed_at"]), _time(body["not_before"])
        return {"agreed_by": body["by"], "agreed_at": at, "not_before": end}
    if kind == facts.SHRED_WITHDRAWN:
        return {"withdrawn_at": _time(body["withdrawn_at"])}
    return {"done_at": _time(body["shredded_at"])} if kind == facts.SHREDDED else {}


class _Hold(NamedTuple):
    placed_by: int
    placed_at: dt.datetime
    lifted_by: int | None = None
    lifted_at: dt.datetime | None = None


def _check_holds(findings: Findings) -> None:
    said: dict[UUID, list[_Hold]] = {}
    where: dict[UUID, int | None] = {}
    for kind, body, place in told(facts.HELD, facts.LIFTED):
        person = UUID(body["person"])
        mine = said.setdefault(person, [])
        where[person] = place
        if kind == facts.HELD:
            mine.append(_Hold(body["by"], _time(body["placed_at"])))
        elif mine:
            mine[-1] = mine[-1]._replace(lifted_by=body["by"], lifted_at=_time(body["lifted_at"]))
    stored: dict[UUID, list[_Hold]] = {}
    for person, *columns in _rows(
        "SELECT person, placed_by, placed_at, lifted_by, lifted_at FROM privacy_hold ORDER BY person, id"
    ):
        stored.setdefault(person, []).append(_Hold(*columns))
    for person in said.keys() | stored.keys():
        if said.get(person) != stored.get(person):
            what = f"The holds of the person {person} are not those that the log's entries placed and lifted."
            findings.note(what, differs="person_hold", index=where.get(person))


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
