"""What the simulated provider keeps and decides: pure, from calls in order to answers. Its words are Stripe's API's.

The same calls at the same times give the same answers, ids included, so that a journal of calls is all its state.
Strict where fakes are loose: an idempotency key stands for one request with one content, an authorisation is captured
once and for no more than it is worth, refunds together give back no more than was captured, and a call that is refused
has changed nothing (a declined card is an answer: the intent says so).
Source: docs.stripe.com/api (payment intents, checkout sessions, refunds, disputes), read 2026-11.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from parcelward.doors.simulator.provider import givebacks, intents, pages
from parcelward.doors.simulator.provider.book import Book
from parcelward.doors.simulator.provider.words import Answer, Params, Refusal, Thing, number_of

AUTHORISED_FOR_S: Final = 7 * 86_400  # an authorisation that nobody captures ends
DECIDE_DISPUTE_AFTER_S: Final = 60  # once evidence is in; a bank takes weeks
KEYS_KEPT_S: Final = 86_400  # then a key is as good as a new one
LISTED_MAX: Final = 100


@dataclass
class Engine:
    """One provider: its book, and the answers it gave to calls with a key."""

    book: Book = field(default_factory=Book)
    kept: dict[str, tuple[str, Answer, int]] = field(default_factory=dict)

    def call(self, method: str, path: str, params: Params, *, key: str = "", now: int) -> Answer:
        """Answer one call; the same key again gets the same answer, with other content it is refused."""
        self.book.now = max(now, self.book.now)
        if not key or method != "POST":
            return self._do(method, path, params)
        content = hashlib.sha256(repr((path, sorted(params.items()))).encode()).hexdigest()
        if key in self.kept and self.kept[key][2] + KEYS_KEPT_S > self.book.now:
            before, answer, _ = self.kept[key]
            if before != content:
                words = "Keys for idempotent requests can only be used with the parameters they were first used with."
                return Answer(400, {"error": {"type": "idempotency_error", "message": words}})
            return Answer(answer.status, copy.deepcopy(answer.body), replayed=True)
        answer = self._do(method, path, params)
        self.kept[key] = content, Answer(answer.status, copy.deepcopy(answer.body)), self.book.now
        return answer

    def forget(self) -> None:
        """Forget every key at once, as time does."""
        self.kept.clear()

    def over(self, now: int) -> bool:
        """Return whether a tick would end something: only then is it worth a line in a journal."""
        return next(_endings(self.book, now), None) is not None

    def _do(self, method: str, path: str, params: Params) -> Answer:
        steps = path.strip("/").removeprefix("v1/").split("/")
        name = "/".join(steps[:2]) if steps[0] in {"checkout", "simulated"} else steps[0]
        rest = steps[2:] if "/" in name else steps[1:]
        verb = rest[1] if len(rest) > 1 else ""
        answers = ROUTES.get((method, name, bool(rest), verb), _unknown)
        try:
            return Answer(200, copy.deepcopy(answers(self.book, rest[0] if rest else "", params)))
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body)


def _unknown(_: Book, __: str, ___: Params) -> Thing:
    raise Refusal(404, "resource_missing", "Unrecognized request URL. See what this simulated provider answers to.")


def tick(book: Book, _: str, __: Params) -> Thing:
    """End what is over."""
    for end in list(_endings(book, book.now)):
        end()
    return {"now": book.now}


def _endings(book: Book, now: int) -> Iterator[Callable[[], None]]:
    """Give what ends what is over: authorisations, pages, disputes without an answer or with one."""
    for intent in book.intents.values():
        waits = intent["status"] in {"requires_capture", "requires_action"}
        if waits and intent["created"] + AUTHORISED_FOR_S <= now:
            yield partial(intents.cancel, book, intent)
    for session in book.sessions.values():
        if session["status"] == "open" and session["expires_at"] <= now:
            yield partial(pages.expire, book, session)
    for dispute in book.disputes.values():
        if dispute["status"] == "needs_response" and dispute["evidence_details"]["due_by"] <= now:
            yield partial(givebacks.close_dispute, book, dispute, won=False)
        elif dispute["status"] == "under_review" and dispute["submitted_at"] + DECIDE_DISPUTE_AFTER_S <= now:
            won = dispute["evidence"].get("uncategorized_text") != "losing_evidence"
            yield partial(givebacks.close_dispute, book, dispute, won=won)


def list_movements(book: Book, _: str, params: Params) -> Thing:
    """List what the balance did, the newest first, page by page."""
    newest = list(reversed(book.movements))
    after = params.get("starting_after")
    if after:
        newest = newest[1 + next((i for i, one in enumerate(newest) if one["id"] == after), len(newest)) :]
    since, until = number_of(params, "created[gte]", 0), number_of(params, "created[lt]", 2**62)
    some = [one for one in newest if since <= one["created"] < until]
    limit = min(number_of(params, "limit", 10), LISTED_MAX)
    return {"object": "list", "data": some[:limit], "has_more": len(some) > limit, "url": "/v1/balance_transactions"}


ROUTES: Final[Mapping[tuple[str, str, bool, str], Callable[[Book, str, Params], Thing]]] = {
    ("POST", "payment_intents", False, ""): intents.create_intent,
    ("GET", "payment_intents", True, ""): intents.look_intent,
    ("POST", "payment_intents", True, "capture"): intents.capture_intent,
    ("POST", "payment_intents", True, "cancel"): intents.cancel_intent,
    ("POST", "checkout/sessions", False, ""): pages.create_session,
    ("GET", "checkout/sessions", True, ""): pages.look_session,
    ("POST", "checkout/sessions", True, "expire"): pages.expire_session,
    ("POST", "refunds", False, ""): givebacks.create_refund,
    ("GET", "refunds", True, ""): givebacks.look_refund,
    ("GET", "refunds", False, ""): givebacks.list_refunds,
    ("GET", "disputes", True, ""): givebacks.look_dispute,
    ("POST", "disputes", True, ""): givebacks.answer_dispute,
    ("GET", "balance_transactions", False, ""): list_movements,
    ("POST", "simulated/sessions", True, "pay"): pages.pay,
    ("POST", "simulated/intents", True, "authenticate"): intents.authenticate,
    ("POST", "simulated/tick", False, ""): tick,
}
"""Method, resource, whether one is named, what is done with it -> who answers."""
