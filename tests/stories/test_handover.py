"""Custody passes from one hand to another: both sides sign, counts are compared, what does not match needs a person."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from typing import Any

import httpx
import pytest
from django.db import connections, transaction
from tests.scanner import Scanner, event, new_number, until

from parcelward.parcels import follows, handovers, rules
from parcelward.parcels.models import Alert, HandoverScan
from parcelward.parcels.queries import find
from parcelward.people import actions as people
from parcelward.people.wire import Role


@pytest.fixture(scope="module")
def giver(installation, facilities):
    return Scanner(installation, name="giver")


@pytest.fixture(scope="module")
def receiver(installation, facilities):
    return Scanner(installation, name="receiver")


@pytest.fixture
def handover():
    return f"H-{uuid.uuid4()}"


def scan(scanner, handover, side, numbers, *, count=0, minutes=1.0):
    facility = "TEST-A" if side == "giver" else "TEST-B"
    signed = {"id": handover, "side": side, "count": count, "party": scanner.device_id[:8]}
    scanner.send(*(event(n, "handed_over", minutes=minutes, facility=facility, handover=signed) for n in numbers))


def items(numbers):
    return {find(number) for number in numbers}


def open_alerts(handover):
    return {(a.kind, a.item) for a in Alert.objects.filter(about=handover, closed_at=None)}


def judge(handover, *, after=dt.timedelta()):
    follows.reconcile([handover], now=dt.datetime.now(dt.UTC) + after)


PATIENCE = rules.HANDOVER_PATIENCE + dt.timedelta(minutes=1)


def test_both_sides_agree_and_nobody_is_bothered(giver, receiver, handover):
    numbers = [new_number() for _ in range(3)]
    scan(giver, handover, "giver", numbers, count=3)
    scan(receiver, handover, "receiver", numbers, count=3, minutes=2)
    judge(handover)
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) == set()
    sides = HandoverScan.objects.filter(handover=handover).values_list("side", "source").distinct()
    assert len(set(sides)) == 2, "each side signed with its own device"


def test_a_short_item_is_found_as_soon_as_both_have_counted(giver, receiver, handover):
    numbers = [new_number() for _ in range(3)]
    scan(giver, handover, "giver", numbers, count=3)
    scan(receiver, handover, "receiver", numbers[:2], count=2, minutes=2)
    missing = find(numbers[2])
    until(lambda: open_alerts(handover) == {("short", missing)})
    alert = Alert.objects.get(about=handover, kind="short")
    assert alert.facility == HandoverScan.objects.filter(handover=handover, side="receiver")[0].facility


def test_a_late_scan_settles_a_short_item(giver, receiver, handover):
    numbers = [new_number() for _ in range(2)]
    scan(giver, handover, "giver", numbers, count=2)
    scan(receiver, handover, "receiver", numbers[:1], count=1, minutes=2)
    until(lambda: open_alerts(handover))
    scan(receiver, handover, "receiver", numbers[1:], count=2, minutes=3)
    until(lambda: open_alerts(handover) == set())
    assert Alert.objects.get(about=handover).closed_at is not None


def test_what_was_never_given_is_unexpected(giver, receiver, handover):
    numbers = [new_number() for _ in range(2)]
    scan(giver, handover, "giver", numbers[:1], count=1)
    scan(receiver, handover, "receiver", numbers, count=2, minutes=2)
    judge(handover)
    assert ("unexpected", find(numbers[1])) in open_alerts(handover)


def test_a_larger_count_stays_an_alert_until_it_is_settled(giver, receiver, handover):
    numbers = [new_number() for _ in range(3)]
    scan(giver, handover, "giver", numbers[:2], count=2)
    scan(receiver, handover, "receiver", numbers, count=3, minutes=2)
    for _ in range(3):
        judge(handover)
        assert ("over", None) in open_alerts(handover)
    scan(giver, handover, "giver", numbers[2:], count=3, minutes=3)
    judge(handover)
    assert open_alerts(handover) == set()


def test_judging_again_changes_nothing(giver, receiver, handover):
    numbers = [new_number() for _ in range(3)]
    scan(giver, handover, "giver", numbers, count=3)
    scan(receiver, handover, "receiver", numbers[:1], count=1, minutes=2)
    judge(handover)
    before = list(Alert.objects.filter(about=handover).order_by("id").values())
    judge(handover)
    judge(handover, after=PATIENCE)
    assert list(Alert.objects.filter(about=handover).order_by("id").values()) == before
    assert len(before) == 2


def test_while_they_may_still_be_scanning_nobody_is_bothered(giver, receiver, handover):
    numbers = [new_number() for _ in range(3)]
    scan(giver, handover, "giver", numbers, count=3)
    scan(receiver, handover, "receiver", numbers[:1], count=3, minutes=2)
    judge(handover)
    assert open_alerts(handover) == set()
    follows.keep_house(dt.datetime.now(dt.UTC) + PATIENCE)
    assert open_alerts(handover) == {("short", item) for item in items(numbers[1:])}


def test_a_side_that_never_comes_is_noticed(giver, handover):
    numbers = [new_number() for _ in range(2)]
    scan(giver, handover, "giver", numbers)
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) == {("short", item) for item in items(numbers)}


def test_an_alert_that_a_person_closed_stays_closed(giver, receiver, handover, installation):
    from parcelward.parcels import actions
    from parcelward.people.actions import installer

    numbers = [new_number() for _ in range(2)]
    scan(giver, handover, "giver", numbers, count=2)
    scan(receiver, handover, "receiver", numbers[:1], count=1, minutes=2)
    judge(handover)
    actions.close_alert(Alert.objects.get(about=handover).id, by=installer())
    judge(handover)
    assert open_alerts(handover) == set()


def test_items_that_only_a_count_knows_of_are_missing_too(giver, receiver, handover):
    numbers = [new_number() for _ in range(3)]
    scan(giver, handover, "giver", numbers, count=5)
    scan(receiver, handover, "receiver", numbers, count=3, minutes=2)
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) == {("short", None)}
    scan(receiver, handover, "receiver", numbers[:1], count=5, minutes=3)
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) == set()


def test_one_device_cannot_sign_for_both_sides(giver, handover):
    numbers = [new_number() for _ in range(2)]
    scan(giver, handover, "giver", numbers, count=2)
    scan(giver, handover, "receiver", numbers, count=2, minutes=2)
    judge(handover)
    assert open_alerts(handover) == {("one_hand", None)}


def test_a_scan_that_was_declared_wrong_is_no_sight_of_the_item(giver, receiver, handover):
    here, elsewhere = new_number(), new_number()
    scan(giver, handover, "giver", [here], count=1)
    signed = {"id": handover, "side": "receiver", "count": 1}
    wrong = event(elsewhere, "handed_over", minutes=2, facility="TEST-B", handover=signed)
    receiver.send(wrong)
    judge(handover)
    assert open_alerts(handover) == {("short", find(here)), ("unexpected", find(elsewhere))}
    declared = {"event_id": wrong["event_id"], "declares": "incorrect_data", "reason": "wrong_item"}
    receiver.send(
        event(elsewhere, "handed_over", minutes=3, facility="TEST-B", handover=signed, corrects=declared),
        event(here, "handed_over", minutes=4, facility="TEST-B", handover=signed),
    )
    until(lambda: open_alerts(handover) == set())


def test_a_strangers_declaration_does_not_take_a_sight_away(giver, receiver, handover, installation):
    number = new_number()
    scan(giver, handover, "giver", [number], count=1)
    seen = event(number, "handed_over", minutes=2, facility="TEST-B", handover={"id": handover, "side": "receiver"})
    receiver.send(seen)
    declared = {"event_id": seen["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    Scanner(installation).send(event(number, "handed_over", minutes=3, facility="TEST-B", corrects=declared))
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) == set()


def test_a_handover_that_went_unjudged_while_no_worker_ran_is_judged_at_the_next_start(giver, handover, monkeypatch):
    numbers = [new_number() for _ in range(2)]
    scan(giver, handover, "giver", numbers)
    until(lambda: HandoverScan.objects.filter(handover=handover).count() == 2)
    monkeypatch.setattr(follows, "_kept_house_at", None)
    follows.keep_house(dt.datetime.now(dt.UTC) + dt.timedelta(hours=20))
    assert open_alerts(handover) == {("short", item) for item in items(numbers)}


def test_what_a_late_side_brings_is_settled_before_the_rest_has_come(giver, receiver, handover):
    numbers = [new_number() for _ in range(3)]
    scan(giver, handover, "giver", numbers, count=3)
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) == {("short", item) for item in items(numbers)}
    scan(receiver, handover, "receiver", numbers[:2], count=3, minutes=2)
    until(lambda: open_alerts(handover) == {("short", find(numbers[2]))})
    scan(receiver, handover, "receiver", numbers[2:], count=3, minutes=3)
    until(lambda: open_alerts(handover) == set())


def test_a_late_giver_settles_what_was_unexpected(giver, receiver, handover):
    numbers = [new_number() for _ in range(2)]
    scan(receiver, handover, "receiver", numbers, count=2, minutes=2)
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) >= {("unexpected", item) for item in items(numbers)}
    scan(giver, handover, "giver", numbers[:1], count=2)
    until(lambda: ("unexpected", find(numbers[0])) not in open_alerts(handover))
    assert ("unexpected", find(numbers[1])) in open_alerts(handover)
    scan(giver, handover, "giver", numbers[1:], count=2, minutes=1)
    until(lambda: open_alerts(handover) == set())


# Ids are made up by both sides, so others may use the same ------------------------------------------------------------


def by_key(installation, handover, side, *numbers, count=0, **more):
    """Sign as a partner's system: with a key, and whatever party it likes."""
    token = people.make_key("a partner's system", Role.PARTNER, by=people.installer(), mode="test")
    signed = {"id": handover, "side": side, "count": count, "party": more.pop("party", "")}
    events = [event(n, "handed_over", minutes=3, facility="TEST-B", handover=signed, **more) for n in numbers]
    headers = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{installation.url}/api/v1/scans", json=events, headers=headers, timeout=30).raise_for_status()


def test_two_pairs_that_use_the_same_id_are_judged_by_themselves(giver, receiver, handover, installation):
    other_giver, other_receiver = Scanner(installation), Scanner(installation)
    ours, theirs = [new_number() for _ in range(2)], [new_number() for _ in range(3)]
    scan(giver, handover, "giver", ours, count=2)
    scan(other_giver, handover, "giver", theirs, count=3)
    scan(receiver, handover, "receiver", ours, count=2, minutes=2)
    judge(handover)
    assert open_alerts(handover) == set(), "the other pair is still scanning"
    scan(other_receiver, handover, "receiver", theirs[:2], count=2, minutes=2)
    judge(handover)
    assert open_alerts(handover) == {("short", find(theirs[2]))}
    scan(other_receiver, handover, "receiver", theirs[2:], count=3, minutes=3)
    judge(handover)
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) == set()


@pytest.mark.parametrize("in_the_receivers_name", [False, True])
def test_a_stranger_cannot_complete_a_handover(giver, receiver, handover, installation, in_the_receivers_name):
    numbers = [new_number() for _ in range(3)]
    scan(giver, handover, "giver", numbers, count=3)
    scan(receiver, handover, "receiver", numbers[:2], count=2, minutes=2)
    judge(handover)
    missing = find(numbers[2])
    assert open_alerts(handover) == {("short", missing)}
    by_key(installation, handover, "receiver", *numbers, count=3, party=receiver.device_id[:8] * in_the_receivers_name)
    judge(handover)
    assert open_alerts(handover) == {("short", missing)}, "it is still not there"
    claimed = {("unexpected", one) for one in items(numbers)} | {("over", None)}

    def found():
        judge(handover, after=PATIENCE)  # the worker judges beside us, by its own clock, and closes what is not yet due
        return open_alerts(handover)

    until(lambda: found() == {("short", missing)} | claimed)


def test_a_stranger_cannot_hide_what_was_never_given(giver, receiver, handover, installation):
    numbers = [new_number() for _ in range(2)]
    scan(giver, handover, "giver", numbers[:1], count=1)
    scan(receiver, handover, "receiver", numbers, count=2, minutes=2)
    by_key(installation, handover, "giver", numbers[1], count=1)
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) >= {("unexpected", find(numbers[1])), ("over", None)}


def test_a_stranger_cannot_take_a_sight_away_by_signing_over_it(giver, receiver, handover, installation):
    number, stranger = new_number(), Scanner(installation)
    scan(giver, handover, "giver", [number], count=1)
    scan(receiver, handover, "receiver", [number], count=1, minutes=2)
    signed = {"id": handover, "side": "receiver", "count": 9, "party": receiver.device_id[:8]}
    over = event(number, "handed_over", minutes=5, facility="TEST-B", handover=signed)
    stranger.send(over)
    declared = {"event_id": over["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    stranger.send(event(number, "handed_over", minutes=6, facility="TEST-B", corrects=declared))
    judge(handover, after=PATIENCE)
    assert open_alerts(handover) == set()


def test_judging_a_large_handover_again_is_work_for_each_item_once(giver, receiver, handover):
    """Ten thousand missing items, and each later scan of the same handover, must not keep all followers waiting."""
    n = 600
    scan(giver, handover, "giver", [new_number() for _ in range(n)], count=n)
    scan(receiver, handover, "receiver", [new_number()], count=1, minutes=2)
    judge(handover)
    assert len(open_alerts(handover)) == n + 1
    asked: list[tuple[str, Any]] = []

    def listen(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(listen):
        judge(handover)
    with transaction.atomic(), connections["default"].cursor() as cur:
        rows = 0.0
        for sql, params in asked:
            cur.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            (plans,) = cur.fetchone()
            rows += touched((json.loads(plans) if isinstance(plans, str) else plans)[0]["Plan"])
        transaction.set_rollback(True)
    assert rows < 40 * n, f"{rows} rows looked at for {n} items"


@pytest.mark.parametrize("givers", [1, 2_000])
def test_who_names_another_party_with_each_scan_keeps_nobody_waiting(givers):
    """Two thousand givers, each compared with each of as many receivers, took 5 s of CPU; by item it is 0.01 s."""
    now = dt.datetime.now(dt.UTC)
    things = [uuid.UUID(int=n) for n in range(2_000)]
    sights = [rules.Sight("giver", item, 1, 0, now, 1, f"party G{n % givers}") for n, item in enumerate(things)]
    sights += [rules.Sight("receiver", item, 2, 0, now, 2, f"party R{n}") for n, item in enumerate(things)]
    began = time.process_time()
    found = handovers.pairs(sights)
    assert time.process_time() - began < 2
    assert sum(map(len, found)) == len(sights)
    assert sum({sight.side for sight in pair} == {"giver", "receiver"} for pair in found) == givers


def touched(plan: dict[str, Any]) -> float:
    """Return how many rows the steps of a plan gave out or threw away."""
    removed = sum(rows for name, rows in plan.items() if name.startswith("Rows Removed by"))
    return float((plan["Actual Rows"] + removed) * plan["Actual Loops"]) + sum(map(touched, plan.get("Plans", [])))


def test_several_devices_of_one_party_are_one_side(giver, receiver, handover, installation):
    numbers, second = [new_number() for _ in range(3)], Scanner(installation)
    scan(giver, handover, "giver", numbers, count=3)
    scan(receiver, handover, "receiver", numbers[:2], count=3, minutes=2)
    second.device_id = receiver.device_id
    scan(second, handover, "receiver", numbers[1:], count=3, minutes=2)
    judge(handover)
    assert open_alerts(handover) == set()
    assert HandoverScan.objects.filter(handover=handover, side="receiver").count() == 4
