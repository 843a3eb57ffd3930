"""A model in use: learnt from what was known, chosen by a person, asked about every order, taken away again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone
from tests.laws.tampering import change, sequenced, undone
from tests.people.staffing import facts, somebody
from tests.risk.ordered import decided

from parcelward.base import config
from parcelward.base.errors import Conflict, Invalid
from parcelward.custody.errors import EntryDiffers
from parcelward.doors.verification import verify_log
from parcelward.parcels.alert_words import in_words
from parcelward.parcels.models import Alert
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.risk import champion, history, queries, scoring, work
from parcelward.risk.actions import choose_model, keep_challenger, retire_model, state_costs
from parcelward.risk.features.table import TABLE
from parcelward.risk.learning import challenging
from parcelward.risk.models import Decision, LearntModel, Pick, Stated
from parcelward.risk.wire import Answer

pytestmark = pytest.mark.usefixtures("installation")
DAY = dt.timedelta(days=1)
ORDERS = 3_000
take_up = champion.take_up


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the thread of this process, which sees no uncommitted champion, not put down what a test takes up."""
    monkeypatch.setattr(champion, "take_up", lambda: None)
    yield
    scoring.use(None)
    champion._taken = ""


@pytest.fixture
def past() -> Iterator[dt.datetime]:
    """Two months of orders with outcomes, undone after the test: many cards in an hour were fraud."""
    now = timezone.now()
    with undone():
        for theirs in (LearntModel, Decision):  # of other tests
            theirs.objects.all().delete()
        seed(now)
        yield now


def seed(now: dt.datetime) -> None:
    draw = np.random.default_rng(7)
    orders, seen, learnt = [], [], []
    for nth in range(ORDERS):
        at = now - 80 * DAY * (1 - nth / ORDERS)
        fraud = bool(draw.random() < 0.1)
        used = {one.name: float(draw.integers(0, 5)) for one in TABLE}
        used["account_order_sum_7d"] = float(draw.lognormal(8, 1))
        used["device_order_distinct_card_1h"] = float(draw.integers(3, 9) if fraud else draw.integers(0, 4))
        ident, body = uuid.uuid4(), json.dumps({"used": used})
        orders.append((uuid.uuid4(), ident, 1, uuid.uuid4(), "allow", at, body, b"x"))
        seen.append((ident, 1, at, uuid.UUID(int=int(draw.integers(0, 300))), 100, 0))
        if fraud:
            learnt.append((uuid.uuid4(), ident, at + 3 * DAY, True, 0))
    with connection.cursor() as cur:
        cur.executemany(
            'INSERT INTO risk_decision (id, "order", round, owner, answer, at, body, salt) '
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            orders,
        )
        cur.executemany(
            "INSERT INTO risk_observation (id, kind, at, account, amount_minor, writer) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            seen,
        )
        cur.executemany(
            "INSERT INTO risk_outcome (id, observation_id, at, fraud, writer) VALUES (%s, %s, %s, %s, %s)", learnt
        )


def learnt(now: dt.datetime) -> LearntModel:
    assert work.learn_a_model(now)
    return LearntModel.objects.get(stage="challenger")


def test_without_outcomes_nothing_is_learnt_and_rules_decide_alone() -> None:
    assert not work.learn_a_model(timezone.now())
    take_up()
    found = decided()
    assert (found.scorer, "score" in found.used) == ("", False)


def test_a_challenger_scores_nothing_until_a_person_lets_it(past: dt.datetime) -> None:
    made, boss = learnt(past), somebody(Role.ADMINISTRATOR)
    card = json.loads(made.card)
    assert card["measured"]["average_precision"] > 0.8
    assert card["measured"]["orders"] > 400
    take_up()
    assert decided().scorer == ""
    with pytest.raises(MayNot):
        choose_model(made.id, by=somebody(Role.AUDITOR))
    choose_model(made.id, by=boss)
    choose_model(made.id, by=boss)
    take_up()
    calm = decided()
    assert calm.scorer.endswith(made.digest[:12])
    score = calm.used["score"]
    assert isinstance(score, float)
    assert score < 0.5
    values: dict[str, float | None] = dict.fromkeys(challenging.NAMES, 1.0)
    cards, _ = scoring.scored(values | {"device_order_distinct_card_1h": 8.0})
    assert cards is not None
    assert cards.probability > 0.9
    assert cards.reasons[0] == "device_order_distinct_card_1h"
    assert [one["stage"] for one in facts("risk.model_moved", model=str(made.id))] == ["champion"]
    retire_model(made.id, by=boss)
    take_up()
    assert decided().scorer == ""


def test_when_a_case_is_opened_what_each_feature_added_is_exact(past: dt.datetime) -> None:
    made, boss = learnt(past), somebody(Role.ADMINISTRATOR)
    choose_model(made.id, by=boss)
    take_up()
    found = decided()
    shares = queries.shares(found.order, by=boss)
    assert 1 < len(shares) <= 6
    assert [abs(one.effect) for one in shares] == sorted((abs(one.effect) for one in shares), reverse=True)
    assert "%(" not in shares[0].words
    assert all(isinstance(one, str) for one in found.score_reasons)
    with pytest.raises(MayNot):
        queries.shares(found.order, by=somebody(Role.CLERK))
    scoring.use(None)
    assert queries.shares(decided().order, by=boss) == ()


def test_orders_unlike_those_before_are_an_alert_once_a_week(past: dt.datetime) -> None:
    made, boss = learnt(past), somebody(Role.ADMINISTRATOR)
    assert work.look_at_drift(past) == [], "no champion"
    choose_model(made.id, by=boss)
    assert work.look_at_drift(past) == [], "as they were"
    with connection.cursor() as cur:
        cur.execute(
            "UPDATE risk_decision SET body = replace(body, %s, %s) WHERE at > %s AND salt = %s",
            ('"account_order_count_1h": ', '"account_order_count_1h": 9', past - 7 * DAY, b"x"),
        )
    (moved,) = work.look_at_drift(past)
    assert moved.startswith("account_order_count_1h ")
    work.look_at_drift(past)
    (alert,) = Alert.objects.filter(kind="model_drift")
    assert moved in in_words(alert)


COSTS = {Answer.ALLOW: (0, 10_000), Answer.REVIEW: (300, 3_000), Answer.HOLD: (600, 500), Answer.REFUSE: (2_500, 0)}


def test_from_what_answers_cost_follows_from_which_score_on_each_is_the_cheapest(past: dt.datetime) -> None:
    boss = somebody(Role.ADMINISTRATOR)
    with pytest.raises(MayNot):
        state_costs(COSTS, 5, by=somebody(Role.CLERK))
    for bad, looks in (({**COSTS, Answer.HOLD: (100, 500)}, 5), (COSTS, 1_001), ({**COSTS, Answer.ALLOW: (-1, 1)}, 5)):
        with pytest.raises(Invalid):
            state_costs(bad, looks, by=boss)
    state_costs(COSTS, 5, by=boss)
    state_costs(COSTS, 5, by=boss)
    assert Stated.objects.count() == 1
    stated = queries.stated(by=boss)
    assert stated is not None
    assert (stated.costs, stated.looks_a_day) == (COSTS, 5)
    answers = [answer for answer, _ in stated.steps]
    assert answers[0] is Answer.ALLOW
    assert [since for _, since in stated.steps] == sorted(since for _, since in stated.steps)


def test_a_fifth_of_what_is_looked_at_is_only_unusual(past: dt.datetime) -> None:
    boss = somebody(Role.ADMINISTRATOR)
    made = learnt(past)
    assert work.pick_to_look_at(past) == 0, "nobody said how many"
    state_costs(COSTS, 10, by=boss)
    strange = list(Decision.objects.filter(salt=b"x", at__gt=past - DAY).values_list("id", flat=True)[:3])
    with connection.cursor() as cur:
        cur.execute(
            "UPDATE risk_decision SET body = replace(body, %s, %s) WHERE id = ANY(%s)",
            ('"account_order_sum_7d": ', '"account_order_sum_7d": 99999', strange),
        )
    assert work.pick_to_look_at(past) >= 3
    assert set(strange) <= set(Pick.objects.filter(by="surprise").values_list("decision_id", flat=True))
    assert not Pick.objects.filter(by="model").exists(), "none scores yet"
    assert work.pick_to_look_at(past) == 0, "once a day"
    Pick.objects.all().delete()
    with connection.cursor() as cur:
        cur.execute(
            "UPDATE risk_decision SET body = left(body, -2) || ', \"score\": 0.5}}' WHERE at > %s AND salt = %s",
            (past - DAY, b"x"),
        )
    assert work.pick_to_look_at(past) == 10
    assert Pick.objects.filter(by="surprise").count() == 2
    assert made.stage == "challenger"


def test_it_is_learnt_once_a_week_and_what_is_found_out_later_changes_nothing(past: dt.datetime) -> None:
    before = history.past(past)
    with connection.cursor() as cur:
        cur.execute(
            "INSERT INTO risk_outcome (id, observation_id, at, fraud, writer) "
            "SELECT gen_random_uuid(), id, %s, true, 0 "
            "FROM risk_observation",
            (past + DAY,),
        )
    after = history.past(past)
    assert np.array_equal(before.found, after.found)
    made = learnt(past)
    assert json.loads(made.card)["learnt"]["frauds"] < ORDERS / 5
    assert not work.learn_a_model(past + DAY)


def test_what_was_stopped_and_never_known_is_no_good_order(past: dt.datetime) -> None:
    all_of_them = len(history.past(past).at)
    with connection.cursor() as cur:
        cur.execute(
            "UPDATE risk_decision d SET answer = 'refuse' WHERE body NOT LIKE %s AND NOT EXISTS "
            '(SELECT 1 FROM risk_outcome o WHERE o.observation_id = d."order") AND d.salt = %s',
            ("%reasons%", b"x"),
        )
        refused = cur.rowcount
    assert refused
    assert len(history.past(past).at) == all_of_them - refused


def test_one_that_is_worse_or_was_held_against_another_takes_no_place(past: dt.datetime) -> None:
    boss = somebody(Role.ADMINISTRATOR)
    first = learnt(past)
    choose_model(first.id, by=boss)
    cards = {
        "worse": {"digest": first.digest, "champion": 0.9, "low": -0.3, "high": -0.1},
        "against another": {"digest": "0" * 64, "champion": 0.9, "low": 0.1, "high": 0.3},
        "against nobody": None,
    }
    for nth, (why, against) in enumerate(cards.items()):
        made = challenging.Challenger(f"text {nth}".encode(), f"{nth}" * 64, {"against": against})
        other = keep_challenger(made, challenging.as_text(made.card), by=boss)
        with pytest.raises(Conflict) as caught:
            choose_model(other, by=boss)
        assert caught.value.code == "worse", why
    again = challenging.Challenger(b"as good", "9" * 64, {"against": {**cards["worse"], "high": 0.01}})  # type: ignore[dict-item]
    better = keep_challenger(again, challenging.as_text(again.card), by=boss)
    choose_model(better, by=boss)
    assert LearntModel.objects.get(pk=first.id).stage == "retired"


TAMPERING = {
    "its trees": "UPDATE risk_learntmodel SET text = 'x' WHERE id = %s",
    "its card": "UPDATE risk_learntmodel SET card = '{}' WHERE id = %s",
    "its stage": "UPDATE risk_learntmodel SET stage = 'champion' WHERE id = %s",
    "who moved it": "UPDATE risk_learntmodel SET moved_by = 1 WHERE id = %s",
    "it is gone": "DELETE FROM risk_learntmodel WHERE id = %s",
}


@pytest.fixture(scope="module")
def kept(installation: object) -> LearntModel:
    text = b"no trees"
    digest = hashlib.sha256(text).hexdigest()
    made = challenging.Challenger(text, digest, {"against": None})
    keep_challenger(made, challenging.as_text(made.card), by=somebody(Role.ADMINISTRATOR))
    sequenced()
    return LearntModel.objects.get(digest=digest)


@pytest.mark.parametrize("how", TAMPERING)
def test_verify_log_finds_a_model_that_was_turned(kept: LearntModel, how: str) -> None:
    with undone():
        change(TAMPERING[how], kept.id)
        with pytest.raises(EntryDiffers) as caught:
            verify_log(config.get())
    assert caught.value.differs == "model"


def test_a_text_that_is_no_model_leaves_the_rules(kept: LearntModel) -> None:
    with undone():
        choose_model(kept.id, by=somebody(Role.ADMINISTRATOR))
        take_up()
        assert decided().scorer == ""
