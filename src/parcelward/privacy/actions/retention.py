"""What goes by age of the vault: people not used any more, messages, looks, requests. Holds and restrictions keep.

A person's own account keeps its entries as long as it is there; an entry goes a while after its last use: when it was
made, opened, or written to. Of who has long been unused the country is opened without a trace: nothing is shown to
anybody, and a nightly line would bury the looks that matter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction

from parcelward.base import config, db, forgetting
from parcelward.base.forgetting import Due, Sweep
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import facts, keys, retention, rows
from parcelward.privacy.actions import shred
from parcelward.privacy.models import Disclosure, KeptPerson, Message, PersonHold, RightsRequest
from parcelward.privacy.wire import Field, Kind, RequestState, Right

AT_ONCE: Final = 500
KINDS: Final = frozenset({Kind.ADDRESSEE.value, Kind.SENDER.value, Kind.STAFF.value})


def _held() -> Any:
    return PersonHold.objects.filter(lifted_at=None).values("person")


def _restricted() -> Any:
    alone = RightsRequest.objects.filter(right=Right.RESTRICT, state=RequestState.IN_FORCE).values("account")
    return KeptPerson.objects.filter(account__in=alone).values("token")


SWEEPS: Final = (
    Sweep(
        "messages",
        lambda t: (
            Message.objects.filter(due_at=None, made_at__lt=t)
            .exclude(person__in=_held())
            .exclude(person__in=_restricted())
        ),
        "made_at",
    ),
    Sweep(
        "disclosures",
        lambda t: Disclosure.objects.filter(at__lt=t).exclude(person__in=_held()).exclude(person__in=_restricted()),
        "at",
    ),
    Sweep("rights_requests", lambda t: RightsRequest.objects.filter(ended_at__lt=t), "ended_at"),
)


class _Unused(NamedTuple):
    token: VaultToken
    country: str
    last_used: dt.datetime


def due_old(kept_class: str, now: dt.datetime, *, by: Person) -> list[Due]:
    """Return what would go of a class, a line for each country; nothing for a class of another room."""
    require(by, Task.KEEP_RETENTION)
    home = config.get().country
    if kept_class == Kind.PENDING:
        over = KeptPerson.objects.filter(expires_at__lte=now).exclude(token__in=_held())
        sweep = Sweep(kept_class, lambda _t: over.exclude(token__in=_restricted()), "expires_at")
        return [forgetting.due(sweep, now, home)]
    if kept_class in KINDS:
        return _due_people(kept_class, now) or [Due(kept_class, home, 0, None)]
    before = retention.before(kept_class, home, now=now)
    return [forgetting.due(sweep, before, home) for sweep in SWEEPS if sweep.kept_class == kept_class]


def _due_people(kind: str, now: dt.datetime) -> list[Due]:
    found: dict[str, list[dt.datetime]] = {}
    after: UUID | None = UUID(int=0)
    while after is not None:
        some, after = _unused(kind, after, now)
        for one in some:
            found.setdefault(one.country, []).append(one.last_used)
    return [Due(kind, country, len(times), min(times)) for country, times in sorted(found.items())]


def forget_old(kept_class: str, now: dt.datetime, *, by: Person) -> int:
    """Forget what is over its time of a class; return how many. Entries say counts and tokens, nothing of people."""
    require(by, Task.KEEP_RETENTION)
    if kept_class == Kind.PENDING:
        return shred.forget_expired(now)
    if kept_class in KINDS:
        return _forget_people(kept_class, now, by)
    before = retention.before(kept_class, config.get().country, now=now)
    said = {"by": by.source, "class": kept_class, "before": before.isoformat()}
    return sum(
        forgetting.forget(sweep, before, lambda n: custody.record_fact(facts.RETAINED, {**said, "n": n}))
        for sweep in SWEEPS
        if sweep.kept_class == kept_class
    )


def _forget_people(kind: str, now: dt.datetime, by: Person) -> int:
    done = 0
    after: UUID | None = UUID(int=0)
    while after is not None:
        some, after = _unused(kind, after, now)
        done += _forget_some(kind, some, now, by)
    shred.delete_keys_left(now)
    return done


@transaction.atomic
def _forget_some(kind: str, some: Sequence[_Unused], now: dt.datetime, by: Person) -> int:
    if not some:
        return 0
    locked = KeptPerson.objects.select_for_update(skip_locked=True).filter(token__in=[one.token for one in some])
    mine = [VaultToken(token) for token in locked.order_by("token").values_list("token", flat=True)]
    # Asked again now that the rows are ours: whoever opened one, or placed a hold, had locked it and may be done.
    still = {token for token, _used in _last_used(kind, UUID(int=0), now, tokens=mine)}
    persons = [token for token in mine if token in still]
    if persons:
        shred.forget(persons, by=by, now=now)
        custody.record_fact(
            facts.RETAINED, {"by": by.source, "class": kind, "before": now.isoformat(), "n": len(persons)}
        )
    return len(persons)


def _unused(kind: str, after: UUID, now: dt.datetime) -> tuple[list[_Unused], UUID | None]:
    """Return some people who are over their time in their country, and where the next begin; None: these are all."""
    found = _last_used(kind, after, now)
    tokens = [token for token, _used in found]
    here, held = rows.read(tokens, [Field.COUNTRY]), keys.held(tokens)
    home = config.get().country
    some = []
    for token, used in found:
        row, key = here.get(token), held.get(token)
        known = row is not None and key is not None and Field.COUNTRY in row.sealed
        country = rows.unseal(row, key, Field.COUNTRY).upper() if known and row and key else home
        if used < retention.before(kind, country, now=now):
            some.append(_Unused(token, country, used))
    return some, (tokens[-1] if len(tokens) == AT_ONCE else None)


def _last_used(
    kind: str, after: UUID, now: dt.datetime, *, tokens: Sequence[VaultToken] | None = None
) -> list[tuple[VaultToken, dt.datetime]]:
    """Return who has been unused longer than any country asks, without an account and under no hold."""
    before = now - dt.timedelta(days=retention.shortest(kind))
    with db.cursor() as cur:
        cur.execute(
            "SELECT p.token, greatest(p.made_at, d.at, m.at) FROM privacy_person p "
            "LEFT JOIN LATERAL (SELECT max(at) AS at FROM privacy_disclosure WHERE person = p.token) d ON true "
            "LEFT JOIN LATERAL (SELECT max(made_at) AS at FROM privacy_message WHERE person = p.token) m ON true "
            "WHERE p.kind = %s AND p.account IS NULL AND p.token > %s AND p.made_at < %s "
            "AND (%s::uuid[] IS NULL OR p.token = ANY(%s::uuid[])) AND greatest(p.made_at, d.at, m.at) < %s "
            "AND NOT EXISTS (SELECT FROM privacy_hold h WHERE h.person = p.token AND h.lifted_at IS NULL) "
            "ORDER BY p.token LIMIT %s",
            (kind, after, before, tokens, tokens, before, AT_ONCE),
        )
        return [(VaultToken(token), used) for token, used in cur.fetchall()]
