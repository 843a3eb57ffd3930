"""Identity at the counter: a barcode, a document, a clerk's decision that is told an hour later, an inspector's review.

The reference on the barcode opens nothing by itself. A clerk decides about whoever stands there, never about
themselves, and once. The person may withdraw until the result is told; that counts as a strike, as a failure does.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.base.errors import Conflict, Invalid, NotFound, TooMany
from parcelward.base.vault import VaultToken
from parcelward.people import proofing_rules as rules
from parcelward.people.errors import MayNot
from parcelward.people.models import CounterProof, User
from parcelward.people.proofing import entries
from parcelward.people.proofing.levels import prove, untold, withdraw
from parcelward.people.roles import require
from parcelward.people.wire import CounterState, Document, Level, Method, Person, Task

DECISIONS: Final = frozenset({CounterState.PASSED, CounterState.FAILED, CounterState.IN_FRAUD_REVIEW})
REFERENCE_CHARS: Final = 10


@dataclass(frozen=True, slots=True)
class Check:
    """One check as somebody may see it; `state` is what is decided for staff, and what was told for the person."""

    check_id: UUID
    token: VaultToken
    reference: str
    state: CounterState
    document: str
    started_at: dt.datetime
    expires_at: dt.datetime
    checked_at: dt.datetime | None
    source: int | None = None  # the clerk who decided, for staff


def start_check(token: VaultToken, *, by: Person, now: dt.datetime) -> Check:
    """Begin a check of whoever `token` stands for: name and address. Again for the same token gives the same check.

    Raises Conflict while another one is under way, TooMany after four in 30 days.
    """
    require(by, Task.PROVE_SELF)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=by.id)
        _note_expired(by, now)
        mine = CounterProof.objects.filter(user=by.id)
        under_way = mine.filter(untold(now), ended_at=None).first()
        if under_way is not None:
            if under_way.token != token:
                words = "A check at the counter is under way. Finish it, or cancel it before you begin another."
                raise Conflict(words, code="check_under_way")
            return seen(under_way, now=now)
        _require_few(by, now)
        row = CounterProof(
            id=uuid.uuid4(),
            user_id=by.id,
            token=token,
            reference="".join(secrets.choice(rules.ALPHABET) for _ in range(REFERENCE_CHARS)),
            state=CounterState.PENDING.value,
            started_at=now,
            expires_at=now + rules.CHECK_HOLDS,
        )
        row.save(force_insert=True)
        entries.record(entries.CHECK_STARTED, row, by=by)
        return seen(row, now=now)


def require_may_begin(*, by: Person, now: dt.datetime) -> None:
    """Raise TooMany when `by` has begun four checks in 30 days: asked before what they type is kept."""
    require(by, Task.PROVE_SELF)
    _require_few(by, now)


def _require_few(by: Person, now: dt.datetime) -> None:
    if CounterProof.objects.filter(user=by.id, started_at__gt=now - rules.CHECKS_WITHIN).count() >= rules.CHECKS_MAX:
        raise TooMany("No more than four checks can be begun in 30 days.", code="too_many_checks")


def find_check(reference: str, *, by: Person, now: dt.datetime) -> Check:
    """Return the check that a scanned or typed reference means, if it waits for a clerk.

    Raises NotFound alike for unknown, expired and decided ones, and MayNot for the clerk's own.
    """
    require(by, Task.PROVE_OTHERS)
    row = CounterProof.objects.filter(reference=rules.normal_code(reference)).first()
    return _waiting(row, by=by, now=now)


def waiting_check(check_id: UUID, *, by: Person, now: dt.datetime) -> Check:
    """Return a check that waits for a clerk, by its id; raises as `find_check`."""
    require(by, Task.PROVE_OTHERS)
    return _waiting(CounterProof.objects.filter(pk=check_id).first(), by=by, now=now)


def _waiting(row: CounterProof | None, *, by: Person, now: dt.datetime) -> Check:
    if row is None or row.checked_at is not None or row.ended_at is not None or row.expires_at <= now:
        raise NotFound("No check with this reference waits. Read it again, or let the person begin a new one.")
    if row.user_id == by.id:
        raise MayNot("You cannot prove yourself. Ask a colleague.", code="own_proof")
    return seen(row, now=now, staff=True)


@transaction.atomic
def decide_check(
    check_id: UUID, decision: CounterState, document: Document | None, *, by: Person, now: dt.datetime
) -> Check:
    """Note what a clerk saw and decides. It is told an hour later; the same decision twice changes nothing.

    Raises Conflict when the check was decided otherwise, is over, or was withdrawn.
    """
    require(by, Task.PROVE_OTHERS)
    if decision not in DECISIONS or (decision is CounterState.PASSED and document is None):
        raise Invalid("Say what you decide, and which document you saw", code="bad_decision")
    row = _locked_row(check_id)
    if row.user_id == by.id:
        raise MayNot("You cannot prove yourself. Ask a colleague.", code="own_proof")
    state = rules.decided(decision, strikes=_strikes(row, now))
    if row.checked_at is not None and row.source_id == by.source and row.state == state and row.reviewer_id is None:
        return seen(row, now=now, staff=True)
    if row.checked_at is not None or row.ended_at is not None or row.expires_at <= now:
        raise Conflict("This check is over: it was decided, cancelled or has expired.", code="check_over")
    row.state, row.source_id, row.document = state.value, by.source, document.value if document else ""
    row.checked_at, row.told_from = now, now + rules.TOLD_AFTER
    row.save(update_fields=["state", "source_id", "document", "checked_at", "told_from"])
    entries.record(entries.CHECK_DECIDED, row, by=by)
    _prove_if_passed(row, by=by)
    return seen(row, now=now, staff=True)


@transaction.atomic
def review_check(check_id: UUID, decision: CounterState, *, by: Person, now: dt.datetime) -> Check:
    """Decide a check that is in fraud review; never before its clerk's hour is over, and never one's own.

    The same decision twice changes nothing. Raises Conflict when it is not in review.
    """
    require(by, Task.REVIEW_PROOFS)
    if decision not in {CounterState.PASSED, CounterState.FAILED}:
        raise Invalid("A review passes or fails", code="bad_decision")
    row = _locked_row(check_id)
    if row.user_id == by.id or row.source_id == by.source:
        raise MayNot("You cannot review a check of your own. Ask a colleague.", code="own_proof")
    if row.reviewer_id == by.source and row.state == decision:
        return seen(row, now=now, staff=True)
    if row.state != CounterState.IN_FRAUD_REVIEW or row.told_from is None:
        raise Conflict("This check is not in review: it was decided or cancelled.", code="not_in_review")
    row.state, row.reviewer_id, row.told_from = decision.value, by.source, max(row.told_from, now)
    row.save(update_fields=["state", "reviewer_id", "told_from"])
    entries.record(entries.CHECK_REVIEWED, row, by=by)
    _prove_if_passed(row, by=by)
    return seen(row, now=now, staff=True)


@transaction.atomic
def cancel_check(*, by: Person, now: dt.datetime) -> None:
    """Withdraw one's own check before its result is told. Without one, nothing happens."""
    require(by, Task.PROVE_SELF)
    mine = CounterProof.objects.select_for_update().filter(user=by.id, ended_at=None)
    for row in mine.filter(untold(now)).order_by("id"):
        row.state, row.ended_at = CounterState.CANCELLED.value, now
        row.save(update_fields=["state", "ended_at"])
        entries.record(entries.CHECK_CANCELLED, row, by=by)
        withdraw(row.id, by=by, now=now)


def seen(row: CounterProof, *, now: dt.datetime, staff: bool = False) -> Check:
    """Return a row as a value."""
    state = CounterState(row.state)
    if not staff:
        state = rules.check_state(state, expires_at=row.expires_at, told_from=row.told_from, now=now)
    return Check(
        check_id=row.id,
        token=VaultToken(row.token),
        reference=row.reference,
        state=state,
        document=row.document if staff else "",
        started_at=row.started_at,
        expires_at=row.expires_at,
        checked_at=row.checked_at if staff else None,
        source=row.source_id if staff else None,
    )


def _locked_row(check_id: UUID) -> CounterProof:
    row = CounterProof.objects.select_for_update().filter(pk=check_id).first()
    if row is None:
        raise NotFound("No such check")
    return row


def _prove_if_passed(row: CounterProof, *, by: Person) -> None:
    if row.state != CounterState.PASSED or row.told_from is None:
        return
    since = row.told_from  # from the moment on that the person is told, unless they withdraw before
    until = since + rules.COUNTER_PROVES
    prove(row.user_id, Level.IDENTITY, Method.COUNTER, row.token, by=by, since=since, until=until, proof=row.id)


def _strikes(row: CounterProof, now: dt.datetime) -> int:
    """Return how often this person failed or withdrew after a clerk's decision, lately."""
    lately = CounterProof.objects.filter(user=row.user_id, checked_at__gt=now - rules.STRIKES_WITHIN)
    return lately.exclude(pk=row.pk).filter(state__in=[CounterState.FAILED, CounterState.CANCELLED]).count()


def _note_expired(by: Person, now: dt.datetime) -> None:
    late = CounterProof.objects.select_for_update().filter(
        user=by.id, state=CounterState.PENDING, expires_at__lte=now, ended_at=None
    )
    for row in late.order_by("id"):
        row.state, row.ended_at = CounterState.EXPIRED.value, now
        row.save(update_fields=["state", "ended_at"])
        entries.record(entries.CHECK_EXPIRED, row, by=by)
