"""Mail that tries to carry an address across, to be somebody else's, or to harm who reads it."""

from __future__ import annotations

import base64
import datetime as dt
import time
import uuid
from email.message import EmailMessage

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.laws.tampering import change, difference, sequenced, undone
from tests.privacy.conftest import person
from tests.privacy.contacts import DOMAIN, Pair, give, letter, opened_pair, relay_on
from tests.privacy.test_contact import got, waiting

from parcelward.base import config
from parcelward.parcels.queries import verify_log
from parcelward.people import actions as people
from parcelward.people.wire import Role
from parcelward.privacy import actions, contact_text, keys
from parcelward.privacy.contact_text import HIDDEN, masked, read, vouches
from parcelward.privacy.models import Contact, KeptPerson
from parcelward.privacy.wire import Answer, Kind


@pytest.fixture
def pair(installation, monkeypatch) -> Pair:
    relay_on(monkeypatch)
    return opened_pair()


CARRIERS = {
    "in the text": "write me at {email} or call +1 (555) 010-0199",
    "quoted": "> On Monday Anna <{email}> wrote:\n> call 555.010.0199",
    "full width": "write {wide}",
    "with joiners": "write {joined}",
    "broken at the sign": "write {local}\n@{domain} or {local}@\n{domain}",
    "spelled": "write {local} (at) {domain} or {local} [at] {domain} or {local} at {domain}",
    "a link": "see mailto:{email} _https://evil.example/?{email} //evil.example tel:5550100199",
}


@pytest.mark.parametrize("how", CARRIERS)
def test_no_address_crosses_in_the_text(pair, how):
    local, domain = pair.anna_email.split("@")
    said = CARRIERS[how].format(
        email=pair.anna_email,
        wide=pair.anna_email.replace("@", "\uff20"),
        joined=pair.anna_email.replace("@", "\u200b@\u2060"),
        local=local,
        domain=domain,
    )
    subject = f"{how} {pair.anna_email}"
    assert give(pair, letter(pair, said, subject=subject)) is Answer.PASSED
    whole = got(pair.shop_email, how).as_string().lower()
    for secret in (local, domain, "0100199", "010-0199", "010.0199", "evil.example", "203.0.113.77"):
        assert secret not in whole, secret
    assert HIDDEN in whole


@pytest.mark.asvs("1.3.1", "5.2.2")
def test_only_text_goes_on(pair):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = pair.anna_email, pair.to_shop, "Only text"
    message["Message-ID"] = f"<{uuid.uuid4()}@mail.example>"
    message.set_content(
        f"<style>b{{x:'{pair.anna_email}'}}</style><p>Hello</p><script>alert(1)</script>"
        f'<img src="https://track.example/?{pair.anna_email}"><b title="{pair.anna_email}">there</b> '
        f"{pair.anna_email.replace('@', '<i>&#64;</i>')} <!-- {pair.anna_email} -->",
        subtype="html",
    )
    message.add_attachment(pair.anna_email.encode(), maintype="application", subtype="octet-stream", filename="me.vcf")
    message.add_attachment(pair.anna_email, filename="me.txt")
    assert give(pair, message) is Answer.PASSED
    came = got(pair.shop_email, "Only text")
    text = came.get_content()
    assert [part.get_content_type() for part in came.walk()] == ["text/plain"]
    assert "Hello" in text
    assert "there" in text
    for secret in (pair.anna_email.partition("@")[0], "alert", "track.example", "me.vcf", "<p>"):
        assert secret not in came.as_string()


@pytest.mark.asvs("1.3.11")
def test_nothing_is_written_into_a_header(pair):
    injected = base64.b64encode(b"Injected\r\nBcc: evil@evil.example").decode()
    raw = (
        f"From: {pair.anna_email}\nMessage-ID: <{uuid.uuid4()}@x>\nSubject: =?utf-8?b?{injected}?=\n\nhello\n"
    ).encode()
    assert give(pair, raw) is Answer.PASSED
    came = got(pair.shop_email, "Injected")
    assert came["Bcc"] is None
    assert "evil" not in came.as_string()
    assert {key.lower() for key in came} == {
        *("from", "to", "subject", "date", "message-id", "auto-submitted", "x-parcelward-simulated"),
        *("content-type", "content-transfer-encoding", "mime-version"),
    }


def test_only_the_other_side_is_heard_and_all_others_are_answered_alike(pair, monkeypatch):
    evil = "evil@evil.example"
    spoofed = letter(pair)
    spoofed.replace_header("From", evil)
    two = letter(pair)
    two.replace_header("From", f"{evil}, {pair.anna_email}")
    other = opened_pair()
    refused = [
        give(pair, letter(pair), sender=evil),
        give(pair, letter(pair), sender="<>"),
        give(pair, spoofed),
        give(pair, two),
        give(pair, letter(pair), recipient=pair.to_anna),  # one's own address
        give(pair, letter(pair), recipient=other.to_shop),
        give(pair, letter(pair), recipient=f"r-{'a' * 12}@{DOMAIN}"),
        give(pair, letter(pair), recipient=pair.to_shop.replace(DOMAIN, "elsewhere.example")),
        give(pair, letter(pair), recipient="x" * 10_000),
        give(pair, letter(pair), recipient=" "),
    ]
    assert set(refused) == {Answer.UNKNOWN}
    assert waiting(pair) == waiting(other) == 0


def test_who_wrote_is_believed_to_the_mail_server_alone(pair, monkeypatch):
    relay_on(monkeypatch, relay_authserv="mx.post.example")
    domain = pair.anna_email.partition("@")[2]
    good = f"mx.post.example; dkim=pass (2048-bit) header.d={domain}; spf=fail smtp.mailfrom=evil.example"
    for wrong in (
        "",
        good.replace("mx.post.example", "mx.evil.example"),
        good.replace("dkim=pass", "dkim=fail"),
        good.replace(f"header.d={domain}", "header.d=evil.example"),
        good.replace(f"header.d={domain}", "header.d=example"),
        f"mx.post.example; none (dkim=pass header.d={domain})",
        f"mx.post.example; spf=pass smtp.mailfrom={domain}.evil.example",
    ):
        headers = {"Authentication_Results": wrong} if wrong else {}
        assert give(pair, letter(pair, **headers)) is Answer.UNKNOWN, wrong
    below = f"Authentication-Results: mx.post.example; dkim=fail\r\nAuthentication-Results: {good}\r\n".encode()
    assert give(pair, below + letter(pair).as_bytes()) is Answer.UNKNOWN
    assert waiting(pair) == 0
    assert give(pair, letter(pair, Authentication_Results=good)) is Answer.PASSED
    assert vouches((f"mx; spf=pass smtp.mailfrom=a@{domain}",), "mx", f"b@{domain}")
    assert vouches((f"mx; dmarc=pass header.from={domain}",), "mx", f"b@{domain}")
    assert vouches((f'mx (a (b) c) 1; dkim=pass (good; really) header.d="{domain}"; spf=none',), "mx", f"b@{domain}")


@pytest.mark.parametrize(
    "said",
    [
        'mx; dkim=pass header.d=evil.example header.i="x;dkim=pass header.d=victim.example;"@evil.example',
        "mx; dkim=fail (sig (x) ; dkim=pass header.d=victim.example)",
        'mx; dkim=fail reason="bad; dkim=pass header.d=victim.example"',
        'mx; dkim=fail reason="bad \\"; dkim=pass header.d=victim.example"',
        "mx; dkim=fail (\\) ; dkim=pass header.d=victim.example ; )",
        'mx; dkim=fail reason="never ended; dkim=pass header.d=victim.example',
        "mx; dkim=fail (never ended; dkim=pass header.d=victim.example",
        "mx; dkim=fail ) (; dkim=pass header.d=victim.example",
    ],
)
def test_what_the_sender_says_within_a_quote_or_a_comment_vouches_for_nobody(said):
    below = "mx; dkim=pass header.d=victim.example"
    assert not vouches((said, below), "mx", "a@victim.example")


@pytest.mark.parametrize(
    "said",
    [
        "spf=fail (helo==?us-ascii?q?x=29=3B_dmarc=3Dpass_header.from=3Dvictim.example=3B_=28?=)",
        "dkim=pass header.d=evil.example header.i==?us-ascii?q?x=3Bdkim=3Dpass_header.d=3Dvictim.example_?=@evil",
    ],
)
def test_an_encoded_word_stays_one_word(said):
    raw = f"Authentication-Results: mx;\r\n {said}\r\nFrom: a@victim.example\r\nSubject: x\r\n\r\nx".encode()
    assert not vouches(read(raw).vouched, "mx", "a@victim.example")
    honest = raw.replace(said.encode(), b"dkim=pass (good)\r\n header.d=victim.example")
    assert vouches(read(honest).vouched, "mx", "a@victim.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Auto_Submitted", "auto-replied"),
        ("Auto_Submitted", "auto-generated"),  # as ours are: one that came back
        ("Precedence", "bulk"),
        ("List_Id", "<list.example>"),
        ("X_Autoreply", "yes"),
    ],
)
def test_what_a_machine_wrote_goes_no_further(pair, name, value):
    assert give(pair, letter(pair, **{name: value})) is Answer.DROPPED
    assert waiting(pair) == 0


def test_bounces_and_loops_go_no_further(pair):
    hops = b"Received: from a by b\r\n" * 40
    assert give(pair, hops + letter(pair).as_bytes()) is Answer.DROPPED
    bounce = letter(pair).as_bytes().replace(b"Content-Type: text/plain", b"Content-Type: multipart/report; boundary=x")
    assert give(pair, bounce) is Answer.DROPPED
    assert waiting(pair) == 0


def nested(depth: int) -> bytes:
    said = b"Content-Type: text/plain\n\nhello\n"
    for turn in range(depth):
        said = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n%s\n--b%d--\n" % (turn, turn, said, turn)
    return said


BOMBS = {
    "nested": nested(200),
    "nested a little too deep": nested(12),
    "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 20_000,
    "some parts too many": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 200,
    "a huge header line": b"X: " + b"a" * 100_000 + b"\n\nx",
    "many headers": b"X: y\n" * 20_000 + b"\nx",
    "a large head": b"X: " + b"(" * 3_900 + b"\n" + (b"X: " + b"(" * 3_000 + b"\n") * 20 + b"\nx",
    "too large": b"\n\n" + b"x\n" * 200_000,
    "a bare carriage return": b"Subject: a\rBcc: evil@evil.example\n\nx",
    "a null byte": b"Subject: a\0b\n\nx",
}


@pytest.mark.parametrize("what", BOMBS)
def test_what_cannot_be_read_is_kept_apart_and_harms_nobody(pair, what):
    raw = f"From: {pair.anna_email}\n".encode() + BOMBS[what]
    before = KeptPerson.objects.filter(kind=Kind.PENDING.value).count()
    began = time.monotonic()
    assert give(pair, raw) is Answer.UNREADABLE
    assert time.monotonic() - began < 5
    assert give(pair, raw) is Answer.UNREADABLE
    kept = KeptPerson.objects.filter(kind=Kind.PENDING.value)
    assert kept.count() == before + 1  # once, however often it comes
    ends = kept.latest("made_at").expires_at
    assert ends is not None
    assert ends <= timezone.now() + dt.timedelta(days=7)
    assert waiting(pair) == 0
    assert give(pair, letter(pair)) is Answer.PASSED


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/plain; charset=nobody-has-this",
        "Content-Type: text/plain; charset=utf-7",
        "Content-Type: text/html; charset=utf-16",
        "Content-Type: text/plain\nContent-Transfer-Encoding: base64",
        "Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode",
        "Content-Type: ;;;=",
        "Content-Type: message/rfc822",
        "Content-Type: multipart/mixed",
    ],
)
def test_odd_mail_is_answered(pair, head):
    raw = f"From: {pair.anna_email}\nMessage-ID: <{uuid.uuid4()}@x>\n{head}\n\n".encode() + bytes(range(1, 256)) * 20
    assert give(pair, raw) in {Answer.PASSED, Answer.UNREADABLE, Answer.EMPTY}


@pytest.mark.asvs("1.3.3", "5.2.1")
def test_a_huge_line_is_cut(pair):
    raw = f"From: {pair.anna_email}\nSubject: Long\n\n".encode() + b"x" * 200_000
    began = time.monotonic()
    assert give(pair, raw) is Answer.PASSED
    assert time.monotonic() - began < 5
    came = got(pair.shop_email, "Long")
    assert max(len(line) for line in came.as_bytes().splitlines()) <= 998
    assert len(came.get_content()) < 11_000


def test_somebody_who_was_shredded_hears_and_says_nothing(pair, monkeypatch):
    number = actions.ask_to_shred(pair.shop, "asked for", by=person(Role.INSPECTOR, source=911_000))
    actions.agree_to_shred(number, by=person(Role.ADMINISTRATOR, source=912_000))
    actions.shred_due(timezone.now() + dt.timedelta(days=config.get().erasure_wait_days + 1))
    assert keys.held([pair.shop]) == {}
    assert give(pair, letter(pair)) is Answer.UNKNOWN
    back = letter(pair)
    back.replace_header("From", pair.shop_email)
    assert give(pair, back, sender=pair.shop_email, recipient=pair.to_anna) is Answer.UNKNOWN
    assert waiting(pair) == 0


TURNED = {
    "another reader": "UPDATE privacy_contact_end SET person = gen_random_uuid() WHERE local = %(local)s",
    "another address": "UPDATE privacy_contact_end SET local = 'r-bbbbbbbbbbbb' WHERE local = %(local)s",
    "another tenant": "UPDATE privacy_contact SET tenant = gen_random_uuid() WHERE ref = %(ref)s",
    "a later end": "UPDATE privacy_contact SET until = until + interval '1 year' WHERE ref = %(ref)s",
    "a closing that nobody did": "UPDATE privacy_contact SET closed_at = now(), closed_by = 1 WHERE ref = %(ref)s",
    "a contact gone": "DELETE FROM privacy_contact WHERE ref = %(ref)s",
    "an end gone": "DELETE FROM privacy_contact_end WHERE local = %(local)s",
    "a contact that nobody opened": (
        "INSERT INTO privacy_contact (ref, item, tenant, first, second, opened_by, opened_at, until) "
        "SELECT gen_random_uuid(), item, tenant, second, first, opened_by, opened_at, until FROM privacy_contact "
        "WHERE ref = %(ref)s"
    ),
}


@pytest.mark.parametrize("what", TURNED)
def test_a_contact_that_was_turned_is_found(pair, what):
    sequenced()
    with undone():
        change(TURNED[what], {"local": pair.to_shop.partition("@")[0], "ref": pair.ref})
        assert difference().differs == "contact"
    assert Contact.objects.filter(ref=pair.ref).exists()


@pytest.mark.asvs("2.2.1")
@given(st.binary(max_size=3_000))
def test_any_bytes_are_read_or_refused(raw):
    try:
        found = read(raw)
    except contact_text.Unreadable:
        return
    assert "\n" not in found.subject
    assert len(found.text) <= contact_text.TEXT_CHARS_MAX


_WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789.+-_", min_size=1, max_size=20)


@given(
    st.text(max_size=200),
    _WORD,
    _WORD,
    st.sampled_from(["@", "\uff20", "\ufe6b", " @ ", "@\n", "\n@"]),
    st.text(max_size=200),
)
def test_no_address_stays_in_any_text(before, local, host, at, after):
    said = masked(f"{before} {local}x{at}x{host}.example {after}", contact_text.TEXT_CHARS_MAX)
    assert "@" not in said
    assert f"x{host}.example" not in said or f"x{host}.example" in before + after


@given(
    st.lists(st.sampled_from("0123456789"), min_size=7, max_size=15), st.sampled_from(["", " ", "-", ".", " - ", "/"])
)
def test_no_telephone_number_stays(digits, between):
    said = masked(f"call {between.join(digits)} now", contact_text.TEXT_CHARS_MAX)
    kept = "".join(c for c in said if c.isdigit())
    assert kept == "" or contact_text._DATE.search(said)


def test_item_numbers_and_dates_stay():
    text = "Item RR123456785US of 2026-11-26, box 12, 3 of 10"
    assert masked(text, 1_000) == text


def test_what_was_done_is_what_the_log_says(pair):
    give(pair, letter(pair))
    actions.end_contacts(pair.item, timezone.now() + dt.timedelta(days=3), by=people.machinery())
    actions.close_contact(pair.ref, by=pair.by, now=timezone.now())
    sequenced()
    assert verify_log(config.get()).facts > 0
