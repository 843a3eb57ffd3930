"""What takes two people, as two people do it: at the desk, each with a passkey of their own."""

from __future__ import annotations

import html
import re
import uuid

import pytest
from tests.people.staffing import facts, member, said_in, sender
from tests.scanner import event

from parcelward.parcels import actions, queries
from parcelward.people.models import Invitation, Membership, Organisation, TwoPeople, User
from parcelward.people.wire import Role

LIST = "/app/desk/two-people"


@pytest.fixture
def held(scanner, number):
    """An item that a device held for security."""
    scanner.send(event(number, "accepted"), event(number, "held", minutes=5, reason="security_hold"))
    return number


@pytest.fixture
def two(staff, browser, link):
    """Two people who may both release and erase, and have just proven who they are."""
    first, second = staff("inspector"), staff("administrator")
    assert first.prove().status_code == second.prove().status_code == 302
    return first, second


def item_of(number):
    found = queries.find(number)
    assert found is not None
    return found


def is_held(number):
    return queries.journey(item_of(number)).held


def settle(browser, what, title):
    """Press what stands beside a line of the list."""
    page = browser.http.get(LIST).text
    lines = [line for line in page.split("<li>") if title in html.unescape(line)]
    assert len(lines) == 1, page
    found = re.search(rf'href="({LIST}/[^"]+/{what})"', lines[0])
    assert found, lines[0]
    return browser.post(found[1], found[1])


def test_an_item_held_for_security_goes_on_when_two_people_agree(two, held, scanner):
    first, second = two
    address = f"/app/desk/items/{held}/release"
    assert first.http.get(address).headers["location"] == f"{address}-security"
    asked = first.post(f"{address}-security", f"{address}-security", reason="checked by dogs")
    assert (asked.status_code, asked.headers["location"]) == (302, LIST), asked.text
    assert is_held(held)
    item = item_of(held)
    title = f"Release {queries.number_of(item)}"[:12]
    assert "Withdraw" in first.http.get(LIST).text
    request = TwoPeople.objects.get(task="release_security", subject=str(item))
    for deed in ("agree", "refuse"):
        assert first.http.get(f"{LIST}/requests/{request.id}/{deed}").status_code == 404, title
    agreed = second.post(f"{LIST}/requests/{request.id}/agree", f"{LIST}/requests/{request.id}/agree")
    assert agreed.status_code == 302, agreed.text
    assert not is_held(held)
    assert "Agreed, and done." in second.http.get(LIST).text
    assert [one["request"] for one in facts("people.two_agreed", request=str(request.id))] == [str(request.id)]


def test_another_hold_on_top_does_not_make_it_one_persons_to_release(two, held):
    from parcelward.base.errors import Conflict
    from parcelward.people.queries import person_of

    first, _second = two
    user = User.objects.get(id=uuid.UUID(first.passkey.user_handle.decode()))
    user.acting = Membership.objects.get(user=user, ended_at=None).id
    inspector, item = person_of(user), item_of(held)
    actions.hold(item, "a look", by=inspector)
    story = [one for one in queries.story(item, by=inspector) if one.entry.step.word == "held"]
    with pytest.raises(Conflict) as caught:
        actions.release(item, "looked", by=inspector)
    assert caught.value.code == "two_people"
    for one in story:  # a hold that never was would let it go, too
        with pytest.raises(Conflict) as caught:
            actions.correct(item, uuid.UUID(str(one.entry.event_id)), "did_not_occur", "mistaken", by=inspector)
        assert caught.value.code == "two_people"
    assert is_held(held)


def test_a_hold_for_anything_else_is_still_released_by_one(two, scanner, number):
    scanner.send(event(number, "accepted"), event(number, "held", minutes=5, reason="address_unclear"))
    first, _second = two
    address = f"/app/desk/items/{number}/release"
    assert first.post(address, address, reason="clear now").status_code == 302
    assert not is_held(number)


def test_a_record_is_erased_by_two_and_a_legal_hold_keeps_it(two, scanner, number):
    scanner.send(event(number, "accepted"))
    first, second = two
    erase, hold = (f"/app/desk/items/{number}/{what}" for what in ("erase", "legal-hold"))
    unsaid = first.post(erase, erase, reason="")
    assert (unsaid.status_code, "Give a reason" in unsaid.text) == (422, True)
    assert first.post(erase, erase, reason="asked by the sender").status_code == 302
    assert first.post(erase, erase, reason="asked by the sender").status_code == 302  # twice is once
    item = item_of(number)
    assert [row["item"] for row in facts("custody.erasure_requested", item=str(item))] == [str(item)]
    waiting = next(row for row in _erasures(second) if row.item == item)
    agree = f"{LIST}/erasures/{waiting.id}/agree"
    assert first.http.get(agree).status_code == 404
    assert second.post(hold, hold, reason="case 12").status_code == 302
    assert second.http.get(agree).status_code == 404  # a legal hold keeps it
    assert "case 12" in second.http.get(LIST).text
    assert second.post(hold, hold).status_code == 302
    assert second.post(agree, agree).status_code == 302
    waiting = next(row for row in _erasures(second) if row.item == item)
    assert waiting.not_before is not None
    withdraw = f"{LIST}/erasures/{waiting.id}/withdraw"
    assert first.post(withdraw, withdraw).status_code == 302
    assert not [row for row in _erasures(second) if row.item == item]


def _erasures(browser):
    from parcelward.people.queries import person_of

    user = User.objects.get(id=uuid.UUID(browser.passkey.user_handle.decode()))
    user.acting = Membership.objects.get(user=user, ended_at=None).id
    return queries.waiting_erasures(by=person_of(user))


def test_a_role_changes_and_a_passkey_is_replaced_on_the_screens(two, browser, link):
    _first, boss = two
    other = browser()
    other.join(link("administrator"))
    other.prove()
    colleague = browser()
    colleague.join(link("clerk"))
    user = User.objects.get(id=uuid.UUID(colleague.passkey.user_handle.decode()))
    membership = Membership.objects.get(user=user, ended_at=None)
    change = f"/app/organisation/members/{membership.id}/role"
    asked = boss.post(change, change, role="sorter", reason="moves to the hall")
    assert (asked.status_code, asked.headers["location"]) == (302, LIST), asked.text
    assert settle(other, "agree", f"Make {user.login}").status_code == 302
    assert list(Membership.objects.filter(user=user, ended_at=None).values_list("role", flat=True)) == ["sorter"]
    assert colleague.http.get("/app/account").status_code == 302  # signed out of the old role
    lost = "/app/desk/re-enrol"
    unknown = boss.post(lost, lost, login="nobody-at-all", document="passport")
    assert (unknown.status_code, "nobody-at-all" in unknown.text) == (422, True)
    assert boss.post(lost, lost, login=user.login, document="passport").status_code == 302
    shown = settle(other, "agree", f"lost passkey of {user.login}")
    assert shown.status_code == 200
    url = re.search(r'data-copy="([^"]+#code=[^"]+)"', shown.text)
    assert url
    fresh = browser()
    assert fresh.join(url[1]).status_code == 302
    assert fresh.signed_in()
    assert not Invitation.objects.filter(user=user, re_enrols=True, taken_at=None).exists()


def test_an_invitation_to_look_into_others_affairs_opens_when_a_second_person_agreed(two, browser, link):
    _first, boss = two
    other = browser()
    other.join(link("administrator"))
    other.prove()
    operator = Organisation.objects.get(kind="operator").id
    page = f"/app/organisations/{operator}/invite"
    made = _invited(boss, page, "inspector")
    assert "Another person must agree" in made.text
    url = said_in(r'data-copy="([^"]+)"', made.text)
    code = url.partition("#code=")[2]
    early = browser()
    assert early.post("/accounts/join", "/accounts/join", code=code).status_code == 409
    login = said_in(r"<code>(inspector-\w+)</code>", made.text)
    agreed = settle(other, "agree", login)
    second = said_in(r'data-copy="([^"]+)"', agreed.text)
    assert (agreed.status_code, code in agreed.text, second in made.text) == (200, False, False)
    assert second not in other.http.get(LIST).text, "it was shown once"
    asked = early.post("/accounts/join", "/accounts/join", code=code)
    assert ("Type the second code" in asked.text, "passkey-options" in asked.text) == (True, False)
    wrong = early.post("/accounts/join", "/accounts/join", code=code, second="2222-2222")
    assert (wrong.status_code, "not right" in wrong.text, "passkey-options" in wrong.text) == (422, True, False)
    fresh = said_in(r'data-copy="([^"]+)"', settle(other, "agree", login).text)
    ended = early.post("/accounts/join", "/accounts/join", code=code, second=second)
    assert (fresh != second, ended.status_code) == (True, 422), "a fresh code ends the one before"
    assert early.join(url, second=fresh.lower().replace("-", " ")).status_code == 302
    assert early.signed_in()
    assert login not in other.http.get(LIST).text


def _invited(browser, page, role):
    asked = said_in(r'name="asked" value="([^"]+)"', browser.http.get(page).text)
    return browser.post(page, page, role=role, asked=asked)


def test_a_sender_is_made_its_first_administrator_owns_it_and_hands_it_over(two, browser):
    _first, boss = two
    made = boss.post("/app/organisations/make", "/app/organisations/make", kind="sender", name="Stamps & Co")
    assert made.status_code == 302, made.text
    address = made.headers["location"]
    page = f"{address}/invite"
    owner, heir = browser(), browser()
    for inviting, one, role in ((boss, owner, "sender_admin"), (owner, heir, "sender_member")):
        url = said_in(r'data-copy="([^"]+)"', _invited(inviting, page, role).text)
        assert one.join(html.unescape(url)).status_code == 302
        one.prove()
    rows = {row.role: row for row in Membership.objects.filter(organisation=address.rsplit("/", 1)[1], ended_at=None)}
    assert rows["sender_admin"].owner
    listed = owner.http.get("/app/organisation").text
    assert "Stamps &amp; Co" in listed
    assert rows["sender_member"].user.login in listed
    owner.prove()
    over = f"/app/organisation/members/{rows['sender_member'].id}/hand-over"
    assert owner.post(over, over).status_code == 302
    now = {row.user_id: row for row in Membership.objects.filter(organisation=rows["sender_admin"].organisation_id,
                                                                 ended_at=None)}  # fmt: skip
    assert now[rows["sender_member"].user_id].owner
    assert (now[rows["sender_admin"].user_id].role, now[rows["sender_admin"].user_id].owner) == ("sender_member", False)
    owner.sign_in()
    assert owner.http.get("/app/organisation").status_code == 404


def test_an_organisation_is_suspended_and_resumed_on_the_screen(two, browser, link):
    _first, boss = two
    tenant = sender("Suspended Shop")
    theirs = browser()
    theirs.join(link("sender_admin", tenant))
    assert theirs.http.get("/app/organisation").status_code == 200
    address = f"/app/organisations/{tenant}/suspend"
    assert boss.post(address, address).status_code == 302
    assert theirs.http.get("/app/organisation").status_code == 302
    theirs.sign_in()
    assert theirs.http.get("/app/organisation").status_code == 404
    assert boss.post(address, address).status_code == 302
    theirs.post("/accounts/sign-out", "/app/account")
    theirs.sign_in()
    assert theirs.http.get("/app/organisation").status_code == 200


def test_a_training_is_noted_and_revoked_on_the_screen(two):
    _first, boss = two
    user, membership = member(Role.CLERK)
    here = f"/app/organisation/members/{membership.id}"
    page = f"{here}/certificates"
    wrong = boss.post(page, page, **{"from": "2027-01-01", "until": "tomorrow", "training": "dangerous_goods"})
    assert (wrong.status_code, "2027-01-01" in wrong.text) == (422, True)
    good = boss.post(page, page, **{"from": "2026-01-01", "until": "2027-12-31", "training": "dangerous_goods"})
    assert (good.status_code, good.headers["location"]) == (302, here), good.text
    shown = boss.http.get(here).text
    revoke = said_in(rf'href="({page}/[^"]+/revoke)"', shown)
    assert boss.post(revoke, revoke).status_code == 302
    assert "revoked" in boss.http.get(here).text
    assert facts("people.certificate_revoked")[-1]["certificate"] in revoke
    assert user.is_active


@pytest.mark.asvs("8.1.1")
def test_the_roles_page_is_the_table(staff):
    page = html.unescape(staff("clerk").http.get("/app/roles").text)
    assert "accept dangerous goods needs a certificate: dangerous goods" in re.sub(r"<[^>]+>|\s+", " ", page).replace(
        "  ", " "
    )
    assert page.count("takes two people") >= 6
    assert "_" not in re.sub(r"<[^>]+>", "", page.split("<main")[1])  # each task has words


def test_start_leads_each_role_to_what_it_may(staff):
    assert LIST in staff("clerk").http.get("/app/").text
    clerk, courier = staff("clerk").http.get("/app/").text, staff("courier").http.get("/app/").text
    assert ("/app/organisation" in clerk, LIST in courier) == (False, False)
    assert "/app/organisations" in staff("administrator").http.get("/app/").text
