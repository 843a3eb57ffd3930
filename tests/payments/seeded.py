"""A world of money played from a seed: senders, a provider that fails in every way it can, and our own rooms for real.

The provider is the simulated one's engine, called through Stripe's own SDK; only the wire between them is a function,
so that a seed gives the same faults, the same kills and the same notices each time. The database is the real one.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import stripe
from django.db.models import F
from tests.payments.provided import sender, signed, staff

from parcelward.base.errors import ParcelwardError
from parcelward.base.standards import money
from parcelward.doors.simulator.provider.engine import Engine
from parcelward.payments import actions, ledger, rules, work
from parcelward.payments.intent_rules import Reason
from parcelward.payments.models import Dispute, Intent, Notice, Refund
from parcelward.payments.providers.by_stripe import Stripe
from parcelward.payments.wire import Standing
from parcelward.people import actions as people
from parcelward.people.wire import Person

CHF: Final = money.currency("CHF")  # nobody else's in these tests
CARDS: Final = (
    *["pm_card_visa"] * 6,
    *("pm_card_chargeDeclined", "pm_card_createDispute", "pm_card_createDispute", "pm_card_authenticationRequired"),
)
PATIENCE: Final = 40  # rounds of the worker after which everything must have ended


class Killed(BaseException):
    """The process died at this point."""


class Wire(stripe.HTTPClient):
    """The way to the provider: answers, loses and repeats as the dice say."""

    name = "seeded"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any) -> tuple[str, int, Any]:
        """Answer a call, or not."""
        world, parts, method = self._world, urlsplit(url), method.upper()
        fate = world.dice.random() if world.faulty else 1.0
        if fate < 0.04:
            raise stripe.APIConnectionError("lost before")
        if fate < 0.06:
            return json.dumps({"error": {"type": "api_error", "message": "slow down"}}), 429, {"retry-after": "1"}
        if fate < 0.08:
            raise Killed
        params = dict(parse_qsl(post_data or parts.query, keep_blank_values=True))
        answer = world.engine.call(method, parts.path, params, key=headers.get("Idempotency-Key", ""), now=world.now)
        if world.faulty and not answer.replayed and world.dice.random() < 0.1:
            again = world.engine.call(
                method, parts.path, params, key=headers.get("Idempotency-Key", ""), now=world.now
            )  # a proxy on the way sent it twice
            assert again.body == answer.body or method == "GET"
        world.trace.append(f"{method} {parts.path.replace(world.mark, '')} {answer.status}")
        if fate < 0.14:
            raise stripe.APIConnectionError("lost after")
        if fate < 0.17:
            raise Killed
        return json.dumps(answer.body), answer.status, {}


@dataclass
class World:
    """One seed's world."""

    seed: int
    play: int = 0  # the ids of another play are others: what was posted stays
    dice: random.Random = field(init=False)
    engine: Engine = field(default_factory=Engine)
    now: int = 1_800_000_000
    faulty: bool = True
    trace: list[str] = field(default_factory=list)
    heard: int = 0
    waiting: list[dict[str, Any]] = field(default_factory=list)
    spent: dict[uuid.UUID, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self._ids = random.Random(f"{self.seed} {self.play}")
        self.mark = f"s{self.seed}p{self.play}x"
        self.engine.book.mark = self.mark
        secret = "whsec_seeded"
        self.secret = secret
        self.provider = Stripe("sk_test_seeded", webhook_secret=secret, name="seeded", line=Wire(self))
        self.shops = [self._shop() for _ in range(3)]
        self.owners = [shop.organisation for shop in self.shops if shop.organisation is not None]
        self.staff = staff()

    def _shop(self) -> Person:
        made = sender()
        return Person(self.uuid(), made.role, made.source, made.name, organisation=self.uuid())

    def uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self._ids.getrandbits(128), version=4)

    def intents(self, *states: Standing) -> list[Intent]:
        found = Intent.objects.filter(owner__in=self.owners, **({"state__in": states} if states else {}))
        return list(found.order_by("created_at"))

    # -- what may happen -------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let one thing happen, chosen by the dice; whoever is killed in it leaves what is done."""
        deeds: tuple[tuple[int, Callable[[], None]], ...] = (
            (12, self.begin),
            (18, self.pay),
            (10, self.come_back),
            (5, self.give_up),
            (14, self.refund),
            (16, self.hear),
            (10, self.spend),
            (12, self.round),
            (3, self.answer),
            (2, self.wait),
        )
        deed = self.dice.choices([one for _, one in deeds], [weight for weight, _ in deeds])[0]
        try:
            deed()
            self.trace.append(deed.__name__)
        except Killed:
            self.trace.append(f"{deed.__name__} killed")
        except ParcelwardError as refused:
            self.trace.append(f"{deed.__name__} {refused.code}")

    def begin(self) -> None:
        """Somebody wants to pay in; their browser may send it twice."""
        shop, key, amount = self.dice.choice(self.shops), self.uuid(), self.dice.randrange(100, 50_000)
        for _ in range(self.dice.choice((1, 1, 2))):
            actions.top_up(key, amount, CHF, back_url="http://localhost/", by=shop)

    def pay(self) -> None:
        """Somebody pays on the provider's page."""
        pages = sorted(key for key, one in self.engine.book.sessions.items() if one["status"] == "open")
        if pages:
            chosen = {"payment_method": self.dice.choice(CARDS)}
            if self.dice.random() < 0.5:
                chosen["outcome"] = self.dice.choice(("approved", "refused"))
            self.engine.call("POST", f"/v1/simulated/sessions/{self.dice.choice(pages)}/pay", chosen, now=self.now)

    def come_back(self) -> None:
        """A payer comes back, or reloads the page."""
        if some := self.intents():
            one = self.dice.choice(some)
            actions.came_back(one.id, by=self._owner(one))

    def give_up(self) -> None:
        """A payer gives up."""
        if some := self.intents(Standing.WAITS, Standing.AUTHORISED):
            one = self.dice.choice(some)
            actions.give_up(one.id, by=self._owner(one))

    def _owner(self, intent: Intent) -> Person:
        return next(shop for shop in self.shops if shop.organisation == intent.owner)

    def refund(self) -> None:
        """Staff give back a part, sometimes more than there is, sometimes twice."""
        if some := self.intents(Standing.CAPTURED):
            one, key = self.dice.choice(some), self.uuid()
            amount = self.dice.choice((one.captured_minor, self.dice.randrange(1, one.captured_minor + 500)))
            for _ in range(self.dice.choice((1, 1, 2))):
                actions.refund(key, one.id, amount, reason=Reason.UNUSED, by=self.staff)

    def spend(self) -> None:
        """A sender buys postage out of their balance."""
        shop, amount = self.dice.choice(self.shops), self.dice.randrange(1, 8_000)
        assert shop.organisation is not None
        lines = rules.purchase_lines(rules.tax_included(amount, 190_000, CHF), owner=shop.organisation)
        ledger.post(self.uuid(), lines, reason="purchase", by=people.machinery())
        self.spent[shop.organisation] = self.spent.get(shop.organisation, 0) + amount

    def hear(self) -> None:
        """Some notices come: late, twice, in any order, or never."""
        events = self.engine.book.events
        self.waiting += [one for one in events[self.heard :] if self.dice.random() > 0.1]
        self.heard = len(events)
        self.dice.shuffle(self.waiting)
        for one in self.waiting[:4]:
            body = json.dumps(one).encode()
            for _ in range(self.dice.choice((1, 1, 2))):
                actions.take_notice(body, signed(body, secret=self.secret))
        del self.waiting[:4]

    def round(self) -> None:
        """The worker does what is due; here everything is."""
        Intent.objects.filter(provider="seeded").exclude(try_at=None).update(try_at=F("created_at"))
        Notice.objects.filter(provider="seeded").exclude(try_at=None).update(try_at=F("received_at"))
        Refund.objects.filter(intent__provider="seeded").exclude(try_at=None).update(try_at=F("created_at"))
        work.once()

    def answer(self) -> None:
        """Staff answer a dispute."""
        mine = sorted(Dispute.objects.filter(intent__owner__in=self.owners).values_list("reference", flat=True))
        if mine:
            words = self.dice.choice(("winning_evidence", "losing_evidence"))
            actions.answer_dispute(self.dice.choice(mine), words, by=self.staff)

    def wait(self) -> None:
        """Time goes by, up to days: authorisations end, pages close, banks decide."""
        self.now += self.dice.choice((60, 3_600, 90_000, 700_000))
        self.engine.call("POST", "/v1/simulated/tick", {}, now=self.now)

    def settle(self) -> None:
        """Let everything come to its end, without faults: what was lost is found by looking."""
        self.faulty = False
        for turn in range(PATIENCE):
            if turn % 5 == 0:  # what was begun late needs its time, too
                self.now += 700_000
                self.engine.call("POST", "/v1/simulated/tick", {}, now=self.now)
                self.waiting = list(self.engine.book.events)
                while self.waiting:
                    self.hear()
            self.round()
            intents = Intent.objects.filter(owner__in=self.owners).exclude(try_at=None)
            refunds = Refund.objects.filter(intent__owner__in=self.owners, state="pending")
            notices = Notice.objects.filter(provider="seeded", done_at=None)
            left: list[object] = [*intents.values("state", "verb", "page", "tries"), *refunds.values("state", "tries")]
            left += notices.values("payment", "dispute", "mark", "tries")
            if not left and turn > PATIENCE // 4:
                return
        raise AssertionError(f"never ended: {left}")
