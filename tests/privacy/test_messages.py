"""Messages: sealed while they wait, sent at least once, put off and given up; simulated ones are marked as such."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
import stat
import uuid

import pytest
from django.db import transaction
from django.utils import timezone
from tests.privacy.conftest import person
from tests.scanner import until

from parcelward.base import config
from parcelward.base.errors import Invalid
from parcelward.base.vault import VaultToken
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.privacy import actions, normal, wording
from parcelward.privacy.errors import NotInVault
from parcelward.privacy.models import Disclosure, Message
from parcelward.privacy.wire import Field, Kind


@pytest.fixture
def token(machinery, anna) -> VaultToken:
    return actions.put({Field.EMAIL: anna[Field.EMAIL]}, kind=Kind.ADDRESSEE, by=machinery)


def letters(to: str):
    """Return the simulated messages to an address, oldest first."""
    found = []
    for path in (config.get().home / "mail").glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if message["To"] == to:
            found.append((path, message))
    return found


def later(row: int) -> Message:
    """Put a message where the worker's clock does not reach, and return it."""
    return Message.objects.get(pk=row)


def test_a_message_is_sent_by_the_worker_and_marked_as_simulated(machinery, token, anna):
    values = {"code": "183920", "minutes": "10"}
    number = actions.send(token, "code", values, by=machinery, now=timezone.now())
    until(lambda: Message.objects.get(pk=number).sent_at is not None)
    [(path, message)] = letters(anna[Field.EMAIL])
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert message["X-Parcelward-Simulated"]
    assert message["Subject"] == "[SIMULATED] Your code for Example Post"
    assert "Your code is 183920. It holds for 10 minutes" in message.get_content()
    assert anna[Field.EMAIL] not in path.name
    row = Message.objects.get(pk=number)
    assert (row.sealed, row.due_at) == (None, None)
    assert Disclosure.objects.filter(person=token, purpose="sign_in").count() == 1


def test_what_waits_is_sealed(machinery, token):
    with transaction.atomic():
        number = actions.send(token, "code", {"code": "736251", "minutes": "10"}, by=machinery, now=timezone.now())
        sealed = Message.objects.get(pk=number).sealed
        assert sealed is not None
        assert b"736251" not in bytes(sealed)
        transaction.set_rollback(True)
    assert not Message.objects.filter(pk=number).exists()


def test_nobody_gets_a_message_that_is_not_known_or_holds_a_foreign_address(machinery, token):
    now = timezone.now()
    for template, values in (
        ("nothing", {}),
        ("../code", {}),
        ("code", {"code": "see https://evil.example/pay"}),
        ("code", {"code": "www.evil.example"}),
        ("code", {"code": config.get().public_url + ".evil.example/"}),
        ("code", {"code": "x" * 3000}),
    ):
        with pytest.raises(Invalid):
            actions.send(token, template, values, by=machinery, now=now)
    with pytest.raises(NotInVault):
        actions.send(VaultToken(uuid.uuid4()), "code", {}, by=machinery, now=now)
    with pytest.raises(MayNot):
        actions.send(token, "code", {}, by=person(Role.ADDRESSEE), now=now)
    assert not Message.objects.filter(person=token).exists()


def test_no_message_of_ours_holds_an_address_or_asks_for_data_or_money():
    import parcelward

    folder = next(iter(parcelward.__path__))
    from pathlib import Path

    files = sorted(Path(folder).rglob("templates/messages/*.txt"))
    assert [path.stem for path in files if wording.foreign_addresses(path.read_text())] == []
    asks = re.compile(r"(?i)\b(pay|card|bank|click|password|passport number|social security)\b")
    assert [path.stem for path in files if asks.search(path.read_text())] == []
    assert {"code", "new_device"} <= {path.stem for path in files}


def test_somebody_without_an_address_gets_none_and_the_message_is_given_up(machinery, anna):
    token = actions.put({Field.NAME: anna[Field.NAME]}, kind=Kind.ADDRESSEE, by=machinery)
    number = actions.send(token, "code", {"code": "1"}, by=machinery, now=timezone.now())
    until(lambda: Message.objects.get(pk=number).parked_at is not None)
    assert Message.objects.get(pk=number).why == "no_address"


@pytest.mark.asvs("1.3.3", "1.3.11")
def test_an_address_that_no_header_can_hold_delays_nobody(machinery, anna, monkeypatch):
    with pytest.raises(Invalid):
        actions.put({Field.EMAIL: "a,<b@[;:.example"}, kind=Kind.ADDRESSEE, by=machinery)
    monkeypatch.setattr(normal, "_EMAIL", re.compile(".*"))  # one that was kept before anybody looked
    odd = actions.put({Field.EMAIL: "a,<b@[;:.example"}, kind=Kind.ADDRESSEE, by=machinery)
    good = actions.put({Field.EMAIL: anna[Field.EMAIL]}, kind=Kind.ADDRESSEE, by=machinery)
    first, second = (
        actions.send(token, "code", {"code": "1"}, by=machinery, now=timezone.now()) for token in (odd, good)
    )
    until(lambda: Message.objects.get(pk=second).sent_at is not None)
    until(lambda: Message.objects.get(pk=first).due_at is None)


def test_a_message_that_is_leased_is_nobody_elses_until_the_lease_ends(machinery, token):
    from parcelward.privacy.actions import messages

    far = timezone.now() + dt.timedelta(days=4000)  # beyond the clock of the worker, which would take it
    number = actions.send(token, "code", {"code": "1"}, by=machinery, now=far)
    first = [one.id for one in messages._lease(far)]
    assert number in first
    assert number not in [one.id for one in messages._lease(far + messages.LEASE / 2)]
    assert number in [one.id for one in messages._lease(far + messages.LEASE)]
    Message.objects.filter(pk=number).delete()
