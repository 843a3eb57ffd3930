"""What people ask about their own data, and what is answered. Whoever calls has checked a fresh proof (doors).

Every change of a request writes its whole row into the log (`_record`), so that `verify-log` can hold the two together.
A request's row is locked before the entries of the vault; nobody who holds an entry waits for a request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import config, db
from parcelward.base.errors import Conflict, Invalid, NotAllowed, NotFound
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people import actions as people
from parcelward.people import proofing
from parcelward.people.errors import MayNot
from parcelward.people.queries import key_sources, memberships, require
from parcelward.people.wire import Person, Task
from parcelward.privacy import asked, facts, rights_rules, rows
from parcelward.privacy.actions import keep, look, shred
from parcelward.privacy.models import KeptPerson, RightsRequest, ShredRequest
from parcelward.privacy.wire import Asked, Field, Purpose, Reason, RequestState, Right, Subject

EXPORT_SCHEMA: Final = "parcelward.my-data"
EXPORT_VERSION: Final = 1
CORRECTABLE: Final = frozenset({Field.NAME, Field.PHONE, Field.ADDRESS, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY})
"""What a person corrects themselves. An e-mail address signs in, so another one is proven first."""
ACT_REASON: Final = "asked for by the person"
COLUMNS: Final = (
    *("id", "account", "right", "state", "subject", "asked_at", "due_at", "extended_at", "reason"),
    *("first_by", "first_at", "decided_by", "decided_at", "not_before", "ended_at"),
)


def _record(kind: str, row: RightsRequest, *, by: Person) -> None:
    image = {name: said(getattr(row, name)) for name in COLUMNS}
    custody.record_fact(kind, {"actor": by.source, **image})


def said(value: Any) -> Any:
    """Return a column's value as the entry says it."""
    if value is None or isinstance(value, int):
        return value
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else str(value)


def _require_self(by: Person) -> None:
    """Raise NotAllowed unless a person asks for themselves: a key is nobody."""
    require(by, Task.OWN_DATA)
    if key_sources([by.source]):
        raise NotAllowed("A key has no data of its own: sign in", code="no_person")


def _require_strong(by: Person, *, strong: bool, now: dt.datetime) -> None:
    if not rights_rules.strong_enough(proofing.level_of(by, now=now), strong=strong):
        raise MayNot(
            "Your address is proven, so a code by e-mail is not enough for this. Add a passkey to your account first.",
            code="stronger_proof",
        )


def _lock_account(account: UUID) -> None:
    """Let one request of a person's go after another."""
    with db.cursor() as cur:
        cur.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"privacy.rights.{account}",))


def _ask(
    right: Right, state: RequestState, *, by: Person, now: dt.datetime, subject: Subject = Subject.NONE
) -> RightsRequest:
    row = RightsRequest(
        account=by.id,
        right=right.value,
        state=state.value,
        subject=subject.value,
        asked_at=now,
        due_at=now + rights_rules.ANSWER_WITHIN,
        ended_at=now if state is RequestState.DONE else None,
    )
    row.save(force_insert=True)
    _record(facts.RIGHTS_ASKED, row, by=by)
    return row


def _standing(right: Right, by: Person, subject: Subject = Subject.NONE) -> RightsRequest | None:
    open_ones = RightsRequest.objects.filter(state__in=list(rights_rules.OPEN))
    return open_ones.filter(account=by.id, right=right, subject=subject).first()


def export(*, by: Person, strong: bool) -> dict[str, Any]:
    """Return all that is kept of oneself, as JSON's own values; marked in the trail before anything is given.

    `strong`: whether it was proven with more than a code by e-mail. Shape: {"schema", "schema_version", "made_at",
    "entries": [{"id", "kind", "kept_since", "kept_until", "fields": {name: text}}], "looks": [...], "requests": [...]}.
    """
    _require_self(by)
    now = timezone.now()
    _require_strong(by, strong=strong, now=now)
    with transaction.atomic():
        _ask(Right.EXPORT, RequestState.DONE, by=by, now=now)
    mine = list(KeptPerson.objects.filter(account=by.id).order_by("made_at", "token"))
    tokens = [VaultToken(row.token) for row in mine]
    opened: dict[VaultToken, Mapping[Field, Any]] = {}
    for start in range(0, len(tokens), look.AT_ONCE_MAX):
        some = tokens[start : start + look.AT_ONCE_MAX]
        with look.reveal_many(some, list(Field), purpose=Purpose.OWN_DATA, by=by, about="export") as found:
            opened |= found
    return {
        "schema": EXPORT_SCHEMA,
        "schema_version": EXPORT_VERSION,
        "made_at": now.isoformat(),
        "entries": [
            {
                "id": str(row.token),
                "kind": row.kind,
                "kept_since": row.made_at.isoformat(),
                "kept_until": None if row.expires_at is None else row.expires_at.isoformat(),
                "fields": {field.value: value.text for field, value in opened.get(VaultToken(row.token), {}).items()},
            }
            for row in mine
        ],
        "requests": [
            {
                "right": one.right.value,
                "state": one.state.value,
                "subject": one.subject.value or None,
                "asked_at": one.asked_at.isoformat(),
                "due_at": one.due_at.isoformat(),
                "reason": one.reason.value if one.reason else None,
            }
            for one in asked.requests_of(by=by)
        ],
    }


@transaction.atomic
def correct(token: VaultToken, fields: Mapping[Field, str], *, by: Person) -> None:
    """Write right values over wrong ones in an entry of one's own. What was proven of them must be proven anew."""
    _require_self(by)
    if not fields or not set(fields) <= CORRECTABLE:
        raise Invalid("This cannot be corrected here", code="not_correctable")
    asked.require_own([token], by=by)
    keep.require_fitting(token, fields)
    keep.change(token, fields, by=by)
    _ask(Right.CORRECT, RequestState.DONE, by=by, now=timezone.now())


@transaction.atomic
def restrict(*, by: Person) -> UUID:
    """Have one's data left alone: it is opened for legal purposes only from now on. Twice changes nothing."""
    _require_self(by)
    _lock_account(by.id)
    known = _standing(Right.RESTRICT, by)
    if known is not None:
        return known.id
    # Whoever is about to open one of the entries holds its row: they are before, and whoever comes next is after.
    rows.read(KeptPerson.objects.filter(account=by.id).values_list("token", flat=True), (), lock="FOR UPDATE")
    return _ask(Right.RESTRICT, RequestState.IN_FORCE, by=by, now=timezone.now()).id


@transaction.atomic
def object_to(subject: Subject, *, by: Person) -> UUID:
    """Object to one use of one's data; somebody here decides within 30 days. Twice changes nothing."""
    _require_self(by)
    if subject is Subject.NONE:
        raise Invalid("Say what you object to", code="bad_subject")
    _lock_account(by.id)
    known = _standing(Right.OBJECT, by, subject)
    return (
        known.id
        if known is not None
        else _ask(Right.OBJECT, RequestState.OPEN, by=by, now=timezone.now(), subject=subject).id
    )


@transaction.atomic
def ask_erasure(*, by: Person, strong: bool) -> UUID:
    """Ask that all of one's data and the account be erased. Two people here agree. Twice changes nothing."""
    _require_self(by)
    now = timezone.now()
    _require_strong(by, strong=strong, now=now)
    if memberships(by=by):
        raise Conflict(
            "You act for an organisation. Let that role be ended first; then your account can be erased.",
            code="has_role",
        )
    _lock_account(by.id)
    known = _standing(Right.ERASE, by)
    return known.id if known is not None else _ask(Right.ERASE, RequestState.OPEN, by=by, now=now).id


def _locked(request_id: UUID) -> RightsRequest:
    row = RightsRequest.objects.select_for_update().filter(pk=request_id).first()
    if row is None:
        raise NotFound("No such request")
    return row


@transaction.atomic
def withdraw_request(request_id: UUID, *, by: Person) -> None:
    """Call off a request of one's own, or end a restriction or an objection. Doing it twice changes nothing."""
    _require_self(by)
    _lock_account(by.id)
    row = _locked(request_id)
    if row.account != by.id:
        raise NotFound("No such request")
    if row.state not in rights_rules.OPEN:
        return
    now = timezone.now()
    if row.not_before is not None and row.not_before <= now:
        raise Conflict("The wait is over: your data is being erased", code="too_late")
    row.state, row.ended_at = RequestState.WITHDRAWN.value, now
    row.save(update_fields=["state", "ended_at"])
    _record(facts.RIGHTS_ENDED, row, by=by)
    if row.right == Right.ERASE:
        _call_off(row.account)


def _call_off(account: UUID) -> None:
    """Withdraw the requests for shredding that an erasure made, in the caller's transaction."""
    tokens = list(KeptPerson.objects.filter(account=account).order_by("token").values_list("token", flat=True))
    mine = ShredRequest.objects.filter(person__in=tokens, reason=ACT_REASON, done_at=None, withdrawn_at=None)
    for number in mine.order_by("person").values_list("id", flat=True):
        shred.withdraw_shred(number, by=people.machinery())


def _to_answer(request_id: UUID, by: Person) -> RightsRequest:
    """Return an open request, locked, that `by` may answer: never their own."""
    require(by, Task.ANSWER_RIGHTS)
    if key_sources([by.source]):
        raise NotAllowed("A person answers a person: sign in", code="two_people")
    account = RightsRequest.objects.filter(pk=request_id).values_list("account", flat=True).first()
    if account is None:
        raise NotFound("No such request")
    _lock_account(account)
    row = _locked(request_id)
    if row.account == by.id:
        raise NotAllowed("Nobody answers a request of their own: another person must", code="own_request")
    if row.state != RequestState.OPEN:
        raise Conflict("This request was answered or withdrawn", code="answered")
    return row


def _answer(row: RightsRequest, state: RequestState, reason: Reason, *, by: Person, now: dt.datetime) -> None:
    row.state, row.reason, row.decided_by, row.decided_at = state.value, reason.value, by.source, now
    if state not in rights_rules.OPEN:
        row.ended_at = now
    row.save()
    _record(facts.RIGHTS_ANSWERED, row, by=by)


@transaction.atomic
def refuse(request_id: UUID, reason: Reason, *, by: Person) -> Asked:
    """Refuse an objection or an erasure, with a reason of the list. What a first person had begun is called off."""
    row = _to_answer(request_id, by)
    if reason not in rights_rules.REFUSES[Right(row.right)]:
        raise Invalid("This is no reason to refuse such a request", code="bad_reason")
    _answer(row, RequestState.REFUSED, reason, by=by, now=timezone.now())
    if row.right == Right.ERASE:
        _call_off(row.account)
    return asked.seen(row)


@transaction.atomic
def extend(request_id: UUID, reason: Reason, *, by: Person) -> Asked:
    """Take two further months, once, and say why (GDPR article 12(3))."""
    row = _to_answer(request_id, by)
    if reason not in rights_rules.EXTENDS:
        raise Invalid("This is no reason for more time", code="bad_reason")
    if row.extended_at is not None:
        raise Conflict("More time was taken before, and it can be taken once", code="extended")
    row.extended_at, row.reason = timezone.now(), reason.value
    row.due_at += rights_rules.EXTENDED_BY
    row.save()
    _record(facts.RIGHTS_ANSWERED, row, by=by)
    return asked.seen(row)


@transaction.atomic
def uphold(request_id: UUID, *, by: Person) -> Asked:
    """Grant a request: an objection closes its purpose; of an erasure's two people the first asks, the second agrees.

    Where the first lost the right meanwhile, who comes next is the first. Raises Conflict (`legal_hold`) while an entry
    stands under a hold, NotAllowed where the same person agrees twice.
    """
    require(by, Task.ANSWER_RIGHTS)
    first = RightsRequest.objects.filter(pk=request_id).values_list("first_by", flat=True).first()
    stands = first is None or people.asker_stands(first, Task.ANSWER_RIGHTS, by=by)
    row, now = _to_answer(request_id, by), timezone.now()
    if row.first_by == first and not stands:
        _call_off(row.account)
        row.first_by = row.first_at = None
    if row.right == Right.OBJECT:
        _answer(row, RequestState.IN_FORCE, Reason.ACCEPTED, by=by, now=now)
        return asked.seen(row)
    lasting = KeptPerson.objects.filter(account=row.account, expires_at=None)  # what expires goes with the account
    tokens = [VaultToken(token) for token in lasting.order_by("token").values_list("token", flat=True)]
    known = ShredRequest.objects.filter(person__in=tokens, done_at=None, withdrawn_at=None).count()
    numbers = [shred.ask_to_shred(token, ACT_REASON, by=by) for token in tokens]
    if row.first_by is None or (row.first_by == by.source and known < len(tokens)):
        row.first_by, row.first_at = by.source, now
        row.save()
        _record(facts.RIGHTS_ANSWERED, row, by=by)
        return asked.seen(row)
    if row.first_by == by.source:
        raise NotAllowed("Whoever agreed first cannot agree again: another person must", code="two_people")
    if known < len(tokens):
        raise Conflict("More is kept of this person by now: let your colleague agree once more", code="new_entry")
    wait = dt.timedelta(days=config.get().erasure_wait_days)
    row.not_before = max([now + wait, *(shred.agree_to_shred(number, by=by) for number in numbers)])
    _answer(row, RequestState.WAITING, Reason.ACCEPTED, by=by, now=now)
    return asked.seen(row)


def finish_erasures(now: dt.datetime) -> int:
    """Close the accounts whose erasure is over its wait and whose entries are gone; return how many. Safe to repeat."""
    by = people.machinery()
    require(by, Task.SHRED_PERSON)
    ready = RightsRequest.objects.filter(right=Right.ERASE, state=RequestState.WAITING, not_before__lte=now)
    return sum(_finish(number, by, now) for number in ready.order_by("not_before").values_list("id", flat=True)[:500])


@transaction.atomic
def _finish(request_id: UUID, by: Person, now: dt.datetime) -> bool:
    row = _locked(request_id)
    left = KeptPerson.objects.filter(account=row.account).values("token")
    agreed = ShredRequest.objects.filter(person__in=left, done_at=None, withdrawn_at=None, agreed_at__isnull=False)
    if row.state != RequestState.WAITING or agreed.exists():
        return False  # `shred_due` comes first. What was put, or proven, since two people agreed goes with the account.
    if not shred.bury_of_account(row.account, by=by, now=now) or not people.close_account(row.account, by=by):
        transaction.set_rollback(True)  # a legal hold on what would have expired, or a role that was given since
        return False
    row.state, row.ended_at = RequestState.DONE.value, now
    row.save(update_fields=["state", "ended_at"])
    _record(facts.RIGHTS_ENDED, row, by=by)
    return True
