"""The screens of proofing over real HTTP: a letter and a check from beginning to end, and what others see of them."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import uuid
import zlib
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import zxingcpp
from django.http import QueryDict
from django.utils import timezone
from PIL import Image, ImageDraw
from tests.joined import signed_in_as
from tests.passkey import Browser
from tests.people.proving import told

from parcelward.base.vault import VaultToken
from parcelward.doors.portals.codes_drawn import code128_svg, qr_squares
from parcelward.doors.portals.proofing_address import ADDRESS, Typed
from parcelward.people import proofing, proofing_rules
from parcelward.people.models import CounterProof, Letter
from parcelward.people.wire import Role
from parcelward.privacy import queries as privacy
from parcelward.privacy.models import KeptPerson


class Someone:
    """A person with a browser without scripts."""

    def __init__(self, installation: Any, role: Role) -> None:
        browser = Browser(installation.url)
        self.person = signed_in_as(browser, role, installation)
        self.client = httpx.Client(base_url=installation.url, timeout=60, follow_redirects=True)
        self.client.cookies.update(browser.http.cookies)
        browser.http.close()

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def post(self, path: str, page: httpx.Response, **typed: str) -> httpx.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None, page.text[:500]
        data = {"csrfmiddlewaretoken": token[1], **typed}
        return self.client.post(path, data=data, headers={"Referer": str(self.client.base_url)})


@pytest.fixture(scope="module")
def someone(installation):
    """Make people; their browsers are closed at the end."""
    with contextlib.ExitStack() as end:

        def make(role=Role.ADDRESSEE):
            who = Someone(installation, role)
            end.callback(who.client.close)
            return who

        yield make


@pytest.fixture(scope="module")
def anna(someone):
    return someone()


@pytest.fixture(scope="module")
def clerk(someone):
    return someone(Role.CLERK)


@pytest.fixture(scope="module")
def inspector(someone):
    return someone(Role.INSPECTOR)


def home():
    mark = os.urandom(5).hex()
    return {
        "name": f"Anna Canary-{mark}",
        "line1": f"{mark} Main Street",
        "line2": "",
        "postcode": "62701",
        "locality": "Springfield",
        "country": "US",
    }


def ask(who, what, typed):
    """Answer the questions one after the other; return what came last."""
    page = who.get(f"/app/proofing/{what}")
    for went in ("name", "address", "check"):
        page = who.post(f"/app/proofing/{what}", page, went=went, **typed)
    return page


def printed(clerk, letter_id):
    page = clerk.get("/app/counter/proofing")
    return clerk.post(f"/app/counter/letters/{letter_id}/print", page)


def newest(model, who):
    return model.objects.filter(user=who.person.id).latest("asked_at" if model is Letter else "started_at")


def picture(squares, side=6):
    image = Image.new("L", ((len(squares) + 8) * side,) * 2, 255)
    draw = ImageDraw.Draw(image)
    for y, row in enumerate(squares):
        for x, dark in enumerate(row):
            if dark:
                left, top = (x + 4) * side, (y + 4) * side
                draw.rectangle((left, top, left + side - 1, top + side - 1), fill=0)
    return image


def drawn(svg, scale=3):
    """Draw an SVG of bars as a browser does."""
    (found,) = re.findall(r'viewBox="0 -4 (\d+)', svg)
    width = int(found)
    image = Image.new("L", (width * scale, 68 * scale), 255)
    draw = ImageDraw.Draw(image)
    for x, w in re.findall(r"M(\d+) 0h(\d+)v60", svg):
        draw.rectangle((int(x) * scale, 0, (int(x) + int(w)) * scale - 1, 60 * scale), fill=0)
    return image


def test_codes_are_read_back_from_their_pictures():
    (found,) = zxingcpp.read_barcodes(picture(qr_squares("ABCDE23456")))
    assert found.text == "ABCDE23456"
    (found,) = zxingcpp.read_barcodes(drawn(code128_svg("ZYXWV98765")))
    assert (found.text, found.format) == ("ZYXWV98765", zxingcpp.BarcodeFormat.Code128)


@pytest.mark.asvs("14.3.2")
def test_a_letter_from_the_question_to_the_proof(anna, clerk):
    typed = home()
    last = ask(anna, "letter", typed)
    assert "Your letter is asked for" in last.text
    letter = newest(Letter, anna)
    assert privacy.kept(letter.token).account == anna.person.id
    queue = clerk.get("/app/counter/proofing")
    assert str(letter.id) in queue.text
    assert typed["name"] not in queue.text
    assert typed["line1"] not in queue.text
    assert "A. C****" in queue.text
    paper = printed(clerk, letter.id)
    assert paper.headers["content-type"] == "application/pdf"
    assert b"(Simulated) Tj" in drawn_in(paper.content), "in test mode"
    assert "no-store" in paper.headers["cache-control"]
    letter.refresh_from_db()
    assert letter.state == "printed"
    wrong = anna.post("/app/proofing/letter/code", anna.get("/app/proofing/letter/code"), code="22222 22222")
    assert wrong.status_code == 422
    assert "not right" in wrong.text
    code = text_of(paper.content)
    done = anna.post("/app/proofing/letter/code", wrong, code=code.lower())
    assert "Your address is proven" in done.text
    assert proofing.level_of(anna.person, now=letter.expires_at - (letter.expires_at - letter.asked_at) * 0.5) == 2
    kept = privacy.kept(letter.token)
    assert (kept.kind, kept.expires_at) == ("addressee", None), "what is proven is not forgotten"
    looks = privacy.looks([letter.token], by=anna.person)
    assert ("letter", clerk.person.source) in {(look.purpose, look.by) for look in looks}


def drawn_in(pdf):
    """Return what a letter draws, as PDF's own operators."""
    assert pdf.startswith(b"%PDF")
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    return b"".join(zlib.decompress(base64.a85decode(each.strip().removesuffix(b"~>"))) for each in streams)


def text_of(pdf):
    """Return the code that a letter's text shows: five characters, a space, five."""
    found = re.search(rb"\(([2-9A-Z]{5} [2-9A-Z]{5})\) Tj", drawn_in(pdf))
    assert found, "the letter shows no code"
    return found[1].decode()


@pytest.mark.asvs("1.1.2", "1.2.1")
def test_what_was_typed_wrongly_is_said_and_kept(anna):
    page = anna.get("/app/proofing/counter")
    assert "What is your full name?" in page.text
    page = anna.post("/app/proofing/counter", page, went="name", name="")
    assert page.status_code == 422
    assert "Enter your full name" in page.text
    page = anna.post("/app/proofing/counter", page, went="name", name="Анна")
    assert "Latin letters" in page.text
    page = anna.post("/app/proofing/counter", page, went="address", name="Anna", line1="", postcode="1", country="usa")
    assert page.status_code == 422
    for words in ("Enter the street", "Enter the town", "two letters"):
        assert words in page.text
    page = anna.post("/app/proofing/counter", page, went="check", name="Anna", line1="x <y>", change="name")
    assert "What is your full name?" in page.text
    assert "x &lt;y&gt;" in page.text
    assert not CounterProof.objects.filter(user=anna.person.id).exists()


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize(
    ("postcode", "country", "field", "words"),
    [
        ("K1A 0B1", "US", "postcode", "Postcodes of this country look like 95014."),
        ("6270", "CK", "", ""),
        ("62701", "CK", "postcode", "Postcodes of this country look different."),
        ("", "US", "postcode", "Enter the postcode."),
        ("62701", "XX", "country", "Enter the country's two letters"),
        ("", "AE", "", ""),
        ("ec1y8sy", "gb", "", ""),
    ],
)
def test_a_postcode_fits_its_country_and_where_there_are_none_none_is_asked_for(postcode, country, field, words):
    sent = QueryDict(urlencode(home() | {"postcode": postcode, "country": country}))
    found = Typed.parse(sent).problems(ADDRESS)
    assert list(found) == ([field] if field else [])
    assert words in found.get(field, "")


def test_whoever_may_begin_no_further_check_gives_nothing_to_keep(someone):
    eve, typed = someone(), home()
    for _ in range(proofing_rules.CHECKS_MAX):
        ask(eve, "counter", typed)
        eve.post("/app/proofing/counter/cancel", eve.get("/app/proofing"))
    kept = KeptPerson.objects.filter(account=eve.person.id).count()
    page = eve.get("/app/proofing")
    for _ in range(3):
        assert "No more than four checks" in eve.post("/app/proofing/counter", page, went="check", **typed).text
    assert KeptPerson.objects.filter(account=eve.person.id).count() == kept


def test_a_check_from_the_barcode_to_the_decision(someone, clerk):
    ben, typed = someone(), home()
    page = ask(ben, "counter", typed)
    assert "Show this at a counter" in page.text
    row = newest(CounterProof, ben)
    (found,) = zxingcpp.read_barcodes(drawn(ben.get("/app/proofing/counter/barcode.svg").text))
    assert found.text == row.reference
    page = clerk.get("/app/counter/proofing")
    assert "No check with this reference" in clerk.post("/app/counter/proofing", page, reference="2222222222").text
    page = clerk.post("/app/counter/proofing", page, reference=f"{found.text[:5].lower()} {found.text[5:]}")
    assert page.url.path == f"/app/counter/proofing/{row.id}"
    assert typed["name"] not in page.text
    assert privacy.looks([row.token], by=ben.person) == (), "nobody has opened anything yet"
    check = f"{page.url.path}/check"
    page = clerk.post(check, page)
    assert typed["name"] in page.text
    assert typed["line1"] in page.text
    assert [look.purpose for look in privacy.looks([row.token], by=ben.person)] == ["counter"]
    page = clerk.post(check, page, went="yes", decision="passed", document="passport", face="yes", last="12345")
    assert page.status_code == 422
    for words in ("Who passes has all of this", "At most the last four"):
        assert words in page.text
    assert "12345" not in page.text
    given = dict.fromkeys(("face", "name", "address", "holds", "whole", "went"), "yes")
    given |= {"decision": "passed", "document": "passport", "last": "34B"}
    page = clerk.post(check, page, **given)
    assert "Note this decision?" in page.text
    assert typed["name"] not in page.text
    row.refresh_from_db()
    assert row.checked_at is None, "nothing is noted before it is confirmed"
    page = clerk.post(check, page, sure="yes", **given)
    assert "told in an hour" in page.text
    row.refresh_from_db()
    assert (row.state, row.document) == ("passed", "passport")
    assert "Show your barcode at a counter" in ben.get("/app/proofing").text, "the person learns nothing for an hour"
    by_mail, *at_the_counter = told(ben.person)
    assert by_mail == "level_proven", "the code by e-mail that ben signed in with"
    assert at_the_counter == ["check_started", "check_decided", "level_proven"]
    assert "document" in privacy.kept(row.token).fields
    again = clerk.post(check, clerk.get("/app/counter/proofing"), sure="yes", **given)
    assert again.status_code == 200
    assert told(ben.person) == [by_mail, *at_the_counter]
    page = ben.post("/app/proofing/counter/cancel", ben.get("/app/proofing/counter/cancel"))
    assert "is cancelled" in page.text
    assert told(ben.person)[-2:] == ["check_cancelled", "level_ended"]


def test_a_review_from_the_list_to_the_decision(someone, clerk, inspector):
    carla, typed = someone(), home()
    ask(carla, "counter", typed)
    row = newest(CounterProof, carla)
    page = clerk.get(f"/app/counter/proofing/{row.id}")
    given = {"went": "yes", "sure": "yes", "decision": "in_fraud_review", "document": "identity_card"}
    clerk.post(f"/app/counter/proofing/{row.id}/check", page, **given)
    page = inspector.get("/app/reviews/proofing")
    assert str(row.id) in page.text
    assert typed["name"] not in page.text
    path = f"/app/reviews/proofing/{row.id}"
    page = inspector.get(path)
    assert typed["name"] not in page.text
    page = inspector.post(path, page, open="yes")
    assert typed["name"] in page.text
    assert [look.purpose for look in privacy.looks([row.token], by=carla.person)] == ["investigation"]
    assert "Say what you decide" in inspector.post(path, page, went="yes").text
    page = inspector.post(path, page, went="yes", decision="failed")
    assert "Note this decision?" in page.text
    row.refresh_from_db()
    assert row.state == "in_fraud_review"
    page = inspector.post(path, page, went="yes", decision="failed", sure="yes")
    assert "Noted" in page.text
    row.refresh_from_db()
    assert row.state == "failed"


def test_pages_are_there_for_whom_they_are(anna, clerk, inspector, live_url):
    own = ["/app/proofing", "/app/proofing/letter", "/app/proofing/counter", "/app/proofing/letter/cancel"]
    counter, reviews = ["/app/counter/proofing"], ["/app/reviews/proofing"]
    for who, opens in ((anna, own), (clerk, counter), (inspector, reviews)):
        for path in own + counter + reviews:
            assert who.get(path).status_code == (200 if path in opens else 404), path
    with httpx.Client(base_url=live_url, timeout=60) as stranger:
        for path in own + counter + reviews:
            assert stranger.get(path).status_code == 302, path


def test_a_letter_is_printed_again_only_when_it_was_asked_twice(someone, clerk):
    dora = someone()
    ask(dora, "letter", home())
    letter = newest(Letter, dora)
    first = text_of(printed(clerk, letter.id).content)
    page = printed(clerk, letter.id)
    assert "Print this letter again?" in page.text
    assert told(dora.person).count("letter_printed") == 1
    second = clerk.post(f"/app/counter/letters/{letter.id}/print", page, again="yes")
    assert text_of(second.content) != first
    assert told(dora.person).count("letter_printed") == 2
    stolen = dora.post(f"/app/counter/letters/{letter.id}/print", dora.get("/app/proofing/letter/code"))
    assert stolen.status_code == 404


def test_a_second_person_at_the_address_is_told_of_and_others_in_the_same_street_are_not(someone, clerk):
    typed = home()
    one, two, elsewhere = (someone() for _ in range(3))
    for who, where in ((one, typed), (elsewhere, {**typed, "postcode": "10115", "country": "DE"})):
        ask(who, "letter", where)
        code = text_of(printed(clerk, newest(Letter, who).id).content)
        who.post("/app/proofing/letter/code", who.get("/app/proofing/letter/code"), code=code)
    ask(two, "letter", {**typed, "name": "Another Person", "line1": typed["line1"].upper() + "."})
    assert "somebody else asked for a letter" in one.get("/app/proofing").text
    assert "somebody else asked for a letter" not in elsewhere.get("/app/proofing").text
    assert "somebody else asked for a letter" not in two.get("/app/proofing").text


def test_a_fifth_letter_is_refused_before_an_address_is_typed(someone):
    eva = someone()
    now = timezone.now()
    for _ in range(4):
        proofing.request_letter(VaultToken(uuid.uuid4()), same=(), by=eva.person, now=now)
        proofing.cancel_letter(by=eva.person, now=now)
    page = eva.get("/app/proofing/letter")
    assert page.url.path == "/app/proofing"
    assert "No more than four letters" in page.text
    assert "at a counter" in page.text.lower()
