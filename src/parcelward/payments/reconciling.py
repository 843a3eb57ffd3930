"""Hold a provider's report against what we posted: its fees are posted, and what differs is a finding for a person.

Each line of the report is kept once, by the provider's id of it, so that a report may be read again, or in part.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from parcelward.payments import intents, ledger, rules
from parcelward.payments.models import Dispute, Intent, Movement, Refund
from parcelward.payments.providers import wire as providers
from parcelward.payments.providers.chosen import provider
from parcelward.payments.providers.wire import Moved
from parcelward.payments.rules import Lines
from parcelward.payments.wire import Differs, Standing
from parcelward.people import actions as people

AT_ONCE: Final = 200
_THEIR_OWN: Final = frozenset({Moved.PAYOUT, Moved.PAYOUT_BACK, Moved.FEE})  # nothing of a payment of ours
LATE: Final = dt.timedelta(hours=6)  # a report need not have what happened since
POSTINGS: Final = UUID("8d0f5d0e-6f1b-5c50-9d0c-2b8a7a0c5f11")  # the namespace of postings that a report makes


class _Ours(NamedTuple):
    """What we know of a line."""

    intent: UUID | None = None
    amount_minor: int | None = None  # what it should have moved; None: we know nothing of it
    currency: str = ""


def reconcile(since: dt.datetime, until: dt.datetime) -> int:
    """Read the report of some days, and note what differs; return how many of its lines were new."""
    new = 0
    until = min(until, timezone.now() - LATE)  # what is newer may be on its way to us
    lines = provider().report(since, until)
    while some := list(islice(lines, AT_ONCE)):
        new += _keep(some)
    for row in _missing(since + LATE, until - LATE):
        intents.note(Differs.MISSING, str(row.id), row.captured_minor, 0, row.currency)
    return new


@transaction.atomic
def _keep(lines: Iterable[providers.Movement]) -> int:
    """Keep lines that are new, with the posting that each makes."""
    new = 0
    for line in lines:
        ours = _ours(line)
        values = {
            "provider": provider().name,
            "why": line.why.value,
            "of": line.source,
            "amount_minor": line.amount_minor,
            "fee_minor": line.fee_minor,
            "currency": line.currency,
            "moved_at": line.at,
            "intent_id": ours.intent,
        }
        if not Movement.objects.get_or_create(reference=line.reference, defaults=values)[1]:
            continue
        new += 1
        if posted := _lines(line):
            posting, house = uuid5(POSTINGS, line.reference), people.machinery()
            ledger.post(posting, posted, reason="provider_report", about=ours.intent, by=house)
        if line.why in _THEIR_OWN:
            continue
        if ours.amount_minor is None:
            intents.note(Differs.UNKNOWN, line.reference, 0, line.amount_minor, line.currency)
        elif (ours.amount_minor, ours.currency) != (line.amount_minor, line.currency):
            intents.note(Differs.AMOUNT, line.reference, ours.amount_minor, line.amount_minor, line.currency)
    return new


def _lines(line: providers.Movement) -> Lines:
    """Return what a line of a report moves by itself: the provider's fee, and what it paid out to the bank."""
    if line.why in {Moved.PAYOUT, Moved.PAYOUT_BACK}:
        return rules.paid_out_lines(-line.amount_minor, line.fee_minor, line.currency)
    own = -line.amount_minor if line.why is Moved.FEE else 0
    return rules.provider_fee_lines(own + line.fee_minor, line.currency)


def _ours(line: providers.Movement) -> _Ours:
    """Return what we know of a line: of which payment it is, and what it should have moved."""
    if line.why is Moved.CAPTURE:
        row = Intent.objects.filter(charge=line.source).exclude(charge="").first()
        return _Ours() if row is None else _Ours(row.id, row.captured_minor, row.currency)
    if line.why is Moved.REFUND:
        found = Refund.objects.select_related("intent").filter(reference=line.source).exclude(reference="").first()
        return _Ours() if found is None else _Ours(found.intent_id, -found.amount_minor, found.intent.currency)
    dispute = Dispute.objects.select_related("intent").filter(reference=line.source).first()
    if dispute is None:
        return _Ours()
    amount = dispute.amount_minor if line.why is Moved.DISPUTE_WON else -dispute.amount_minor
    return _Ours(dispute.intent_id, amount, dispute.intent.currency)


def _missing(since: dt.datetime, until: dt.datetime) -> Iterator[Intent]:
    """Give payments that we took for captured and that the report of that time does not have."""
    told = Movement.objects.filter(why=Moved.CAPTURE.value).values("of")
    captured = Intent.objects.filter(
        provider=provider().name, state=Standing.CAPTURED.value, changed_at__gte=since, changed_at__lt=until
    )
    yield from captured.exclude(charge__in=told)
