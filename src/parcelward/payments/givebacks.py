"""Refunds and disputes, driven on like payments: noted first, asked outside any transaction, folded in under a lock."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from parcelward.base.errors import Invalid
from parcelward.base.standards.money import Currency
from parcelward.custody import actions as custody
from parcelward.payments import intent_rules, intents, ledger, rules
from parcelward.payments.errors import IntentReused, NotRefundable
from parcelward.payments.intent_check import DISPUTE, REFUND
from parcelward.payments.intent_rules import Reason, posting_id
from parcelward.payments.models import Dispute, Intent, Refund
from parcelward.payments.providers import wire as providers
from parcelward.payments.providers.chosen import provider_of
from parcelward.payments.providers.wire import DisputeSeen, RefundSeen, Refused, Unanswered
from parcelward.payments.wire import Account, Kind, Purpose, Standing
from parcelward.people import actions as people
from parcelward.people.wire import Person

REFUNDABLE_IN: Final = (DisputeSeen.INQUIRY.value, DisputeSeen.WITHDRAWN.value, DisputeSeen.WON.value)
"""States of a dispute in which the money is with us: a refund may even end an inquiry."""


@transaction.atomic
def ask_within(refund_id: UUID, intent: UUID, amount_minor: int, *, reason: Reason, by: Person) -> None:
    """Note that a part of a payment is to go back; `drive_refund` asks for it. The same refund again changes nothing.

    The caller has asked who may. Raises NotRefundable, NotEnough, IntentReused.
    """
    row = Intent.objects.select_for_update().get(pk=intent)
    known = Refund.objects.filter(pk=refund_id).first()
    if known is None:
        _require_refundable(row, amount_minor)
        now = timezone.now()
        known = Refund.objects.create(
            id=refund_id,
            intent=row,
            amount_minor=amount_minor,
            state=RefundSeen.PENDING.value,
            reason=reason.value,
            reference="",
            source=by.source,
            created_at=now,
            try_at=now + dt.timedelta(seconds=intent_rules.ANSWER_WITHIN_S),
        )
        hold_refund(row, known)
        record_refund(known, by=by.source)
    elif (known.intent_id, known.amount_minor, known.reason) != (intent, amount_minor, reason.value):
        raise IntentReused("This id stands for another refund: take a new one")


def _require_refundable(row: Intent, amount_minor: int) -> None:
    if amount_minor <= 0:
        raise Invalid("A refund is of more than nothing", code="bad_amount")
    if row.state != Standing.CAPTURED:
        raise NotRefundable("Nothing was taken of this payment, so nothing can go back")
    if Dispute.objects.filter(intent=row).exclude(state__in=REFUNDABLE_IN).exists():
        raise NotRefundable("The payer's bank has taken this back, or is deciding on it: answer the dispute instead")
    asked = Refund.objects.filter(~Q(state=RefundSeen.FAILED.value), intent=row).aggregate(sum=Sum("amount_minor"))
    if amount_minor > row.captured_minor - (asked["sum"] or 0):
        raise NotRefundable("With this, more would go back than was paid")


def drive_refund(refund: UUID) -> None:
    """Ask the provider for a refund that is not ended, and fold its answer in."""
    row = Refund.objects.select_related("intent").get(pk=refund)
    if row.state != RefundSeen.PENDING:
        return
    try:
        answer = _ask(row)
    except Unanswered:
        later = intent_rules.again_at(timezone.now(), row.tries, waits=False)
        Refund.objects.filter(pk=refund).exclude(try_at=None).update(try_at=later, tries=row.tries + 1)
        return
    fold_refund(refund, answer)


def _ask(row: Refund) -> providers.Refund:
    """Ask for a refund, or how it is. Raises Unanswered.

    What was asked before is looked for first: it may have happened, and a key that is forgotten would do it again.
    """
    asked, currency, key = provider_of(row.intent.provider), Currency(row.intent.currency), str(row.id)
    try:
        if row.reference:
            return asked.look_refund(row.reference, currency)
        Refund.objects.filter(pk=row.pk).update(tries=row.tries + 1)  # or who dies now would look as if it never asked
        done = asked.find_refund(row.intent.reference, currency, key=key) if row.tries else None
        return done or asked.refund(row.intent.reference, row.amount_minor, currency, key=key)
    except Refused:
        return providers.Refund("", RefundSeen.FAILED, row.amount_minor)


@transaction.atomic
def fold_refund(refund: UUID, answer: providers.Refund) -> None:
    """Note how a refund ended, and post it. Said again, it changes nothing."""
    intent = Intent.objects.select_for_update().get(pk=Refund.objects.values_list("intent_id").filter(pk=refund)[:1])
    row = Refund.objects.select_for_update().get(pk=refund)
    if row.state != RefundSeen.PENDING:
        return
    now, known = timezone.now(), row.reference
    row.reference, row.state = answer.reference or row.reference, answer.seen.value
    if answer.seen is RefundSeen.PENDING:
        row.tries += 1
        row.try_at = intent_rules.again_at(now, row.tries, waits=False)
        row.save()
        if answer.reference != known:
            record_refund(row)
        return
    row.ended_at, row.try_at = now, None
    row.save()
    _post_refund(intent, row, given=answer.seen is RefundSeen.SUCCEEDED)
    if answer.seen is RefundSeen.SUCCEEDED:
        intent.refunded_minor += row.amount_minor
        intent.changed_at = now
        intent.save(update_fields=["refunded_minor", "changed_at"])
        intents.record(intent)
    record_refund(row)


def hold_refund(intent: Intent, row: Refund) -> None:
    """Hold what a refund will take out of its owner's balance, so that it is not spent meanwhile. Raises NotEnough."""
    if intent.purpose == Purpose.TOP_UP:
        lines = rules.paid_back_lines(row.amount_minor, Currency(intent.currency), owner=intent.owner)
        ledger.hold(posting_id(row.id, "hold"), lines, reason="refund", about=intent.id, by=people.machinery())


def _post_refund(intent: Intent, row: Refund, *, given: bool) -> None:
    house = people.machinery()
    if intent.purpose != Purpose.TOP_UP:
        if given:
            paid = intent_rules.part_of(intents.price_of(intent), intent.captured_minor)
            lines = rules.refund_lines(paid, row.amount_minor, refunded_minor=intent.refunded_minor)
            about = intent.about or intent.id
            ledger.post(posting_id(row.id, "refund"), lines, reason="refund", about=about, by=house)
    elif given:
        ledger.settle(posting_id(row.id, "refund"), posting_id(row.id, "hold"), by=house)
    else:
        ledger.void(posting_id(row.id, "void"), posting_id(row.id, "hold"), by=house)


def record_refund(row: Refund, *, by: int | None = None) -> None:
    """Make the entry of what a refund is now."""
    said = {
        "amount_minor": row.amount_minor,
        "by": by,
        "intent": str(row.intent_id),
        "reason": row.reason,
        "reference": row.reference,
        "refund": str(row.id),
        "state": row.state,
    }
    custody.record_fact(REFUND, said)


@transaction.atomic
def fold_dispute(intent_id: UUID, seen: providers.Dispute) -> None:
    """Note how a dispute is, and post what it takes or gives back. Said again, or late, it changes nothing."""
    intent = Intent.objects.select_for_update().get(pk=intent_id)
    now = timezone.now()
    row = Dispute.objects.select_for_update().filter(pk=seen.reference).first()
    if row is None:
        row = Dispute(reference=seen.reference, intent=intent, amount_minor=seen.amount_minor, opened_at=now)
        row.reason, row.evidence_by = seen.reason[:40], seen.evidence_by
    elif _RANK[seen.seen] <= _RANK[DisputeSeen(row.state)]:
        row.tries += 1
        row.try_at = None if row.state in ENDED else intent_rules.again_at(now, row.tries, waits=True)
        row.save(update_fields=["tries", "try_at"])
        return
    before, row.state, row.changed_at = row.state, seen.seen.value, now
    row.try_at = None if row.state in ENDED else intent_rules.again_at(now, row.tries, waits=True)
    _post_dispute(intent, row, opened=before not in _REAL)
    row.save()
    record_dispute(row)


_RANK: Final = {
    DisputeSeen.INQUIRY: 0,
    DisputeSeen.NEEDS_EVIDENCE: 1,
    DisputeSeen.UNDER_REVIEW: 2,
    DisputeSeen.WITHDRAWN: 3,
    DisputeSeen.WON: 3,
    DisputeSeen.LOST: 3,
}
"""A state never goes back, and the last ones end it."""
ENDED: Final = frozenset({DisputeSeen.WITHDRAWN.value, DisputeSeen.WON.value, DisputeSeen.LOST.value})
_REAL: Final = frozenset({DisputeSeen.NEEDS_EVIDENCE.value, DisputeSeen.UNDER_REVIEW.value})
_MOVED: Final = _REAL | {DisputeSeen.WON.value, DisputeSeen.LOST.value}
"""States in which the bank has taken money back; an inquiry takes none."""


def _post_dispute(intent: Intent, row: Dispute, *, opened: bool) -> None:
    """Post what a dispute takes, and what its end gives back. Its fee is in the provider's report.

    Of a top-up, what is still in the balance is held until the bank has decided: or it would be spent meanwhile.
    """
    if row.state not in _MOVED:
        return
    house, about, currency = people.machinery(), intent.about or intent.id, Currency(intent.currency)
    owner = intent.owner if intent.purpose == Purpose.TOP_UP else None
    held = _posting(intent, row, "hold")
    if opened:
        lines = rules.dispute_lines(row.amount_minor, 0, currency)
        ledger.post(_posting(intent, row, "opened"), lines, reason="dispute", about=about, by=house)
        if owner is not None:
            left = ledger.balance(Account(Kind.POSTAGE_BALANCE, currency, owner)).available_minor
            row.held_minor = min(row.amount_minor, left)
        if row.held_minor and owner is not None:
            taken = rules.dispute_taken_lines(row.held_minor, currency, owner=owner)
            ledger.hold(held, taken, reason="chargeback", about=about, by=house)
    if row.state == DisputeSeen.WON:
        lines = rules.dispute_won_lines(row.amount_minor, currency)
        ledger.post(_posting(intent, row, "ended"), lines, reason="dispute_won", about=about, by=house)
        if row.held_minor:
            ledger.void(_posting(intent, row, "void"), held, by=house)
    elif row.state == DisputeSeen.LOST:
        if row.held_minor:
            ledger.settle(_posting(intent, row, "taken"), held, by=house)
        if rest := row.amount_minor - row.held_minor:
            lines = rules.dispute_lost_lines(rest, currency, owner=owner)
            ledger.post(_posting(intent, row, "ended"), lines, reason="chargeback", about=about, by=house)


def drive_dispute(reference: str) -> None:
    """Look how a dispute is, should no notice come."""
    row = Dispute.objects.select_related("intent").get(pk=reference)
    try:
        fold_dispute(row.intent_id, provider_of(row.intent.provider).look_dispute(reference))
    except (Unanswered, Refused):
        later = intent_rules.again_at(timezone.now(), row.tries, waits=True)
        Dispute.objects.filter(pk=reference).exclude(try_at=None).update(try_at=later, tries=row.tries + 1)


def _posting(intent: Intent, row: Dispute, what: str) -> UUID:
    return posting_id(intent.id, f"dispute {row.reference} {what}")


def record_dispute(row: Dispute, *, by: int | None = None, evidence: str = "") -> None:
    """Make the entry of what a dispute is now; of evidence that is sent, its hash: the words may name somebody."""
    said: dict[str, Any] = {
        "evidence_sha256": hashlib.sha256(evidence.encode()).hexdigest() if evidence else None,
        "amount_minor": row.amount_minor,
        "by": by,
        "dispute": row.reference,
        "intent": str(row.intent_id),
        "reason": row.reason,
        "state": row.state,
    }
    custody.record_fact(DISPUTE, said)
