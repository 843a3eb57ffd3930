"""Rules for ids that the law has not, and photos of parcels, on their screens: asked, agreed to, read, refused."""

from __future__ import annotations

import html
import re

from tests.parcels.photos.pictures import parcel
from tests.people.staffing import facts
from tests.scanner import event

from parcelward.parcels import queries, ruled_ids
from parcelward.people.models import TwoPeople

RULES = "/app/desk/hazmat-rules"
PHOTO = "/app/counter/photo"
TYPED = {
    "un": "UN3994",
    "answer": "accept_ground_only",
    "clause": "Approval 7/2026",
    "source": "Cells of at most 20 Wh",
    "from": "2026-01-01",
    "reason": "new goods",
}


def test_a_rule_is_asked_for_on_its_page_and_agreed_to_by_a_colleague(staff):
    first, second = staff("administrator"), staff("inspector")
    assert first.prove().status_code == second.prove().status_code == 302
    for wrong, words in (
        ({"un": "UN1266"}, "its rows decide"),
        ({"answer": "maybe"}, "Choose what may be done with it"),
        ({"from": "soon"}, "Give the day"),
        ({"source": "x" * 401}, "Give the source"),
    ):
        refused = first.post(RULES, RULES, **(TYPED | wrong))
        assert (refused.status_code, words in html.unescape(refused.text)) == (422, True), refused.text
    asked = first.post(RULES, RULES, **TYPED)
    assert (asked.status_code, asked.headers["location"]) == (302, "/app/desk/two-people"), asked.text
    assert "Nobody has agreed to it." in first.http.get(RULES).text
    request = TwoPeople.objects.get(task="write_hazmat_rules", subject="UN3994")
    page = second.http.get("/app/desk/two-people").text
    assert "Let the rule for UN3994 stand" in html.unescape(page)
    where = f"/app/desk/two-people/requests/{request.id}/agree"
    assert second.post(where, where).status_code == 302
    ruled_ids.forget()
    assert queries.operator_rules()["UN3994"].source == "Approval 7/2026: Cells of at most 20 Wh"
    assert "It stands." in second.http.get(RULES).text


def sent(browser, number, photo, name="parcel.jpg"):
    form = {"csrfmiddlewaretoken": browser.token(PHOTO), "number": number}
    files = {"photo": (name, photo, "image/jpeg")}
    return browser.http.post(PHOTO, data=form, files=files, headers={"Referer": browser.url})


def test_a_photo_is_read_at_the_counter_and_what_it_shows_is_said_in_words(staff, scanner, number):
    clerk = staff("clerk")
    scanner.send(event(number, "accepted"))
    plain = sent(clerk, number, parcel("Anna Example", "12 Corner Street"))
    assert (plain.status_code, "No mark of dangerous goods was read" in plain.text) == (200, True), plain.text
    assert "Corner" not in plain.text
    marked = sent(clerk, number, parcel("FLAMMABLE LIQUID", "UN1263"))
    assert "Stop: this was not declared" in marked.text
    assert re.search(r"Not declared:\s+[^<]*liquids that burn", marked.text)
    item = queries.find(number)
    assert item is not None
    assert queries.journey(item).held
    assert {one["by"] for one in facts("shipping.photo_read", item=str(item))}
    for photo, words in ((b"%PDF-1.7", "This is no photo"), (b"", "Take a photo first")):
        refused = sent(clerk, number, photo)
        assert (refused.status_code, words in refused.text) == (422, True), refused.text
    assert sent(clerk, "no number!", parcel("x")).status_code in {404, 422}
    large = sent(clerk, number, b"x" * 2_200_000)
    assert large.status_code == 413
    courier = staff("courier")
    assert courier.http.get(PHOTO).status_code == 404
