"""Refunds and disputes, driven on like payments: noted first, asked outside any transaction, folded in under a lock."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.standards.money import Currency
from parcelward.custody import actions as custody
from parcelward.payments import intent_rules, intents, ledger, rules
from parcelward.payments.intent_check import DISPUTE, REFUND
from parcelward.payments.intent_rules import posting_id
from parcelward.payments.models import Dispute, Intent, Refund
from parcelward.payments.providers import wire as providers
from parcelward.payments.providers.chosen import provider
from parcelward.payments.providers.wire import DisputeSeen, RefundSeen, Refused, Unanswered
from parcelward.payments.wire import Account, Kind, Purpose
from parcelward.people import actions as people


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
    except Refused:
        answer = providers.Refund("", RefundSeen.FAILED, row.amount_minor)
    fold_refund(refund, answer)


def _ask(row: Refund) -> providers.Refund:
    if row.reference:  # the provider has it, and has not ended it: to ask again would be answered as the first time
        return provider().look_refund(row.reference, Currency(row.intent.currency))
    return provider().refund(row.intent.reference, row.amount_minor, Currency(row.intent.currency), key=str(row.id))


@transaction.atomic
def fold_refund(refund: UUID, answer: providers.Refund) -> None:
    """Note how a refund ended, and post it. Said again, it changes nothing."""
    intent = Intent.objects.select_for_update().get(pk=Refund.objects.values_list("intent_id").filter(pk=refund)[:1])
    row = Refund.objects.select_for_update().get(pk=refund)
    if row.state != RefundSeen.PENDING:
        return
    now = timezone.now()
    row.reference, row.state = answer.reference or row.reference, answer.seen.value
    if answer.seen is RefundSeen.PENDING:
        row.tries += 1
        row.try_at = intent_rules.again_at(now, row.tries, waits=False)
        row.save()
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
    now, house = timezone.now(), people.machinery()
    row = Dispute.objects.select_for_update().filter(pk=seen.reference).first()
    ended = {DisputeSeen.WON.value, DisputeSeen.LOST.value}
    if row is not None and (row.state == seen.seen or row.state in ended):
        return
    about, currency = intent.about or intent.id, Currency(intent.currency)
    if row is None:
        row = Dispute(reference=seen.reference, intent=intent, amount_minor=seen.amount_minor, opened_at=now)
        row.reason, row.evidence_by = seen.reason[:40], seen.evidence_by
        lines = rules.dispute_lines(seen.amount_minor, 0, currency)  # its fee is in the provider's report
        ledger.post(_posting(intent, seen, "opened"), lines, reason="dispute", about=about, by=house)
    row.state, row.changed_at = seen.seen.value, now
    row.save()
    if seen.seen is DisputeSeen.WON:
        lines = rules.dispute_won_lines(row.amount_minor, currency)
        ledger.post(_posting(intent, seen, "ended"), lines, reason="dispute_won", about=about, by=house)
    elif seen.seen is DisputeSeen.LOST:
        owner = intent.owner if intent.purpose == Purpose.TOP_UP else None
        left = 0 if owner is None else ledger.balance(Account(Kind.POSTAGE_BALANCE, currency, owner)).available_minor
        lines = rules.dispute_lost_lines(row.amount_minor, currency, owner=owner, available_minor=left)
        ledger.post(_posting(intent, seen, "ended"), lines, reason="chargeback", about=about, by=house)
    record_dispute(row)


def _posting(intent: Intent, seen: providers.Dispute, what: str) -> UUID:
    return posting_id(intent.id, f"dispute {seen.reference} {what}")


def record_dispute(row: Dispute, *, by: int | None = None) -> None:
    """Make the entry of what a dispute is now."""
    said: dict[str, Any] = {
        "amount_minor": row.amount_minor,
        "by": by,
        "dispute": row.reference,
        "intent": str(row.intent_id),
        "reason": row.reason,
        "state": row.state,
    }
    custody.record_fact(DISPUTE, said)
