"""A payment through a provider, on a real database and over real HTTP: asked once, lost, late, doubled, killed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from functools import partial
from typing import Any

import httpx
import pytest
from django.db import connections
from django.utils import timezone
from tests.at_once import at_once
from tests.laws.tampering import change, sequenced, undone
from tests.payments.provided import EUR, faults, pay, post, sender, signed, simulated, staff, told
from tests.scanner import until

from parcelward.base import config
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody.errors import EntryDiffers
from parcelward.doors.verification import verify_log
from parcelward.payments import actions, givebacks, intents, ledger, queries, reconciling, work
from parcelward.payments.errors import IntentReused, NotEnough, NotRefundable, Unsigned
from parcelward.payments.intent_rules import Reason
from parcelward.payments.models import Dispute, Finding, Intent, Movement, Notice, Refund
from parcelward.payments.providers import wire as providers
from parcelward.payments.providers.wire import DisputeSeen, Moved, RefundSeen
from parcelward.payments.wire import Account, Balance, Kind, Price, Standing, Verb
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role

pytestmark = pytest.mark.usefixtures("installation")
BACK = "http://localhost/back"


@pytest.fixture
def shop():
    return sender()


def begun(by, amount: int = 2_000) -> Any:
    return actions.top_up(uuid.uuid4(), amount, EUR, back_url=BACK, by=by)


def paid(by, amount: int = 2_000, card: str = "pm_card_visa") -> Any:
    """Pay in with the page, and come back."""
    seen = begun(by, amount)
    pay(seen.url, payment_method=card)
    return actions.came_back(seen.id, by=by)


def balance(by) -> Balance:
    return queries.balances(by=by).get(EUR, Balance(0))


def postings(about: uuid.UUID) -> int:
    with connections["default"].cursor() as cur:
        cur.execute("SELECT count(*) FROM payments_posting WHERE about = %s", (about,))
        return int(cur.fetchone()[0])


def due(model: Any, key: Any) -> None:
    """Let the worker's next round have this, as if its time had come.

    The installation's own worker may take it first, and be at it still: so it is done here as well, which is harmless.
    """
    model.objects.filter(pk=key).update(try_at=timezone.now())
    work.once()
    doing: dict[Any, Any] = {Intent: intents.go_on, Refund: givebacks.drive_refund, Dispute: givebacks.drive_dispute}
    doing[model](key)


def test_somebody_pays_into_their_balance(shop):
    seen = begun(shop)
    assert (seen.standing, seen.asked, seen.simulated) == (Standing.WAITS, Verb.NONE, True)
    assert seen.url.startswith("http")
    assert balance(shop) == Balance(0)
    pay(seen.url)
    back = actions.came_back(seen.id, by=shop)
    assert (back.standing, back.captured_minor, back.url) == (Standing.CAPTURED, 2_000, "")
    assert balance(shop) == Balance(2_000)
    (line,) = queries.statement(EUR, by=shop)
    assert (line.reason, line.amount_minor, line.balance_minor, line.about) == ("top_up", 2_000, 2_000, seen.id)


def test_coming_back_twice_and_all_at_once_pays_in_once(shop):
    seen = begun(shop)
    pay(seen.url)
    found = at_once(*[partial(actions.came_back, seen.id, by=shop)] * 6)
    assert {one.standing for one in found} <= {Standing.CAPTURED, Standing.AUTHORISED}
    actions.came_back(seen.id, by=shop)
    assert balance(shop) == Balance(2_000)
    assert postings(seen.id) == 1


def test_the_same_id_is_one_payment_and_another_under_it_is_refused(shop):
    intent = uuid.uuid4()
    found = at_once(*[partial(actions.top_up, intent, 2_000, EUR, back_url=BACK, by=shop)] * 6)
    assert len({one.url for one in found if one.url}) == 1
    for by, amount in ((shop, 2_001), (sender(), 2_000)):
        with pytest.raises(IntentReused):
            actions.top_up(intent, amount, EUR, back_url=BACK, by=by)


def test_a_lost_answer_is_asked_for_again_by_the_worker_under_the_same_key(shop):
    with faults(lost_after=1000):
        seen = begun(shop)
    assert (seen.standing, seen.asked) == (Standing.CREATED, Verb.BEGIN)
    due(Intent, seen.id)
    waits = queries.intent(seen.id, by=shop)
    assert waits.standing is Standing.WAITS
    pay(waits.url)
    with faults(lost_after=1000):
        actions.came_back(seen.id, by=shop)  # the look is lost
    due(Intent, seen.id)
    assert balance(shop) == Balance(2_000)


def test_a_capture_whose_answer_is_lost_is_taken_once(shop):
    seen = begun(shop)
    pay(seen.url)
    intents.look(seen.id)
    assert queries.intent(seen.id, by=shop).asked is Verb.CAPTURE
    with faults(lost_after=1000):
        intents.drive(seen.id)
    assert queries.intent(seen.id, by=shop).standing is Standing.AUTHORISED
    due(Intent, seen.id)
    assert (balance(shop), postings(seen.id)) == (Balance(2_000), 1)


def test_a_notice_is_enough_when_the_payer_never_comes_back(shop):
    seen = begun(shop)
    pay(seen.url)
    until(lambda: balance(shop) == Balance(2_000))


def test_without_any_notice_the_worker_looks(shop):
    with faults(lost=1000):
        seen = begun(shop)
        pay(seen.url)
        due(Intent, seen.id)
    assert balance(shop) == Balance(2_000)


def test_notices_that_come_twice_late_and_of_nothing_are_harmless(shop, installation):
    seen = paid(shop)
    reference = Intent.objects.values_list("reference", flat=True).get(pk=seen.id)
    stray = f"pi_{uuid.uuid4().hex}"
    for about in (reference, reference, stray):
        body = told(f"evt_{uuid.uuid4().hex}", object="payment_intent", id=about)
        actions.take_notice(body, signed(body))
        actions.take_notice(body, signed(body))
    until(lambda: not Notice.objects.filter(payment=reference, done_at=None).exists())
    assert (balance(shop), postings(seen.id)) == (Balance(2_000), 1)
    assert Notice.objects.get(payment=stray).done_at is None


def test_the_door_takes_what_the_provider_signed_and_nothing_else(installation):
    body = told(f"evt_{uuid.uuid4().hex}", object="payment_intent", id="pi_nothing")
    to = f"{installation.url}/payments/notices"
    assert httpx.post(to, content=body, headers={"Stripe-Signature": signed(body)}).status_code == 204
    refused = httpx.post(to, content=body, headers={"Stripe-Signature": signed(body, secret="another")})
    assert (refused.status_code, refused.json()["code"]) == (403, "unsigned_notice")
    assert httpx.get(to).status_code == 405
    assert httpx.post(to, content=b"x" * 300_000).status_code == 413
    with pytest.raises(Unsigned):
        actions.take_notice(body, "")


def test_a_declined_card_pays_nothing_in_and_the_page_stays_open(shop):
    seen = paid(shop, card="pm_card_chargeDeclined")
    assert (seen.standing, balance(shop)) == (Standing.WAITS, Balance(0))
    pay(seen.url)
    until(lambda: actions.came_back(seen.id, by=shop).standing is Standing.CAPTURED)  # one look a second


def test_a_payment_that_is_given_up_cannot_be_paid_and_one_that_was_paid_stays(shop):
    seen = begun(shop)
    assert actions.give_up(seen.id, by=shop).standing is Standing.VOIDED
    assert "no longer open" in pay(seen.url).text
    other = begun(shop)
    pay(other.url)
    assert actions.give_up(other.id, by=shop).standing in {Standing.VOIDED, Standing.CAPTURED}
    assert balance(shop).posted_minor in {0, 2_000}
    stands = queries.intent(other.id, by=shop)
    assert balance(shop).posted_minor == stands.captured_minor


@pytest.mark.parametrize("amount", [0, 99, 1_000_001, -5])
def test_an_amount_that_is_none_begins_nothing(shop, amount):
    intent = uuid.uuid4()
    with pytest.raises(Invalid):
        actions.top_up(intent, amount, EUR, back_url=BACK, by=shop)
    assert not Intent.objects.filter(pk=intent).exists()


# -- who may -----------------------------------------------------------------------------------------------------------


def test_nobody_sees_or_moves_another_senders_money(shop):
    seen = paid(shop)
    other = sender()
    for call in (queries.intent, actions.came_back, actions.give_up):
        with pytest.raises(NotFound):
            call(seen.id, by=other)
    assert queries.balances(by=other) == {}
    assert queries.statement(EUR, by=other) == ()
    assert seen.id not in {one.id for one in queries.intents(by=other)}
    assert queries.intent(seen.id, by=staff(Role.AUDITOR)).id == seen.id


def test_only_whose_role_says_so_pays_in_and_gives_back(shop):
    seen = paid(shop)
    for role in (Role.SENDER_MEMBER, Role.CLERK, Role.AUDITOR):
        with pytest.raises(MayNot):
            actions.top_up(uuid.uuid4(), 2_000, EUR, back_url=BACK, by=sender(role))
    for by in (shop, staff(Role.AUDITOR), staff(Role.CLERK)):
        with pytest.raises(MayNot):
            actions.refund(uuid.uuid4(), seen.id, 1, reason=Reason.UNUSED, by=by)
    with pytest.raises(MayNot):
        queries.balances(by=staff(Role.COURIER))
    with pytest.raises(MayNot):
        actions.answer_dispute("dp_x", "x", by=shop)


# -- refunds -----------------------------------------------------------------------------------------------------------


def refund(seen, amount, key=None):
    return actions.refund(key or uuid.uuid4(), seen.id, amount, reason=Reason.UNUSED, by=staff())


def test_a_refund_goes_back_once_and_never_more_than_was_paid(shop):
    seen = paid(shop)
    key = uuid.uuid4()
    for _ in range(2):
        assert refund(seen, 1_500, key) is RefundSeen.SUCCEEDED
    with pytest.raises(IntentReused):
        refund(seen, 1_400, key)
    with pytest.raises(NotRefundable):
        refund(seen, 501)
    assert refund(seen, 500) is RefundSeen.SUCCEEDED
    assert (balance(shop), queries.intent(seen.id, by=shop).refunded_minor) == (Balance(0), 2_000)
    with pytest.raises(NotRefundable):
        refund(seen, 1)


def test_refunds_at_once_are_together_no_more_than_was_paid(shop):
    seen = paid(shop)
    found = at_once(*[partial(refund, seen, 900)] * 5)
    assert sum(one is RefundSeen.SUCCEEDED for one in found) == 2
    assert sum(isinstance(one, NotRefundable) for one in found) == 3
    assert balance(shop) == Balance(200)


def test_what_is_spent_cannot_go_back(shop):
    seen = paid(shop)
    spend(shop, 1_999)
    with pytest.raises(NotEnough):
        refund(seen, 2)
    assert not Refund.objects.filter(intent=seen.id).exists()
    assert refund(seen, 1) is RefundSeen.SUCCEEDED


def spend(by, amount: int) -> None:
    from parcelward.payments import rules
    from parcelward.people import actions as people

    lines = rules.purchase_lines(Price(amount, 0, EUR), owner=by.organisation)
    ledger.post(uuid.uuid4(), lines, reason="purchase", by=people.machinery())


def test_a_refund_whose_answer_is_lost_holds_the_money_until_the_worker_knows(shop):
    seen, key = paid(shop), uuid.uuid4()
    with faults(lost_after=1000):
        assert refund(seen, 1_500, key) is RefundSeen.PENDING
    assert balance(shop) == Balance(2_000, 1_500)
    due(Refund, key)
    assert (balance(shop), Refund.objects.get(pk=key).state) == (Balance(500), RefundSeen.SUCCEEDED)


def test_a_refund_that_the_provider_refuses_gives_the_hold_back(shop):
    seen = paid(shop)
    reference = Intent.objects.values_list("reference", flat=True).get(pk=seen.id)
    simulated().refund(reference, 2_000, EUR, key=str(uuid.uuid4()))  # at the provider's own desk, behind our back
    assert refund(seen, 100) is RefundSeen.FAILED
    assert balance(shop) == Balance(2_000)


# -- disputes ----------------------------------------------------------------------------------------------------------


def disputed(by) -> Dispute:
    seen = paid(by, card="pm_card_createDispute")
    until(lambda: Dispute.objects.filter(intent=seen.id).exists())
    return Dispute.objects.get(intent=seen.id)


def test_of_a_disputed_top_up_what_is_left_is_held_until_the_bank_has_decided(shop):
    dispute = disputed(shop)
    until(lambda: balance(shop) == Balance(2_000, 2_000))
    with pytest.raises(NotEnough):
        spend(shop, 1)
    fold(dispute, DisputeSeen.WON)
    assert balance(shop) == Balance(2_000)


def test_a_lost_dispute_takes_what_was_held_and_the_rest_is_owed_until_something_is_paid_in(shop):
    with faults(lost=1000):  # the notice does not come before some of it is spent
        seen = paid(shop, card="pm_card_createDispute")
    spend(shop, 1_500)
    reference = next(one.source for one in report() if one.why is Moved.DISPUTE and one.amount_minor == -2_000)
    seen_there = simulated().look_dispute(reference)
    givebacks.fold_dispute(seen.id, seen_there)
    assert balance(shop) == Balance(500, 500)
    fold(Dispute.objects.get(pk=reference), DisputeSeen.LOST)
    owed = Account(Kind.OWED, EUR, shop.organisation)
    assert (balance(shop), ledger.balance(owed).posted_minor) == (Balance(0), 1_500)
    paid(shop, 1_800)
    assert (balance(shop), ledger.balance(owed).posted_minor) == (Balance(300), 0)


def report():
    now = timezone.now()
    return simulated().report(now - dt.timedelta(minutes=2), now + dt.timedelta(minutes=2))


def fold(dispute: Dispute, seen: DisputeSeen) -> None:
    told = simulated().look_dispute(dispute.reference)
    givebacks.fold_dispute(dispute.intent_id, dataclasses.replace(told, seen=seen))


def test_a_disputes_state_never_goes_back_and_the_worker_looks_without_a_notice(shop):
    dispute = disputed(shop)
    actions.answer_dispute(dispute.reference, "Delivered", by=staff())
    fold(dispute, DisputeSeen.NEEDS_EVIDENCE)
    dispute.refresh_from_db()
    assert dispute.state == DisputeSeen.UNDER_REVIEW
    assert dispute.try_at is not None
    fold(dispute, DisputeSeen.LOST)
    due(Dispute, dispute.reference)
    dispute.refresh_from_db()
    assert (str(dispute.state), dispute.try_at is None) == (DisputeSeen.LOST.value, True)


def test_an_inquiry_moves_no_money_and_can_be_ended_by_a_refund(shop):
    seen = paid(shop)
    before = postings(seen.id)
    reference = f"dp_{uuid.uuid4().hex}"
    asked = providers.Dispute(reference, "pi_x", DisputeSeen.INQUIRY, 2_000, EUR, "general", None)
    givebacks.fold_dispute(seen.id, asked)
    assert (postings(seen.id), balance(shop)) == (before, Balance(2_000))
    assert refund(seen, 2_000) is RefundSeen.SUCCEEDED
    givebacks.fold_dispute(seen.id, dataclasses.replace(asked, seen=DisputeSeen.WITHDRAWN))
    assert balance(shop) == Balance(0)


def test_a_dispute_is_heard_answered_once_and_nothing_is_refunded_meanwhile(shop):
    dispute = disputed(shop)
    assert (dispute.state, dispute.amount_minor) == (DisputeSeen.NEEDS_EVIDENCE, 2_000)
    with pytest.raises(NotRefundable):
        refund(queries.intent(dispute.intent_id, by=shop), 1)
    assert actions.answer_dispute(dispute.reference, "Delivered", by=staff()) is DisputeSeen.UNDER_REVIEW
    with pytest.raises(Conflict, match="Evidence was sent"):
        actions.answer_dispute(dispute.reference, "Delivered", by=staff())


# -- verify-log --------------------------------------------------------------------------------------------------------


def found() -> str:
    with pytest.raises(EntryDiffers) as caught:
        verify_log(config.get())
    return " ".join([str(caught.value), *(str(one) for one in getattr(caught.value, "findings", ()))])


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE payments_intent SET owner = gen_random_uuid() WHERE id = %s",
        "UPDATE payments_intent SET refunded_minor = 0 WHERE id = %s",
        "UPDATE payments_intent SET state = 'voided' WHERE id = %s",
        "UPDATE payments_refund SET amount_minor = 1 WHERE intent_id = %s",
        "DELETE FROM payments_refund WHERE intent_id = %s",
    ],
)
def test_whoever_changes_a_payment_in_the_database_is_found(shop, tampering):
    seen = paid(shop)
    refund(seen, 500)
    sequenced()
    with undone():
        change(tampering, seen.id)
        assert "as it was recorded" in (words := found()) or "is gone" in words
    verify_log(config.get())


# -- what the provider forgets, and what happens behind our back -------------------------------------------------------


def test_a_refund_that_happened_is_not_given_again_when_its_key_is_forgotten(shop):
    seen, key = paid(shop), uuid.uuid4()
    with faults(lost_after=1000):
        assert refund(seen, 1_000, key) is RefundSeen.PENDING
    reference = Intent.objects.values_list("reference", flat=True).get(pk=seen.id)
    assert simulated().look(reference).refunded_minor == 1_000
    post("/v1/simulated/forget", {})  # as a provider does after a day
    due(Refund, key)
    assert simulated().look(reference).refunded_minor == 1_000
    assert (balance(shop), Refund.objects.get(pk=key).state) == (Balance(1_000), RefundSeen.SUCCEEDED)


def test_a_capture_that_happened_is_seen_before_it_is_asked_for_again(shop):
    seen = begun(shop)
    pay(seen.url)
    intents.look(seen.id)
    with faults(lost_after=1000):
        intents.drive(seen.id)
    post("/v1/simulated/forget", {})
    due(Intent, seen.id)
    assert (balance(shop), postings(seen.id)) == (Balance(2_000), 1)


def test_what_goes_back_at_the_providers_own_desk_is_a_finding(shop):
    seen = paid(shop)
    reference = Intent.objects.values_list("reference", flat=True).get(pk=seen.id)
    simulated().refund(reference, 700, EUR, key=str(uuid.uuid4()))
    intents.look(seen.id)
    found = Finding.objects.get(kind="elsewhere", about=str(seen.id))
    assert (found.ours_minor, found.theirs_minor) == (0, 700)


def test_a_page_that_nobody_opened_is_not_begun_a_day_later(shop):
    with faults(lost_before=1000):
        seen = begun(shop)
    with undone():
        Intent.objects.filter(pk=seen.id).update(created_at=timezone.now() - dt.timedelta(hours=21))
        intents.drive(seen.id)
        assert Intent.objects.get(pk=seen.id).state == Standing.VOIDED


def test_the_report_posts_fees_once_and_names_what_differs(shop, monkeypatch):
    monkeypatch.setattr(reconciling, "LATE", -dt.timedelta(minutes=5))
    seen = paid(shop, 7_301)
    stray = simulated().begin(providers.Wanted(123, EUR, "x", BACK, BACK, "x", "pm_card_visa"), key=str(uuid.uuid4()))
    simulated().capture(stray.reference, 123, EUR, key=str(uuid.uuid4()))
    row = Intent.objects.get(pk=seen.id)
    since, until = timezone.now() - dt.timedelta(minutes=2), timezone.now() + dt.timedelta(minutes=2)
    assert actions.reconcile(since, until, by=staff()) >= 2
    actions.reconcile(since, until, by=staff())  # read again, it posts nothing twice
    fee = Movement.objects.get(of=row.charge).fee_minor
    assert fee > 0
    with connections["default"].cursor() as cur:
        cur.execute(
            "SELECT count(*), max(l.amount_minor) FROM payments_line l JOIN payments_posting p ON p.id = l.posting_id "
            "WHERE p.about = %s AND p.reason = 'provider_report'",
            (seen.id,),
        )
        assert cur.fetchone() == (2, fee)
    assert Movement.objects.get(of=row.charge).intent_id == seen.id
    strange = Movement.objects.exclude(intent=seen.id).filter(amount_minor=123).latest("moved_at")
    finding = Finding.objects.get(kind="unknown", about=strange.reference)
    actions.close_finding(finding.id, by=staff())
    with pytest.raises(MayNot):
        actions.reconcile(since, until, by=shop)


def test_one_piece_that_fails_keeps_no_other_from_being_done(shop, monkeypatch):
    bad, good = begun(shop), begun(shop)
    pay(good.url)
    whole = intents.go_on
    monkeypatch.setattr(intents, "go_on", lambda one: 1 // 0 if one == bad.id else whole(one))
    now = timezone.now()
    Intent.objects.filter(pk=bad.id).update(try_at=now - dt.timedelta(seconds=2))
    Intent.objects.filter(pk=good.id).update(try_at=now - dt.timedelta(seconds=1))
    work.once()
    until(lambda: balance(shop) == Balance(2_000))
