"""Rules at the desk, on a telephone and a screen: write with a mistake, try, shadow, two people, take back, snooze."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from tests.browser.conftest import picture, storage, violations
from tests.browser.shown_by_routes import learnt_model
from tests.joined import apart
from tests.people.staffing import somebody
from tests.risk.ordered import order

from parcelward.people.wire import Role
from parcelward.risk import actions, queries
from parcelward.risk.models import LearntModel, Outcome, Pick, RuleVersion, Snooze
from parcelward.risk.wire import Answer, OrderFacts

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812}


def holds(page: Page, axe: str, width: int, name: str) -> None:
    """Assert what must be true of every screen, and take its picture."""
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url
    picture(page, f"rules-{name}-{width}", kept=name in {"wrong", "tried"})


def past_orders(service: str) -> list[OrderFacts]:
    """Let five orders of a service be decided, of which two are disputed later."""
    by = somebody(Role.ADMINISTRATOR)
    made = [order(service=service) for _ in range(5)]
    for one in made:
        actions.decide(one, by=by)
    for one in made[:2]:
        actions.outcome_of_order(one.order, fraud=True, at=one.at, by=by)
    return made


@pytest.mark.parametrize("width", WIDTHS)
def test_write_a_rule_with_a_mistake_try_it_and_let_two_people_let_it_act(
    opened: Any, staff: Any, live_url: str, axe: str, width: int
) -> None:
    boss = staff("administrator")
    boss.prove()
    service, code = f"only-{os.urandom(3).hex()}", f"r_{os.urandom(4).hex()}"
    apart(lambda: past_orders(service))
    page = opened(width, WIDTHS[width], storage_state=storage(boss))
    page.goto(f"{live_url}/app/")
    page.click("text=Rules about orders")
    expect(page.locator("main")).to_contain_text("Many different cards were tried from one device within an hour")
    holds(page, axe, width, "list")
    page.click("text=Write a rule")
    page.fill("#code", code)
    page.fill("#text", f'servise == "{service}" and items < 9')
    page.fill("#words", "This service is looked at")
    page.click("button:has-text('Keep it as a draft')")
    expect(page.locator("mark")).to_have_text("servise1")
    expect(page.locator(".pw-wrong")).to_contain_text("Did you mean service?")
    expect(page.locator("#words")).to_have_value("This service is looked at")
    holds(page, axe, width, "wrong")
    page.fill("#text", f'service == "{service}" and\nitems < 9')
    page.click("button:has-text('Try it on past orders')")
    expect(page.locator("#tried")).to_contain_text("Would have shown 0 orders to a person")  # nobody said how many
    page.fill("#text", f'service == "{service}"')
    page.check("#answer-hold")
    page.click("button:has-text('Try it on past orders')")
    expect(page.locator("#tried")).to_contain_text("Would have stopped 5 orders, 2 of them later disputed.")
    holds(page, axe, width, "tried")
    assert apart(lambda: RuleVersion.objects.filter(rule=code).count()) == 0
    page.click("button:has-text('Keep it as a draft')")
    expect(page.get_by_role("status").first).to_contain_text("Nobody's order is asked about it yet")
    page.click("button:has-text('Put it in shadow')")
    page.click("button:has-text('Try it on past orders')")
    expect(page.locator("#tried")).to_contain_text("2 of them later disputed")
    holds(page, axe, width, "one")
    page.click("text=Let it act")
    page.fill("#reason", "as agreed on Monday")
    page.click("button:has-text('Ask a second person')")
    expect(page.get_by_role("alert")).to_contain_text("would stop many recent orders")
    holds(page, axe, width, "many")
    page.check("#many")
    page.click("button:has-text('Ask a second person')")
    expect(page.locator("main")).to_contain_text("Waits for a second person")
    row = apart(lambda: RuleVersion.objects.get(rule=code))
    assert row.stage == "shadow"
    apart(lambda: _agree(code))
    stopped = apart(lambda: actions.decide(order(service=service), by=somebody(Role.ADMINISTRATOR)))
    assert stopped.answer is Answer.HOLD
    _its_hits_a_snooze_and_the_end(page, axe, width, live_url, code, str(stopped.order))


def _agree(code: str) -> None:
    second = somebody(Role.INSPECTOR)
    asked = next(one.request for one in queries.rules(by=second) if one.rule == code and one.request)
    actions.agree_to_rule(asked, by=second)


def _its_hits_a_snooze_and_the_end(page: Page, axe: str, width: int, live_url: str, code: str, stopped: str) -> None:
    page.reload()
    expect(page.locator("main")).to_contain_text("about 1 order in 7 days")
    page.click("text=Let it not count for one customer")
    page.fill("#order", "ord_none")
    page.click("button:has-text('Let it not count')")
    expect(page.get_by_role("alert")).to_contain_text("Choose for how long")
    page.check("#days-7")
    page.fill("#reason", "has called and shown an invoice")
    page.click("button:has-text('Let it not count')")
    expect(page.get_by_role("alert")).to_contain_text("No such order")
    holds(page, axe, width, "snooze")
    page.fill("#order", stopped)
    page.click("button:has-text('Let it not count')")
    expect(page.locator(".pw-lines")).to_contain_text("has called and shown an invoice")
    holds(page, axe, width, "snoozes")
    page.locator("li", has_text=code).get_by_role("button").click()
    expect(page.get_by_role("status").first).to_contain_text("The rule counts again")
    assert apart(lambda: Snooze.objects.get(rule=code).ended_at) is not None
    page.goto(f"{live_url}/app/rules")
    page.click("text=This service is looked at")
    page.click("text=Retire it")
    holds(page, axe, width, "retire")
    page.click("button:has-text('Retire it')")
    expect(page.locator("main")).to_contain_text("It is retired.")
    assert apart(lambda: RuleVersion.objects.get(rule=code).stage) == "retired"


@pytest.mark.parametrize("width", WIDTHS)
def test_let_a_model_score_and_take_it_away(opened: Any, staff: Any, live_url: str, axe: str, width: int) -> None:
    boss = staff("administrator")
    boss.prove()
    made = apart(lambda: LearntModel.objects.get(pk=learnt_model(somebody(Role.ADMINISTRATOR))))
    page = opened(width, WIDTHS[width], storage_state=storage(boss))
    page.goto(f"{live_url}/app/rules")
    page.click("text=Models of fraud")
    expect(page.locator("main")).to_contain_text("Learnt from 51200 orders, 412 of them fraud.")
    expect(page.locator("main")).to_contain_text("average precision 0.713")
    holds(page, axe, width, "models")
    page.locator("li", has_text=made.digest[:12]).get_by_text("Let it score").click()
    holds(page, axe, width, "choose")
    page.click("button:has-text('Let it score')")
    expect(page.get_by_role("status").first).to_contain_text("It scores.")
    assert apart(lambda: LearntModel.objects.get(pk=made.id).stage) == "champion"
    page.locator("li", has_text=made.digest[:12]).get_by_text("Retire it").click()
    page.click("button:has-text('Retire it')")
    expect(page.get_by_role("status").first).to_contain_text("It is retired.")
    assert apart(lambda: LearntModel.objects.get(pk=made.id).stage) == "retired"


@pytest.mark.parametrize("width", WIDTHS)
def test_say_what_answers_cost_and_what_was_fraud(opened: Any, staff: Any, live_url: str, axe: str, width: int) -> None:
    boss = staff("administrator")
    boss.prove()
    made = apart(lambda: actions.decide(order(), by=somebody(Role.ADMINISTRATOR)))
    why = "account_order_count_1h device_order_count_1d"
    apart(lambda: Pick.objects.create(decision_id=made.id, by="surprise", why=why, at=timezone.now()))
    page = opened(width, WIDTHS[width], storage_state=storage(boss))
    page.goto(f"{live_url}/app/rules")
    page.click("text=Orders to look at")
    mine = page.locator("li", has_text=str(made.order))
    expect(mine).to_contain_text("unusual")
    holds(page, axe, width, "looks")
    mine.get_by_role("button", name="It is fraud").click()
    expect(page.get_by_role("status").first).to_contain_text("the next model learns from it")
    expect(mine).to_have_count(0)
    assert apart(lambda: Outcome.objects.get(observation=made.order).fraud) is True
    page.click("text=What answers cost, and how many are picked")
    said = {"allow": ("0", "100"), "review": ("3", "30"), "hold": ("6", "5"), "refuse": ("25", "6")}
    for answer, (good, fraud) in said.items():
        page.fill(f"#{answer}-good", good)
        page.fill(f"#{answer}-fraud", fraud)
    page.fill("#looks", "10")
    page.click("button:has-text('Keep it')")
    expect(page.get_by_role("alert")).to_contain_text("the stricter one costs more for a good order")
    page.fill("#refuse-fraud", "0")
    page.click("button:has-text('Keep it')")
    expect(page.locator("main")).to_contain_text("Let it go on, and a person looks")
    holds(page, axe, width, "costs")
    page.locator("text=Write this as a rule").first.click()
    expect(page.locator("#text")).to_have_value(re.compile(r"score > 0\.\d{3}"))
