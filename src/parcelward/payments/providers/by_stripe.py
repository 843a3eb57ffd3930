"""Stripe, through its own SDK. In test mode the same code talks to the simulated provider, which speaks Stripe's API.

A payer without a saved card is sent to a Checkout page, so a payment may be known by the page (`cs_...`) until it is
paid there, and by the intent (`pi_...`) after.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import stripe

from parcelward.base import egress
from parcelward.base.standards import money
from parcelward.base.standards.money import Currency
from parcelward.payments.providers.wire import (
    BadNotice,
    Card,
    Dispute,
    DisputeSeen,
    Moved,
    Movement,
    Notice,
    Payment,
    Refund,
    RefundSeen,
    Refused,
    Seen,
    Unanswered,
    Wanted,
)

API: Final = "https://api.stripe.com"
PAGES_AT: Final = "https://checkout.stripe.com"
NOTICE_AGE_S_MAX: Final = 300
REFUNDS_MAX: Final = 100  # of one payment that are looked through
_CHARGE: Final = ["latest_charge"]
_PAGE: Final = ["payment_intent.latest_charge"]
_PAGES: Final = "cs_"
# Currencies whose smallest unit at Stripe is not that of ISO 4217 (docs.stripe.com/currencies, read 2026-11):
# theirs is so many times smaller, or so many times larger.
_THEIRS_SMALLER: Final = {"ISK": 100, "UGX": 100}
_THEIRS_LARGER: Final = {"MGA": 100}
_WHOLE_TENS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})  # three digits, the last one nothing

_STATES: Final = {
    "requires_action": Seen.WAITS,
    "requires_confirmation": Seen.WAITS,
    "processing": Seen.WAITS,
    "requires_capture": Seen.AUTHORISED,
    "succeeded": Seen.CAPTURED,
    "canceled": Seen.VOIDED,
}
_REFUNDS: Final = {"succeeded": RefundSeen.SUCCEEDED, "failed": RefundSeen.FAILED, "canceled": RefundSeen.FAILED}
_DISPUTES: Final = {
    "needs_response": DisputeSeen.NEEDS_EVIDENCE,
    "under_review": DisputeSeen.UNDER_REVIEW,
    "won": DisputeSeen.WON,
    "lost": DisputeSeen.LOST,
    "warning_needs_response": DisputeSeen.INQUIRY,
    "warning_under_review": DisputeSeen.INQUIRY,
    "warning_closed": DisputeSeen.WITHDRAWN,
    "prevented": DisputeSeen.WITHDRAWN,
}
_MOVES: Final = {
    "charge": Moved.CAPTURE,
    "payment": Moved.CAPTURE,  # by no card
    "refund": Moved.REFUND,
    "payment_refund": Moved.REFUND,
    "payout": Moved.PAYOUT,
    "payout_failure": Moved.PAYOUT_BACK,
    "payout_cancel": Moved.PAYOUT_BACK,
    "stripe_fee": Moved.FEE,
}


class _Line(stripe.HTTPClient):
    """The SDK's requests, through our one way out."""

    name = "parcelward"

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        body = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            answer = egress.ask(method, url, body, headers=headers or {}, timeout_s=self._timeout_s)
        except egress.NotReached as err:
            raise stripe.APIConnectionError(str(err)) from None  # type: ignore[no-untyped-call]
        return answer.body.decode("utf-8", "replace"), answer.status, answer.headers

    def close(self) -> None:
        """Do nothing: the way out is everybody's."""


class Stripe:
    """One account at Stripe, or at what speaks its language."""

    def __init__(
        self,
        api_key: str,
        *,
        webhook_secret: str,
        api: str = API,
        name: str = "stripe",
        pages_at: str = PAGES_AT,
        timeout_s: float = 10.0,
        line: stripe.HTTPClient | None = None,
    ) -> None:
        self.name = name
        self.pages_at = pages_at
        self._webhook_secret = webhook_secret
        stripe.enable_telemetry = False
        self._stripe = stripe.StripeClient(
            api_key, base_addresses={"api": api}, http_client=line or _Line(timeout_s), max_network_retries=0
        ).v1

    def begin(self, wanted: Wanted, *, key: str) -> Payment:
        """Authorise with a saved card, or open a page."""
        amount, currency = _theirs(wanted.amount_minor, wanted.currency), wanted.currency.lower()
        if not wanted.method:
            page: dict[str, Any] = {
                "mode": "payment",
                "payment_method_types": ["card"],  # what can be authorised first and captured after
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": currency,
                            "unit_amount": amount,
                            "product_data": {"name": wanted.words},
                        },
                    }
                ],
                "payment_intent_data": {"capture_method": "manual", "metadata": {"mark": wanted.mark}},
                "client_reference_id": wanted.mark,
                "success_url": wanted.back_url,
                "cancel_url": wanted.cancel_url,
            }
            made = _ask(lambda: self._stripe.checkout.sessions.create(page, {"idempotency_key": key}))  # type: ignore[arg-type]
            return _of_page(made)
        intent: dict[str, Any] = {
            "amount": amount,
            "currency": currency,
            "payment_method": wanted.method,
            "capture_method": "manual",
            "confirm": True,
            "return_url": wanted.back_url,
            "metadata": {"mark": wanted.mark},
            "expand": _CHARGE,
        }
        return _of_intent(_ask(lambda: self._confirmed(intent, key)))

    def _confirmed(self, intent: Any, key: str) -> Any:
        """Return the intent, authorised or declined: to us a declined card is an answer like others."""
        try:
            return self._stripe.payment_intents.create(intent, {"idempotency_key": key})
        except stripe.CardError as err:
            body: Any = err.json_body
            try:
                return body["error"]["payment_intent"]
            except (KeyError, TypeError):
                raise err from None

    def capture(self, reference: str, amount_minor: int, currency: Currency, *, key: str) -> Payment:
        """Take what was authorised or a part of it."""
        wanted: Any = {"amount_to_capture": _theirs(amount_minor, currency), "expand": _CHARGE}
        return _of_intent(
            _ask(lambda: self._stripe.payment_intents.capture(reference, wanted, {"idempotency_key": key}))
        )

    def void(self, reference: str, *, key: str) -> Payment:
        """Give back what was authorised; of a page that nobody paid on, close it."""
        try:
            if reference.startswith(_PAGES):
                page = _ask(lambda: self._stripe.checkout.sessions.expire(reference, None, {"idempotency_key": key}))
                return _of_page(page)
            return _of_intent(
                _ask(
                    lambda: self._stripe.payment_intents.cancel(
                        reference, {"expand": _CHARGE}, {"idempotency_key": key}
                    )
                )
            )
        except Refused:
            payment = self.look(reference)  # it was paid, captured or ended meanwhile: that is the answer
            if payment.seen is Seen.AUTHORISED and payment.reference != reference:
                return self.void(payment.reference, key=f"{key}-paid")
            return payment

    def refund(self, reference: str, amount_minor: int, currency: Currency, *, key: str) -> Refund:
        """Give back a part of what was captured."""
        amount = _theirs(amount_minor, currency)
        wanted: Any = {"payment_intent": reference, "amount": amount, "metadata": {"mark": key}}
        made = _ask(lambda: self._stripe.refunds.create(wanted, {"idempotency_key": key}))
        return _of_refund(made, currency)

    def find_refund(self, reference: str, currency: Currency, *, key: str) -> Refund | None:
        """Return the refund of a payment that was asked for under a key."""
        wanted: Any = {"payment_intent": reference, "limit": REFUNDS_MAX}
        some = _ask(lambda: self._stripe.refunds.list(wanted))["data"]
        return next((_of_refund(one, currency) for one in some if (one["metadata"] or {}).get("mark") == key), None)

    def look_refund(self, reference: str, currency: Currency) -> Refund:
        """Return how a refund is now."""
        return _of_refund(_ask(lambda: self._stripe.refunds.retrieve(reference)), currency)

    def look(self, reference: str) -> Payment:
        """Return how a payment is now."""
        if reference.startswith(_PAGES):
            return _of_page(_ask(lambda: self._stripe.checkout.sessions.retrieve(reference, {"expand": _PAGE})))
        return _of_intent(_ask(lambda: self._stripe.payment_intents.retrieve(reference, {"expand": _CHARGE})))

    def look_dispute(self, reference: str) -> Dispute:
        """Return how a dispute is now."""
        return _of_dispute(_ask(lambda: self._stripe.disputes.retrieve(reference)))

    def send_evidence(self, reference: str, evidence: str, *, key: str) -> Dispute:
        """Send our answer to a dispute."""
        answer: Any = {"evidence": {"uncategorized_text": evidence}, "submit": True}
        return _of_dispute(_ask(lambda: self._stripe.disputes.update(reference, answer, {"idempotency_key": key})))

    def notice(self, body: bytes, signature: str) -> Notice:
        """Return what a notice is about. Raises BadNotice."""
        try:
            told = stripe.Webhook.construct_event(body, signature, self._webhook_secret, NOTICE_AGE_S_MAX).to_dict()
            thing = told["data"]["object"]
            kind, reference = str(thing["object"]), str(thing.get("id") or "")
            about = (
                reference if kind in {"payment_intent", "checkout.session"} else str(thing.get("payment_intent") or "")
            )
            mark = str((thing.get("metadata") or {}).get("mark") or thing.get("client_reference_id") or "")
            return Notice(str(told["id"]), about, reference if kind == "dispute" else "", mark)
        except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError, AttributeError) as err:
            raise BadNotice(type(err).__name__) from None

    def report(self, since: dt.datetime, until: dt.datetime) -> Iterator[Movement]:
        """Give what the balance for us did, the newest first."""
        within = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        after: str | None = None
        while True:
            wanted: Any = {"created": within, "limit": 100, **({"starting_after": after} if after else {})}
            page = _ask(lambda wanted=wanted: self._stripe.balance_transactions.list(wanted))  # type: ignore[misc]
            for one in page["data"]:
                yield _movement(one)
                after = str(one["id"])
            if not page["has_more"]:
                return


def _ask(call: Callable[[], Any]) -> Any:
    """Make a call; return what it answers, as plain values.

    Raises Unanswered where it may have happened, Refused where it did not.
    """
    try:
        answer = call()
        return answer.to_dict() if isinstance(answer, stripe.StripeObject) else answer
    except stripe.RateLimitError as err:
        after = str((err.headers or {}).get("retry-after", ""))
        raise Unanswered("Too many requests", after_s=int(after) if after.isdigit() else None) from None
    except stripe.IdempotencyError:  # the key was used before: for what, only a look can say
        raise Unanswered("This key was used before") from None
    except (stripe.InvalidRequestError, stripe.CardError) as err:
        raise Refused(err.code or type(err).__name__) from None
    except stripe.StripeError as err:
        raise Unanswered(type(err).__name__) from None


def _theirs(amount_minor: int, currency: Currency) -> int:
    """Return an amount in their smallest unit. Raises Refused for one that they cannot move."""
    amount, rest = divmod(amount_minor * _THEIRS_SMALLER.get(currency, 1), _THEIRS_LARGER.get(currency, 1))
    if rest or (currency in _WHOLE_TENS and amount % 10):
        raise Refused("amount_not_payable")
    return amount


def _ours(amount: int, currency: Currency) -> int:
    return amount * _THEIRS_LARGER.get(currency, 1) // _THEIRS_SMALLER.get(currency, 1)


def _currency(code: Any) -> Currency:
    return money.currency(str(code).upper())


def _of_page(page: Any) -> Payment:
    intent = page["payment_intent"]
    if page["status"] == "complete" and isinstance(intent, Mapping):
        return _of_intent(intent)
    currency = _currency(page["currency"])
    seen = Seen.VOIDED if page["status"] == "expired" else Seen.WAITS
    return Payment(page["id"], seen, _ours(page["amount_total"], currency), currency, url=str(page["url"] or ""))


def _of_intent(intent: Any) -> Payment:
    currency, error = _currency(intent["currency"]), intent["last_payment_error"] or {}
    seen = _STATES.get(str(intent["status"]))
    if seen is None:  # requires_payment_method: declined, or nobody chose a card yet
        seen = Seen.DECLINED if error else Seen.WAITS
    action = intent["next_action"] or {}
    charge = intent["latest_charge"] if isinstance(intent["latest_charge"], Mapping) else {}
    return Payment(
        intent["id"],
        seen,
        _ours(intent["amount"], currency),
        currency,
        captured_minor=_ours(intent["amount_received"], currency),
        refunded_minor=_ours(charge.get("amount_refunded", 0), currency),
        charge=str(charge.get("id", "")),
        url=str((action.get("redirect_to_url") or {}).get("url") or ""),
        decline_code=str(error.get("decline_code") or error.get("code") or "") if seen is Seen.DECLINED else "",
        card=_card(charge),
    )


def _card(charge: Mapping[str, Any]) -> Card | None:
    card = (charge.get("payment_method_details") or {}).get("card")
    if not card:
        return None
    secure = (card.get("three_d_secure") or {}).get("result") == "authenticated"
    return Card(str(card.get("fingerprint") or ""), str(card.get("country") or ""), secure)


def _of_refund(refund: Any, currency: Currency) -> Refund:
    seen = _REFUNDS.get(str(refund["status"]), RefundSeen.PENDING)
    return Refund(refund["id"], seen, _ours(refund["amount"], currency))


def _of_dispute(dispute: Any) -> Dispute:
    currency, due = _currency(dispute["currency"]), (dispute["evidence_details"] or {}).get("due_by")
    return Dispute(
        dispute["id"],
        str(dispute["payment_intent"]),
        _DISPUTES.get(str(dispute["status"]), DisputeSeen.INQUIRY),
        _ours(dispute["amount"], currency),
        currency,
        str(dispute["reason"]),
        None if due is None else dt.datetime.fromtimestamp(due, dt.UTC),
    )


def _movement(one: Any) -> Movement:
    currency, amount, source = _currency(one["currency"]), int(one["amount"]), str(one["source"] or "")
    why = _MOVES.get(str(one["type"]), Moved.OTHER)
    if why is Moved.OTHER and source.startswith(("dp_", "du_")):
        why = Moved.DISPUTE if amount < 0 else Moved.DISPUTE_WON
    moved = _ours(abs(amount), currency) * (1 if amount >= 0 else -1)
    at = dt.datetime.fromtimestamp(one["created"], dt.UTC)
    return Movement(str(one["id"]), why, source, moved, _ours(one["fee"], currency), currency, at)
