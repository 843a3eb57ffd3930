"""Lists of orders through the API: sent, mapped, mended, placed once; nothing in clear, and nothing left over."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.utils import timezone
from tests.shipping import shop as shops
from tests.shipping.lists import mapped, row, send, text, until
from tests.shipping.shop import Shop

from parcelward.base import db
from parcelward.people import actions as people
from parcelward.privacy.models import BodyKey
from parcelward.shipping import uploading
from parcelward.shipping.actions import retention
from parcelward.shipping.models import Order, Upload, UploadRow


@pytest.fixture(scope="module")
def mine(installation: Any) -> Shop:
    shops.open_shop()
    return shops.shop(installation, amount_minor=10_000_000)


def test_a_file_becomes_orders(mine: Shop) -> None:
    sent = send(mine, text([row(0), row(1), row(2, zip="6270", name="")]))
    assert sent.status_code == 201, sent.text
    said = sent.json()
    assert (said["state"], said["rows"]) == ("mapping", 3)
    assert [one["field"] for one in said["columns"]] == [
        *("reference", "addressee", "street_1", "locality", "administrative_area", "postcode", "country", "email"),
        *("weight_g", "size_cm", "contents"),
    ]
    looked = mapped(mine, said)
    assert looked["counts"] == {"new": 0, "ok": 2, "wrong": 1, "placed": 0, "failed": 0}
    assert looked["total_minor"] == 2 * 910
    (bad,) = mine.get(f"/api/v1/uploads/{said['id']}/errors").json()
    assert (bad["row"], {(one["field"], one["code"]) for one in bad["errors"]}) == (2, {("addressee", "missing")})
    mended = mine.post(f"/api/v1/uploads/{said['id']}/rows/2", {"values": {"addressee": "Ana Sample"}}).json()
    assert mended["counts"]["ok"] == 3
    before = mine.balance_minor
    assert mine.post(f"/api/v1/uploads/{said['id']}/place").status_code == 200
    done = until(mine, said["id"], "done")
    assert done["counts"] == {"new": 0, "ok": 0, "wrong": 0, "placed": 3, "failed": 0}
    assert before - mine.balance_minor == 3 * 910
    assert {one["reference"] for one in mine.get("/api/v1/orders").json()} >= {"A-0", "A-1", "A-2"}


def kept(upload: str) -> list[Any]:
    """Return the names of the keys of a list's rows, and of what stands above them."""
    number = uuid.UUID(upload.removeprefix("upl_"))
    rows = UploadRow.objects.filter(upload=number).exclude(content_key=None)
    head = Upload.objects.filter(pk=number).exclude(sealed_key=None)
    return [*rows.values_list("content_key", flat=True), *head.values_list("sealed_key", flat=True)]


def keys(names: list[Any]) -> int:
    return BodyKey.objects.filter(body__in=names).count()


def test_nothing_of_a_list_lies_in_clear_and_its_keys_go_with_it(mine: Shop) -> None:
    name = f"Zebulon Quartermain {uuid.uuid4().hex[:6]}"
    said = send(mine, text([row(0, name=name, order_no=f"C-{uuid.uuid4().hex[:6]}"), row(1, name="", order_no="")]))
    upload = said.json()["id"]
    mapped(mine, said.json())
    with db.cursor() as cur:
        for table in ("shipping_upload", "shipping_uploadrow", "shipping_columnsknown"):
            found = cur.execute(f"SELECT t::text FROM {table} t").fetchall()
            whole = " ".join(row[0] for row in found)
            for clear in (name, name.encode().hex(), "Zebulon", "mail.example", "Order no", "Harrogate"):
                assert clear not in whole, table
    before = kept(upload)
    assert keys(before) == 3
    mine.post(f"/api/v1/uploads/{upload}/place")
    until(mine, upload, "done")
    assert keys(before) == 2, "the placed row's is gone"
    assert mine.post(f"/api/v1/uploads/{upload}/give-up").json()["state"] == "given_up"
    assert (kept(upload), keys(before)) == ([], 0)
    assert mine.post(f"/api/v1/uploads/{upload}/give-up").status_code == 200, "twice changes nothing"
    refused = mine.post(f"/api/v1/uploads/{upload}/rows/1", {"values": {"addressee": "Ana"}})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_now")


def test_keys_of_rows_that_are_kept_are_not_swept(mine: Shop) -> None:
    upload = send(mine, text([row(0)])).json()["id"]
    before = kept(upload)
    assert retention.bodies_in_use([*before, uuid.uuid4()]) == set(before)
    assert len(before) == 2


def test_a_list_that_nobody_works_on_is_forgotten_in_time(mine: Shop) -> None:
    upload = send(mine, text([row(0)])).json()["id"]
    before, house = kept(upload), people.machinery()
    retention.forget_old("uploaded_rows", timezone.now() - dt.timedelta(days=29), by=house)
    assert keys(before) == 2
    Upload.objects.filter(pk=uuid.UUID(upload.removeprefix("upl_"))).update(
        changed_at=timezone.now() - dt.timedelta(days=31)
    )
    retention.forget_old("uploaded_rows", timezone.now() - dt.timedelta(days=30), by=house)
    assert (kept(upload), keys(before)) == ([], 0)
    assert mine.get(f"/api/v1/uploads/{upload}").json()["state"] == "given_up"


def test_a_reference_is_ordered_once_unless_somebody_says_otherwise(mine: Shop) -> None:
    mark = uuid.uuid4().hex[:8]
    body = text([row(0, order_no=mark), row(1, order_no=f"{mark}-b"), row(2, order_no=f"{mark}-b")])
    first = mapped(mine, send(mine, body).json())
    (bad,) = mine.get(f"/api/v1/uploads/{first['id']}/errors").json()
    assert (bad["row"], [one["code"] for one in bad["errors"]]) == (2, ["reference_twice"])
    mended = mine.post(f"/api/v1/uploads/{first['id']}/rows/1", {"values": {"reference": f"{mark}-c"}}).json()
    assert mended["counts"]["ok"] == 3, "the one below is alone with it now"
    mine.post(f"/api/v1/uploads/{first['id']}/place")
    until(mine, first["id"], "done")
    again = send(mine, body).json()
    assert again["remembered"]
    looked = mapped(mine, again)
    assert looked["counts"]["wrong"] == 3, "the same file once more"
    meant = mapped(mine, looked, repeats_ok=True)
    assert meant["counts"] == {"new": 0, "ok": 2, "wrong": 1, "placed": 0, "failed": 0}


def test_it_stands_still_where_the_balance_ends_and_goes_on_without_ordering_twice(installation: Any) -> None:
    poor = shops.shop(installation, amount_minor=2 * 910 + 100)
    looked = mapped(poor, send(poor, text([row(nth) for nth in range(5)])).json())
    poor.post(f"/api/v1/uploads/{looked['id']}/place")
    stands = until(poor, looked["id"], "placing", reason="not_enough")
    assert (stands["counts"]["placed"], poor.balance_minor) == (2, 100)
    shops.give(poor.organisation, 10_000)
    poor.post(f"/api/v1/uploads/{looked['id']}/place")
    done = until(poor, looked["id"], "done")
    assert (done["counts"]["placed"], poor.balance_minor) == (5, 10_100 - 3 * 910)
    assert Order.objects.filter(owner=poor.organisation).count() == 5


def test_who_is_killed_while_placing_leaves_nothing_half_done(mine: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = mapped(mine, send(mine, text([row(nth, order_no="") for nth in range(3)])).json())
    number = uuid.UUID(looked["id"].removeprefix("upl_"))
    source = Upload.objects.get(pk=number).source
    Upload.objects.filter(pk=number).update(state="placing", try_at=None)  # the installation's own worker leaves it
    before = mine.balance_minor, Order.objects.count()

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(uploading, "_empty_placed", killed)
    with pytest.raises(KeyboardInterrupt):
        uploading.place_some(number)
    assert (mine.balance_minor, Order.objects.count()) == before
    monkeypatch.undo()
    assert source == Upload.objects.get(pk=number).source
    uploading.place_some(number)
    uploading.place_some(number)
    assert (mine.balance_minor, Order.objects.count()) == (before[0] - 3 * 910, before[1] + 3)
    made = set(UploadRow.objects.filter(upload=number).values_list("order", flat=True))
    assert made == {uuid.uuid5(number, str(place)) for place in range(3)}


def test_a_key_that_was_revoked_places_nothing_more(installation: Any) -> None:
    shop = shops.shop(installation)
    looked = mapped(shop, send(shop, text([row(0)])).json())
    number = uuid.UUID(looked["id"].removeprefix("upl_"))
    Upload.objects.filter(pk=number).update(state="placing", try_at=None)
    people.revoke_key(shop.key, by=people.installer())
    uploading.place_some(number)
    assert Upload.objects.get(pk=number).reason == "not_theirs_any_more"
    assert not Order.objects.filter(owner=shop.organisation).exists()


def test_other_prices_are_shown_before_anything_is_paid(mine: Shop) -> None:
    looked = mapped(mine, send(mine, text([row(0, order_no="")])).json())
    number = uuid.UUID(looked["id"].removeprefix("upl_"))
    Upload.objects.filter(pk=number).update(state="placing", try_at=None, tariff=0)
    uploading.place_some(number)
    said = until(mine, looked["id"], "preview", "checking")
    assert (said["reason"], said["counts"]["placed"]) == ("tariff_changed", 0)


def test_a_mapping_that_makes_no_address_is_refused_with_all_that_is_wrong(installation: Any) -> None:
    new = shops.shop(installation)
    said = send(new, text([row(0)])).json()
    body = {"columns": ["addressee", "addressee", *[""] * 8, "nothing"], "defaults": {"email": "a@b.example"}}
    refused = new.post(f"/api/v1/uploads/{said['id']}/mapping", body)
    assert refused.status_code == 422
    found = {(one["pointer"], one["code"]) for one in refused.json()["errors"]}
    assert found == {
        ("/columns/addressee", "twice"),
        ("/columns/nothing", "unknown_field"),
        ("/columns/email", "unknown_field"),
        *((f"/columns/{name}", "no_column") for name in ("street_1", "locality", "postcode")),
        ("/sender", "missing"),
    }


def test_nobody_sees_mends_or_places_anothers_list(mine: Shop, installation: Any) -> None:
    said = send(mine, text([row(0)])).json()
    other = shops.shop(installation)
    path = f"/api/v1/uploads/{said['id']}"
    assert other.get(path).status_code == other.get(f"{path}/errors").status_code == 404
    for deed in ("place", "give-up", "rows/0"):
        body = {"values": {"addressee": "Ana"}} if deed.startswith("rows") else {}
        assert other.post(f"{path}/{deed}", body).status_code == 404
    assert other.get("/api/v1/uploads").json() == []
    assert mine.get(path).json()["state"] == "mapping"


def test_the_same_key_is_the_same_list(mine: Shop) -> None:
    key, body = str(uuid.uuid4()), text([row(0)])
    assert send(mine, body, key).json()["id"] == send(mine, body, key).json()["id"]
    assert send(mine, text([row(1)]), key).json()["code"] == "idempotency_key_reused"
