"""Masked contacts: two people write to each other about an item, and neither learns the other's address."""

from __future__ import annotations

import datetime as dt
import os
import smtplib
import socket
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import pytest
from django.db import connections
from django.utils import timezone
from tests.privacy.contacts import DOMAIN, Pair, give, letter, opened_pair, put_pair, relay_on
from tests.privacy.test_messages import letters
from tests.scanner import until

from parcelward.base.errors import Conflict, NotAllowed, TooMany
from parcelward.people import actions as people
from parcelward.people.wire import Person, Role
from parcelward.privacy import actions
from parcelward.privacy.errors import NotInVault
from parcelward.privacy.models import Contact, ContactEnd, Message
from parcelward.privacy.wire import Answer


@pytest.fixture
def pair(installation, monkeypatch) -> Pair:
    relay_on(monkeypatch)
    return opened_pair()


def got(email: str, subject: str):
    """Return the message with this subject that came to an address, once it did."""
    found: list[EmailMessage] = []

    def came() -> bool:
        found[:] = [one for _, one in letters(email) if subject in one["Subject"]]
        return bool(found)

    until(came)
    return found[-1]


def waiting(pair: Pair) -> int:
    return Message.objects.filter(person=pair.shop, template="contact").count()


def test_both_are_told_and_write_to_each_other(pair):
    first = got(pair.anna_email, "You can write")
    assert first["From"] == pair.to_shop
    assert got(pair.shop_email, "You can write")["From"] == pair.to_anna
    assert give(pair, letter(pair, "Where is it?\nAnna")) is Answer.PASSED
    came = got(pair.shop_email, "My parcel")
    assert (came["From"], came["To"]) == (pair.to_anna, pair.shop_email)
    assert "Where is it?" in came.get_content()
    assert pair.anna_email not in came.as_string()
    back = letter(pair, "At your neighbour's.")
    back.replace_header("From", pair.shop_email)
    assert give(pair, back, sender=pair.shop_email, recipient=pair.to_anna) is Answer.PASSED
    answer = got(pair.anna_email, "My parcel")
    assert answer["From"] == pair.to_shop
    assert pair.shop_email not in answer.as_string()


def test_an_item_has_one_contact_of_two_people_however_often_it_is_opened_at_once(installation, monkeypatch):
    relay_on(monkeypatch)
    _tenant, by, shop, anna, *_ = put_pair()
    item, now = uuid.uuid4(), timezone.now()

    def open_one(turn: int) -> uuid.UUID:
        try:
            two = (shop, anna) if turn % 2 else (anna, shop)
            return actions.open_contact(item, *two, by=by, now=now).ref
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        refs = set(pool.map(open_one, range(16)))
    assert len(refs) == 1
    assert Contact.objects.filter(item=item).count() == 1
    assert ContactEnd.objects.filter(contact=refs.pop()).count() == 2


def test_the_same_mail_twice_goes_once(pair):
    message = letter(pair)
    assert [give(pair, message), give(pair, b"Received: by another\r\n" + message.as_bytes())] == [Answer.PASSED] * 2
    assert waiting(pair) == 1


def test_at_most_ten_an_hour_and_one_notice(pair):
    now = timezone.now()
    said = [give(pair, letter(pair, f"turn {turn}"), now=now) for turn in range(13)]
    assert said == [Answer.PASSED] * 10 + [Answer.TOO_MANY] * 3
    assert waiting(pair) == 10
    assert Message.objects.filter(person=pair.anna, template="contact_too_many").count() == 1
    assert give(pair, letter(pair, "an hour later"), now=now + dt.timedelta(minutes=61)) is Answer.PASSED
    back = letter(pair)
    back.replace_header("From", pair.shop_email)
    assert give(pair, back, sender=pair.shop_email, recipient=pair.to_anna, now=now) is Answer.PASSED


def test_a_closed_contact_passes_nothing_and_a_new_one_has_other_addresses(pair):
    actions.close_contact(pair.ref, by=pair.by, now=timezone.now())
    actions.close_contact(pair.ref, by=pair.by, now=timezone.now())
    assert give(pair, letter(pair)) is Answer.UNKNOWN
    again = actions.open_contact(pair.item, pair.shop, pair.anna, by=pair.by, now=timezone.now())
    assert set(again.reached_at.values()).isdisjoint({pair.to_shop, pair.to_anna})
    assert give(pair, letter(pair)) is Answer.UNKNOWN
    assert waiting(pair) == 0


def test_nobody_is_pestered_with_openings(pair):
    now = timezone.now()
    for _ in range(10):
        ref = actions.open_contact(pair.item, pair.shop, pair.anna, by=pair.by, now=now).ref
        actions.close_contact(ref, by=pair.by, now=now)
    with pytest.raises(TooMany):
        actions.open_contact(pair.item, pair.shop, pair.anna, by=pair.by, now=now)


def test_it_ends_at_its_time_which_is_only_ever_brought_forward(pair):
    now = timezone.now()
    end = now + dt.timedelta(days=14)
    by = people.machinery()
    assert actions.end_contacts(pair.item, end, by=by) == 1
    assert actions.end_contacts(pair.item, end + dt.timedelta(days=1), by=by) == 0
    assert give(pair, letter(pair, "in time"), now=end - dt.timedelta(seconds=1)) is Answer.PASSED
    assert give(pair, letter(pair, "too late"), now=end) is Answer.UNKNOWN


def test_it_ends_two_weeks_after_the_delivery(installation, monkeypatch, scanner):
    from tests.scanner import event, new_number

    from parcelward.parcels import actions as parcels
    from parcelward.parcels import queries
    from parcelward.parcels.actions import contacts as of_items

    relay_on(monkeypatch)
    number = new_number()
    answer = scanner.send(event(number, "accepted"), event(number, "delivered", minutes=5))
    assert answer["accepted"] == 2
    item = queries.find(number)
    assert item is not None
    _tenant, by, shop, anna, *_ = put_pair()
    now = timezone.now()
    opened = parcels.open_contact(item, shop, anna, by=by, now=now)
    until_ = Contact.objects.get(ref=opened.ref).until
    assert opened.until == until_
    assert dt.timedelta(days=13) < until_ - now < dt.timedelta(days=15)
    actions.close_contact(opened.ref, by=by, now=now)
    other = actions.open_contact(item, shop, anna, by=by, now=now)
    assert Contact.objects.get(ref=other.ref).until > now + dt.timedelta(days=100)
    assert of_items.end_delivered(now) >= 1
    assert Contact.objects.get(ref=other.ref).until == until_
    with pytest.raises(Conflict):
        parcels.open_contact(item, shop, anna, by=by, now=now + dt.timedelta(days=20))


def test_who_is_neither_side_opens_and_closes_nothing(pair):
    strangers = [
        Person(uuid.uuid4(), Role.ADDRESSEE, 910_501, "stranger"),
        Person(uuid.uuid4(), Role.SENDER_ADMIN, 910_502, "other shop", organisation=uuid.uuid4()),
    ]
    for stranger in strangers:
        with pytest.raises(NotInVault):
            actions.open_contact(uuid.uuid4(), pair.shop, pair.anna, by=stranger, now=timezone.now())
        with pytest.raises(NotInVault):
            actions.close_contact(pair.ref, by=stranger, now=timezone.now())
    for role in (Role.CLERK, Role.COURIER, Role.ADMINISTRATOR, Role.DEVICE):
        with pytest.raises(NotAllowed):
            actions.open_contact(
                uuid.uuid4(), pair.shop, pair.anna, by=Person(uuid.uuid4(), role, 910_503, "-"), now=timezone.now()
            )
    assert Contact.objects.filter(first__in=[pair.shop, pair.anna]).count() == 1
    assert Contact.objects.get(ref=pair.ref).closed_at is None
    own = Person(uuid.uuid4(), Role.SENDER_MEMBER, 910_504, "the shop", organisation=pair.tenant)
    actions.close_contact(pair.ref, by=own, now=timezone.now())
    assert Contact.objects.get(ref=pair.ref).closed_at is not None


def test_people_of_two_tenants_or_of_none_are_not_brought_together(pair):
    _tenant, by, shop, *_ = put_pair()
    with pytest.raises(NotInVault):
        actions.open_contact(uuid.uuid4(), shop, pair.anna, by=pair.by, now=timezone.now())
    with pytest.raises(NotInVault):
        actions.open_contact(uuid.uuid4(), shop, pair.anna, by=by, now=timezone.now())


def test_without_a_domain_nothing_is_opened(installation, monkeypatch):
    relay_on(monkeypatch, relay_domain="")
    _tenant, by, shop, anna, *_ = put_pair()
    with pytest.raises(Conflict):
        actions.open_contact(uuid.uuid4(), shop, anna, by=by, now=timezone.now())


def environment() -> dict[str, str]:
    return {**os.environ, "PARCELWARD_RELAY_DOMAIN": DOMAIN}


def test_postfix_pipes_a_message_in(pair):
    def pipe(recipient: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [
                *(sys.executable, "-m", "parcelward.doors.console", "relay", "deliver"),
                *("--sender", pair.anna_email, "--recipient", recipient),
            ],
            input=letter(pair, "by the pipe", subject="Piped").as_bytes(),
            env=environment(),
            capture_output=True,
            check=False,
        )

    done = pipe(pair.to_shop)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "by the pipe" in got(pair.shop_email, "Piped").get_content()
    done = pipe(f"r-aaaaaaaaaaaa@{DOMAIN}")
    assert (done.returncode, done.stdout) == (67, b"550 5.1.1 No such address here\n")


def test_a_mail_server_brings_messages_by_lmtp(pair):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    door = subprocess.Popen(
        [sys.executable, "-m", "parcelward.doors.console", "relay", "serve"],
        env={**environment(), "PARCELWARD_RELAY_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        until(lambda: _answers(port))
        with smtplib.LMTP("127.0.0.1", port) as mail:
            mail.send_message(letter(pair, "by LMTP", subject="Brought"), pair.anna_email, [pair.to_shop])
            for recipient in (f"r-aaaaaaaaaaaa@{DOMAIN}", pair.to_anna):
                with pytest.raises(smtplib.SMTPDataError) as refused:
                    mail.send_message(letter(pair), pair.anna_email, [recipient])
                assert (refused.value.smtp_code, refused.value.smtp_error) == (550, b"5.1.1 No such address here")
            mail.rset()
            with pytest.raises(smtplib.SMTPException):
                mail.sendmail(pair.anna_email, [pair.to_shop], b"Subject: x\r\n\r\n" + b"y" * 300_000)
    finally:
        door.terminate()
        said, _ = door.communicate(timeout=20)
    assert door.returncode == 0, said
    assert "by LMTP" in got(pair.shop_email, "Brought").get_content()
    assert pair.anna_email.encode() not in said
    assert b"Traceback" not in said


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        time.sleep(0.1)
        return False


def test_what_waits_and_what_the_log_is_told_hold_no_word_of_it(pair):
    from tests.privacy.test_personal import places

    mark = uuid.uuid4().hex
    give(pair, letter(pair, f"secret {mark}", subject=f"subject {mark}"))
    got(pair.shop_email, mark)
    for text in (mark, pair.anna_email, pair.shop_email):
        assert places(text, database="default") == []
        assert places(text, database="keys") == []
