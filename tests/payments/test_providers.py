"""One contract for every provider, kept by Stripe's own SDK over real HTTP, and the strictness of the simulated one.

With PARCELWARD_TEST_STRIPE_KEY, a key of Stripe's test mode, the same contract is asked of Stripe itself.
"""

from __future__ import annotations

import datetime as dt
import os
import time
import uuid
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from tests.at_once import at_once
from tests.payments.provided import EUR, faults, pay, signed, simulated, told, url

from parcelward.base.standards import money
from parcelward.payments.providers.by_stripe import Stripe
from parcelward.payments.providers.wire import (
    BadNotice,
    DisputeSeen,
    Moved,
    Notice,
    Payment,
    Provider,
    RefundSeen,
    Refused,
    Seen,
    Unanswered,
    Wanted,
)

pytestmark = pytest.mark.usefixtures("installation")
STRIPE_KEY = os.environ.get("PARCELWARD_TEST_STRIPE_KEY", "")


@pytest.fixture(params=["simulated", "stripe"] if STRIPE_KEY else ["simulated"])
def provider(request, installation) -> Provider:
    return simulated() if request.param == "simulated" else Stripe(STRIPE_KEY, webhook_secret="whsec_unused")


def key() -> str:
    return str(uuid.uuid4())


def wanted(method: str = "pm_card_visa", amount: int = 1_000, currency: str = "EUR") -> Wanted:
    back = "http://localhost/back"
    return Wanted(amount, money.currency(currency), "Postage", back, back, mark=key(), method=method)


def captured(provider: Provider, amount: int = 1_000) -> Payment:
    payment = provider.begin(wanted(amount=amount), key=key())
    return provider.capture(payment.reference, amount, EUR, key=key())


# -- the contract ------------------------------------------------------------------------------------------------------


def test_a_payment_is_authorised_and_then_captured(provider):
    payment = provider.begin(wanted(), key=key())
    assert (payment.seen, payment.captured_minor, payment.amount_minor) == (Seen.AUTHORISED, 0, 1_000)
    assert payment.card is not None
    assert payment.card.fingerprint
    taken = provider.capture(payment.reference, 1_000, EUR, key=key())
    assert (taken.seen, taken.captured_minor) == (Seen.CAPTURED, 1_000)
    assert provider.look(payment.reference).captured_minor == 1_000


def test_the_same_key_again_is_the_same_payment(provider):
    want, one = wanted(), key()
    assert provider.begin(want, key=one).reference == provider.begin(want, key=one).reference
    payment = provider.begin(wanted(), key=key())
    capture = key()
    for _ in range(2):
        assert provider.capture(payment.reference, 600, EUR, key=capture).captured_minor == 600


def test_the_same_key_with_other_content_does_nothing(provider):
    want, one = wanted(), key()
    provider.begin(want, key=one)
    with pytest.raises(Unanswered):  # what the key was used for, only a look can say
        provider.begin(wanted(amount=2_000), key=one)


def test_a_part_is_captured_once_and_no_more_than_was_authorised(provider):
    payment = provider.begin(wanted(), key=key())
    with pytest.raises(Refused):
        provider.capture(payment.reference, 1_001, EUR, key=key())
    assert provider.capture(payment.reference, 400, EUR, key=key()).captured_minor == 400
    with pytest.raises(Refused):
        provider.capture(payment.reference, 400, EUR, key=key())


def test_what_is_voided_cannot_be_captured_and_what_is_captured_is_not_voided(provider):
    payment = provider.begin(wanted(), key=key())
    assert provider.void(payment.reference, key=key()).seen is Seen.VOIDED
    with pytest.raises(Refused):
        provider.capture(payment.reference, 1_000, EUR, key=key())
    assert provider.void(captured(provider).reference, key=key()).seen is Seen.CAPTURED


def test_refunds_together_are_no_more_than_was_captured(provider):
    reference = captured(provider).reference
    first = provider.refund(reference, 700, EUR, key=key())
    assert (first.seen, first.amount_minor) == (RefundSeen.SUCCEEDED, 700)
    with pytest.raises(Refused):
        provider.refund(reference, 301, EUR, key=key())
    provider.refund(reference, 300, EUR, key=key())
    with pytest.raises(Refused):
        provider.refund(reference, 1, EUR, key=key())
    assert provider.look(reference).refunded_minor == 1_000


def test_a_refund_sent_twice_is_given_once(provider):
    reference, one = captured(provider).reference, key()
    assert len({provider.refund(reference, 100, EUR, key=one).reference for _ in range(3)}) == 1
    assert provider.look(reference).refunded_minor == 100


def test_a_refund_is_found_by_its_key(provider):
    reference, one = captured(provider).reference, key()
    assert provider.find_refund(reference, EUR, key=one) is None
    made = provider.refund(reference, 100, EUR, key=one)
    provider.refund(reference, 50, EUR, key=key())
    assert provider.find_refund(reference, EUR, key=one) == made


@pytest.mark.parametrize("reason", ["generic_decline", "insufficient_funds", "stolen_card"])
def test_a_declined_card_is_an_answer_with_its_reason(provider, reason):
    methods = {"insufficient_funds": "InsufficientFunds", "stolen_card": "StolenCard"}
    one, want = key(), wanted(f"pm_card_chargeDeclined{methods.get(reason, '')}")
    for _ in range(2):
        payment = provider.begin(want, key=one)
        assert (payment.seen, payment.decline_code) == (Seen.DECLINED, reason)


def test_a_card_whose_bank_asks_first_waits_for_the_payer(provider):
    payment = provider.begin(wanted("pm_card_authenticationRequired"), key=key())
    assert payment.seen is Seen.WAITS
    assert payment.url.startswith("http")
    with pytest.raises(Refused):
        provider.capture(payment.reference, 1_000, EUR, key=key())


def test_without_a_card_the_payer_is_sent_to_a_page_which_can_be_closed(provider):
    payment = provider.begin(wanted(method=""), key=key())
    assert payment.seen is Seen.WAITS
    assert payment.url.startswith("http")
    assert provider.void(payment.reference, key=key()).seen is Seen.VOIDED
    assert provider.look(payment.reference).seen is Seen.VOIDED


def test_what_does_not_exist_is_refused(provider):
    for call in (
        partial(provider.look, "pi_nothing"),
        partial(provider.begin, wanted("pm_card_unknown"), key=key()),
        partial(provider.refund, "pi_nothing", 1, EUR, key=key()),
        partial(provider.look_dispute, "dp_nothing"),
    ):
        with pytest.raises(Refused):
            call()


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 5_000), ("EUR", 1_000), ("ISK", 1_000), ("KWD", 1_230)])
def test_amounts_are_those_of_iso_4217_whatever_the_providers_unit(provider, currency, amount):
    payment = provider.begin(wanted(amount=amount, currency=currency), key=key())
    assert (payment.amount_minor, payment.currency) == (amount, currency)
    assert provider.capture(payment.reference, amount, payment.currency, key=key()).captured_minor == amount


def test_an_amount_that_cannot_be_moved_is_refused_before_anything_is_asked(provider):
    for amount, currency in ((1_234, "KWD"), (150, "MGA")):
        with pytest.raises(Refused, match="amount_not_payable"):
            provider.begin(wanted(amount=amount, currency=currency), key=key())


def test_the_report_has_every_capture_and_refund(provider):
    since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    reference = captured(provider, 7_301).reference
    provider.refund(reference, 201, EUR, key=key())
    until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5)
    moves = [(one.why, one.amount_minor) for one in provider.report(since, until)]
    assert (Moved.CAPTURE, 7_301) in moves
    assert (Moved.REFUND, -201) in moves


# -- the simulated one -------------------------------------------------------------------------------------------------


def test_somebody_pays_on_the_page_and_comes_back(installation):
    payment = simulated().begin(wanted(method=""), key=key())
    declined = pay(payment.url, payment_method="pm_card_chargeDeclined")
    assert "declined" in declined.text
    assert simulated().look(payment.reference).seen is Seen.WAITS
    paid = pay(payment.url, payment_method="pm_card_visa")
    assert (paid.status_code, paid.headers["location"]) == (303, "http://localhost/back")
    seen = simulated().look(payment.reference)
    assert (seen.seen, seen.reference[:3]) == (Seen.AUTHORISED, "pi_")
    assert simulated().void(payment.reference, key=key()).seen is Seen.VOIDED


def test_on_the_page_a_bank_may_ask_and_be_refused(installation):
    payment = simulated().begin(wanted(method=""), key=key())
    assert "Your bank asks" in pay(payment.url, payment_method="pm_card_authenticationRequired").text
    refused = pay(payment.url, payment_method="pm_card_authenticationRequired", outcome="refused")
    assert "Pay with" in refused.text
    again = pay(payment.url, payment_method="pm_card_authenticationRequired")
    assert "Your bank asks" in again.text
    pay(payment.url, payment_method="pm_card_authenticationRequired", outcome="approved")
    seen = simulated().look(payment.reference)
    assert seen.card is not None
    assert (seen.seen, seen.card.authenticated) == (Seen.AUTHORISED, True)


@pytest.mark.parametrize(("outcome", "seen"), [("approved", Seen.AUTHORISED), ("refused", Seen.DECLINED)])
def test_a_bank_that_asks_without_a_page(installation, outcome, seen):
    payment = simulated().begin(wanted("pm_card_authenticationRequired"), key=key())
    assert "Your bank asks" in httpx.get(payment.url).text
    assert pay(payment.url, outcome=outcome).headers["location"] == "http://localhost/back"
    assert simulated().look(payment.reference).seen is seen


def disputed() -> str:
    payment = simulated().begin(wanted("pm_card_createDispute"), key=key())
    simulated().capture(payment.reference, 1_000, EUR, key=key())
    now = dt.datetime.now(dt.UTC)
    report = simulated().report(now - dt.timedelta(minutes=1), now + dt.timedelta(minutes=1))
    return next(one.source for one in report if one.why is Moved.DISPUTE)


def test_a_dispute_takes_the_money_and_hears_evidence_once(installation):
    reference = disputed()
    dispute = simulated().look_dispute(reference)
    assert (dispute.seen, dispute.amount_minor) == (DisputeSeen.NEEDS_EVIDENCE, 1_000)
    with pytest.raises(Refused):
        simulated().refund(dispute.payment, 1, EUR, key=key())
    sent = simulated().send_evidence(reference, "It was delivered", key=key())
    assert sent.seen is DisputeSeen.UNDER_REVIEW
    with pytest.raises(Refused):
        simulated().send_evidence(reference, "And more", key=key())


def test_an_answer_that_is_lost_after_the_fact_is_found_by_the_same_key(installation):
    payment = simulated().begin(wanted(), key=key())
    one = key()
    with faults(lost_after=1000), pytest.raises(Unanswered):
        simulated().capture(payment.reference, 1_000, EUR, key=one)
    assert simulated().capture(payment.reference, 1_000, EUR, key=one).captured_minor == 1_000


def test_an_answer_that_does_not_come_in_time_is_unknown_not_refused(installation):
    want, one = wanted(), key()
    with faults(lost_after=1000, hang_ms=1_500), pytest.raises(Unanswered):
        simulated(timeout_s=0.3).begin(want, key=one)
    assert simulated().begin(want, key=one).seen is Seen.AUTHORISED


def test_a_call_that_is_lost_before_and_one_too_many_changed_nothing(installation):
    payment = simulated().begin(wanted(), key=key())
    for name in ("lost_before", "too_many"):
        with faults(**{name: 1000}), pytest.raises(Unanswered) as caught:
            simulated().capture(payment.reference, 1_000, EUR, key=key())
        assert caught.value.after_s == (1 if name == "too_many" else None)
    assert simulated().look(payment.reference).seen is Seen.AUTHORISED


def test_twenty_equal_calls_at_once_are_one_payment(installation):
    want, one = wanted(), key()
    found = at_once(*[partial(simulated().begin, want, key=one)] * 20)
    assert len({payment.reference for payment in found}) == 1


def test_a_wrong_key_is_not_answered(installation):
    with pytest.raises(Unanswered):
        Stripe("sk_test_wrong", webhook_secret="x", api=url()).look("pi_nothing")


# -- notices -----------------------------------------------------------------------------------------------------------


def test_a_notice_says_what_to_look_at(installation):
    for thing, notice in (
        ({"object": "payment_intent", "id": "pi_1"}, Notice("evt_1", "pi_1")),
        ({"object": "checkout.session", "id": "cs_1"}, Notice("evt_1", "cs_1")),
        ({"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}, Notice("evt_1", "pi_1")),
        ({"object": "dispute", "id": "dp_1", "payment_intent": "pi_1"}, Notice("evt_1", "pi_1", "dp_1")),
    ):
        body = told(**thing)
        assert simulated().notice(body, signed(body)) == notice


BODY = told(object="payment_intent", id="pi_1")


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (BODY, lambda: ""),
        (BODY, lambda: signed(BODY, secret="another")),
        (BODY, lambda: signed(BODY, at=int(time.time()) - 400)),
        (BODY.replace(b"pi_1", b"pi_2"), lambda: signed(BODY)),
        (b"[]", lambda: signed(b"[]")),
        (b"\xff", lambda: signed(b"\xff")),
    ],
    ids=["unsigned", "another's", "old", "changed", "no notice", "no text"],
)
def test_a_notice_that_the_provider_did_not_sign_is_not_believed(installation, body, header: Callable[[], str]):
    with pytest.raises(BadNotice):
        simulated().notice(body, header())
