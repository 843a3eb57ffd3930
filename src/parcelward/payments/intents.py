"""Payments through a provider, driven on: noted, then asked outside any transaction, then folded in under a lock.

Whoever dies on the way leaves a row that says what was being asked; the worker asks again with the same idempotency
key, so nothing happens twice. Every change is an entry in the log, and a capture is posted in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from parcelward.base.standards.money import Currency
from parcelward.custody import actions as custody
from parcelward.payments import intent_rules, ledger
from parcelward.payments.intent_check import INTENT
from parcelward.payments.intent_rules import Stood
from parcelward.payments.models import Finding, Intent, Refund
from parcelward.payments.providers.chosen import provider_of
from parcelward.payments.providers.wire import Payment, RefundSeen, Refused, Seen, Unanswered, Wanted
from parcelward.payments.wire import Account, Differs, Kind, Price, Purpose, Standing, Verb
from parcelward.people import actions as people

STEPS_MAX: Final = 3  # a top-up is begun, and captured as soon as it is authorised
PAGES: Final = "cs_"
WORDS: Final = {Purpose.TOP_UP: "Postage balance", Purpose.PURCHASE: "Postage"}


def go_on(intent: UUID) -> bool:
    """Ask what is to be asked of a payment, or else look how it is; return whether the provider answered."""
    row = Intent.objects.get(pk=intent)
    if not row.verb and not look(intent):
        return False
    drive(intent)
    return not Intent.objects.filter(pk=intent).exclude(verb="").exists()


def drive(intent: UUID) -> None:
    """Ask the provider what is to be asked of a payment, as far as it answers now.

    What was asked before without an answer is looked at first: it may have happened, and a key is forgotten some day.
    """
    for _ in range(STEPS_MAX):
        row = Intent.objects.get(pk=intent)
        if not row.verb:
            return
        known = row.reference or row.page
        if row.tries and known:
            if not look(intent):
                return
            row = Intent.objects.get(pk=intent)
            if not row.verb:
                continue
        Intent.objects.filter(pk=intent).update(tries=row.tries + 1)  # or who dies now would look as if it never asked
        try:
            payment = _ask(row)
        except Unanswered as lost:
            _later(row, lost.after_s)
            return
        except Refused:
            if known:
                look(intent)
                return
            payment = _not_begun(row)  # there is nothing to look at
        fold(intent, payment)


def look(intent: UUID) -> bool:
    """Look how a payment is, and fold that in; return whether the provider answered."""
    row = Intent.objects.get(pk=intent)
    try:
        fold(intent, provider_of(row.provider).look(row.reference or row.page))
    except Unanswered as lost:
        _later(row, lost.after_s)
        return False
    except Refused:  # it knows nothing of what it once named: not ours to guess
        _later(row, None)
        return False
    return True


def _ask(row: Intent) -> Payment:
    """Ask the provider of a payment for what is to be asked. Raises Unanswered and Refused."""
    asked, known = provider_of(row.provider), row.reference or row.page
    if row.verb == Verb.CAPTURE:
        return asked.capture(row.reference, row.verb_minor, Currency(row.currency), key=f"{row.id}-capture")
    if row.verb == Verb.VOID:
        return asked.void(known, key=f"{row.id}-void-{known}")
    if timezone.now() - row.created_at > intent_rules.BEGUN_WITHIN:
        return _not_begun(row)  # whoever wanted to pay has gone
    wanted = Wanted(
        row.amount_minor,
        Currency(row.currency),
        WORDS[Purpose(row.purpose)],
        back_url=row.back_url,
        cancel_url=row.back_url,
        mark=str(row.id),
        method=row.method,
    )
    return asked.begin(wanted, key=f"{row.id}-begin")


def _not_begun(row: Intent) -> Payment:
    return Payment("", Seen.VOIDED, row.amount_minor, Currency(row.currency))


def _later(row: Intent, after_s: int | None) -> None:
    now = timezone.now()
    at = intent_rules.again_at(now, row.tries, waits=not row.verb)
    if after_s is not None:
        at = max(at, now + dt.timedelta(seconds=after_s))
    Intent.objects.filter(pk=row.pk).exclude(try_at=None).update(try_at=at, tries=row.tries + 1)


@transaction.atomic
def fold(intent: UUID, payment: Payment) -> None:
    """Note what the provider says of a payment, and post what it moved. Said again, or late, it changes nothing."""
    row = Intent.objects.select_for_update().get(pk=intent)
    stood = Stood(Standing(row.state), Verb(row.verb), row.captured_minor, row.refunded_minor)
    new = intent_rules.after(stood, payment)
    _note_refunded_elsewhere(row, payment)
    before = said(row)
    if payment.reference.startswith(PAGES):
        row.page = row.page or payment.reference
    elif payment.reference:
        row.reference = payment.reference
    row.charge = payment.charge or row.charge
    row.state, row.verb, row.captured_minor = new.standing.value, new.verb.value, new.captured_minor
    row.url = payment.url if new.standing is Standing.WAITS else ""
    row.decline_code = payment.decline_code or row.decline_code
    if payment.card is not None:
        row.card, row.card_country = payment.card.fingerprint, payment.card.country
        row.authenticated = payment.card.authenticated
    if new.standing is Standing.AUTHORISED and row.purpose == Purpose.TOP_UP and not row.verb:
        row.verb, row.verb_minor = Verb.CAPTURE.value, row.amount_minor  # a top-up waits for no decision
    now = timezone.now()
    over = new.standing in intent_rules.ENDED and not row.verb
    if said(row) != before:
        row.changed_at, row.tries = now, 0
    row.try_at = None if over else intent_rules.again_at(now, row.tries, waits=not row.verb)
    row.save()
    if said(row) == before:
        return
    if new.standing is Standing.CAPTURED and stood.standing is not Standing.CAPTURED:
        _post_capture(row)
    record(row)


def _note_refunded_elsewhere(row: Intent, payment: Payment) -> None:
    """Note for a person that more went back than we gave: at the provider's own desk, for one."""
    asked = Refund.objects.filter(intent=row).exclude(state=RefundSeen.FAILED.value).aggregate(sum=Sum("amount_minor"))
    ours = asked["sum"] or 0
    if payment.refunded_minor > ours:
        note(Differs.ELSEWHERE, str(row.id), ours, payment.refunded_minor, row.currency)


def note(kind: Differs, about: str, ours: int, theirs: int, currency: str) -> None:
    """Note what differs between us and a provider, once; nothing is mended until somebody has looked."""
    values = {"ours_minor": ours, "theirs_minor": theirs, "currency": currency, "found_at": timezone.now()}
    Finding.objects.get_or_create(kind=kind.value, about=about, defaults=values)


def _post_capture(row: Intent) -> None:
    purpose = Purpose(row.purpose)
    owed = ledger.balance(Account(Kind.OWED, Currency(row.currency), row.owner)).posted_minor
    lines = intent_rules.captured_lines(purpose, price_of(row), row.captured_minor, owner=row.owner, owed_minor=owed)
    posting = intent_rules.posting_id(row.id, "capture")
    ledger.post(posting, lines, reason=purpose.value, about=row.about or row.id, by=people.machinery())


def price_of(row: Intent) -> Price:
    """Return what is paid, whole."""
    return Price(row.amount_minor, row.tax_minor, Currency(row.currency))


def said(row: Intent) -> dict[str, Any]:
    """Return what an entry says of a payment."""
    return {
        "about": None if row.about is None else str(row.about),
        "amount_minor": row.amount_minor,
        "captured_minor": row.captured_minor,
        "currency": row.currency,
        "intent": str(row.id),
        "owner": str(row.owner),
        "purpose": row.purpose,
        "reference": row.reference or row.page,
        "refunded_minor": row.refunded_minor,
        "state": row.state,
        "tax_minor": row.tax_minor,
        "verb": row.verb,
    }


def record(row: Intent, *, by: int | None = None) -> None:
    """Make the entry of what a payment is now. `by` is who asked; None where the provider said so."""
    custody.record_fact(INTENT, said(row) | {"by": by})
