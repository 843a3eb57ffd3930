"""Paying in, taking, giving back: each may be asked twice, by several at once, and die in the middle.

What is asked of the provider is committed before it is asked. What comes back at once is how the payment stands then;
the rest is for `payments/work.py`, which the worker runs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Busy, Conflict, Invalid, NotFound
from parcelward.base.standards.money import Currency
from parcelward.custody import actions as custody
from parcelward.payments import givebacks, intent_rules, intents, purchases, queries, reconciling
from parcelward.payments.errors import IntentReused, Unsigned
from parcelward.payments.intent_rules import Reason
from parcelward.payments.models import Dispute, Finding, Intent, Notice, Refund
from parcelward.payments.providers.chosen import provider, provider_of
from parcelward.payments.providers.wire import BadNotice, DisputeSeen, RefundSeen, Refused, Unanswered
from parcelward.payments.wire import Intent as Seen
from parcelward.payments.wire import Purpose, Standing, Verb
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task

EVIDENCE_CHARS_MAX: Final = 20_000
MARK_MAX: Final = 100
FINDING_CLOSED: Final = "payments.finding_closed"

Bought, pay_from_balance = purchases.Bought, purchases.pay_from_balance
pay_many_from_balance = purchases.pay_many_from_balance
give_back_to_balance, give_back_to_card = purchases.give_back_to_balance, purchases.give_back_to_card
authorise_within, capture_within, void_within = (
    purchases.authorise_within,
    purchases.capture_within,
    purchases.void_within,
)
drive, go_on, drive_refund = intents.drive, intents.go_on, givebacks.drive_refund


def top_up(intent: UUID, amount_minor: int, currency: Currency, *, back_url: str, by: Person) -> Seen:
    """Begin to pay into one's own postage balance; return how it stands, with the address where the payer goes on.

    `intent` is the caller's id of it: sent again, it is the same payment. Raises IntentReused for another one under it,
    Invalid for an amount that cannot be paid in, NoProvider where nobody takes payments.
    """
    require(by, Task.PAY_IN)
    intent_rules.top_up_amount(amount_minor, currency)
    owner = queries.owner_of(by)
    wanted = {"owner": owner, "purpose": Purpose.TOP_UP.value, "amount_minor": amount_minor, "currency": currency}
    with transaction.atomic():
        now = timezone.now()
        row, new = Intent.objects.get_or_create(
            pk=intent,
            defaults={
                **wanted,
                "tax_minor": 0,
                "provider": provider().name,
                "state": Standing.CREATED.value,
                "verb": Verb.BEGIN.value,
                "back_url": back_url,
                "source": by.source,
                "created_at": now,
                "changed_at": now,
                "try_at": now + dt.timedelta(seconds=intent_rules.ANSWER_WITHIN_S),
            },
        )
        if any(getattr(row, name) != value for name, value in wanted.items()):
            raise IntentReused("This id stands for another payment: take a new one")
        if new:
            intents.record(row, by=by.source)
    intents.drive(intent)
    return queries.intent(intent, by=by)


def came_back(intent: UUID, *, by: Person) -> Seen:
    """Look how a payment stands, as when its payer comes back from the provider's page. Raises NotFound."""
    require(by, Task.READ_BALANCE)
    seen = queries.intent(intent, by=by)
    looked = Intent.objects.values_list("looked_at", flat=True).get(pk=intent)
    fresh = looked is not None and timezone.now() - looked < intent_rules.LOOK_AGAIN_AFTER
    if not fresh and (seen.asked or seen.standing in {Standing.WAITS, Standing.AUTHORISED}):
        intents.go_on(intent)
        Intent.objects.filter(pk=intent).update(looked_at=timezone.now())
    return queries.intent(intent, by=by)


def give_up(intent: UUID, *, by: Person) -> Seen:
    """Close the page of a payment that nobody wants to make any more. One that was made meanwhile stays made."""
    require(by, Task.PAY_IN)
    queries.intent(intent, by=by)
    with transaction.atomic():
        row = Intent.objects.select_for_update().get(pk=intent)
        if row.state == Standing.WAITS and not row.verb:
            row.verb, row.tries = Verb.VOID.value, 0
            row.changed_at = timezone.now()
            row.try_at = row.changed_at + dt.timedelta(seconds=intent_rules.ANSWER_WITHIN_S)
            row.save()
            intents.record(row, by=by.source)
    intents.drive(intent)
    return queries.intent(intent, by=by)


def refund(refund_id: UUID, intent: UUID, amount_minor: int, *, reason: Reason, by: Person) -> RefundSeen:
    """Give back a part of a captured payment, or all; return how the refund stands.

    All refunds together, those under way included, are no more than was captured, and what goes back of a balance is
    held first. Raises NotFound, NotRefundable, NotEnough, IntentReused.
    """
    require(by, Task.GIVE_BACK)
    queries.intent(intent, by=by)
    givebacks.ask_within(refund_id, intent, amount_minor, reason=reason, by=by)
    givebacks.drive_refund(refund_id)
    return RefundSeen(Refund.objects.values_list("state", flat=True).get(pk=refund_id))


def answer_dispute(reference: str, evidence: str, *, by: Person) -> DisputeSeen:
    """Send our answer to a dispute to the payer's bank; it can be sent once. Raises NotFound, Conflict, Busy.

    `evidence` says what was delivered, when and how that is proven: no names and no addresses, the bank has its own.
    """
    require(by, Task.ANSWER_DISPUTE)
    if not 0 < len(evidence) <= EVIDENCE_CHARS_MAX:
        raise Invalid("Evidence has 1 to 20,000 characters", code="bad_evidence")
    with transaction.atomic():
        row = Dispute.objects.select_related("intent").select_for_update(of=("self",)).filter(pk=reference).first()
        if row is None:
            raise NotFound("No such dispute")
        if row.state != DisputeSeen.NEEDS_EVIDENCE:
            raise Conflict("Evidence was sent before, or the bank has decided", code="dispute_answered")
        givebacks.record_dispute(row, by=by.source, evidence=evidence)
    key = f"{reference}-{hashlib.sha256(evidence.encode()).hexdigest()[:32]}"
    try:
        asked = provider_of(row.intent.provider)
        try:
            seen = asked.send_evidence(reference, evidence, key=key)
        except Refused:  # it was sent before, or the bank has decided meanwhile
            seen = asked.look_dispute(reference)
    except (Unanswered, Refused):
        raise Busy("The payment provider does not answer. Send it again: it is sent once", retry_after_s=10) from None
    givebacks.fold_dispute(row.intent_id, seen)
    return DisputeSeen(Dispute.objects.values_list("state", flat=True).get(pk=reference))


def take_notice(body: bytes, signature: str) -> None:
    """Keep that the provider told us of something; the worker looks. Told again, it is one. Raises Unsigned."""
    try:
        notice = provider().notice(body, signature)
    except BadNotice:
        raise Unsigned("The notice carries no signature of the payment provider, or an old one") from None
    now, name = timezone.now(), provider().name
    row = Notice(
        id=notice.id, provider=name, payment=notice.payment, dispute=notice.dispute, received_at=now, try_at=now
    )
    row.mark = notice.mark[:MARK_MAX]
    Notice.objects.bulk_create([row], ignore_conflicts=True)


def reconcile(since: dt.datetime, until: dt.datetime, *, by: Person) -> int:
    """Read the provider's report of some days against our ledger; return how many of its lines were new.

    Raises Busy where the provider does not answer: what was read stays, and the rest is read again.
    """
    require(by, Task.RECONCILE)
    try:
        return reconciling.reconcile(since, until)
    except Unanswered:
        raise Busy("The payment provider does not answer. Ask again in a while", retry_after_s=60) from None


@transaction.atomic
def close_finding(finding: int, *, by: Person) -> None:
    """Say that somebody looked at what differs. Doing it twice changes nothing. Raises NotFound."""
    require(by, Task.RECONCILE)
    row = Finding.objects.select_for_update().filter(pk=finding).first()
    if row is None:
        raise NotFound("No such finding")
    if row.closed_at is None:
        row.closed_at, row.closed_by = timezone.now(), by.source
        row.save(update_fields=["closed_at", "closed_by"])
        said = {"about": row.about, "by": by.source, "finding": finding, "what": row.kind}
        custody.record_fact(FINDING_CLOSED, said)
