"""The files that browsers load: the right bytes, for as long as they are right, and nothing outside their folder."""

from __future__ import annotations

import base64
import gzip
import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.http import Http404
from django.test import RequestFactory

from parcelward.doors.portals import assets

ASK = RequestFactory()


def test_the_address_and_the_integrity_are_those_of_the_bytes() -> None:
    asset = assets.named("parcelward/site.css")
    assert asset is not None
    body = (assets.FOLDER / "parcelward/site.css").read_bytes()
    assert asset.integrity == "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
    name, version = asset.url.removeprefix("/static/").split("?v=")
    answer = assets.serve(ASK.get("/static/" + name, {"v": version}), name)
    assert answer.content == body
    assert "immutable" in answer["Cache-Control"]


def test_an_old_address_is_answered_but_not_kept() -> None:
    answer = assets.serve(ASK.get("/static/parcelward/site.css", {"v": "0000000000000000"}), "parcelward/site.css")
    assert "immutable" not in answer["Cache-Control"]


def test_who_can_read_gzip_gets_it_and_a_second_question_gets_no_body() -> None:
    zipped = assets.serve(ASK.get("/", headers={"accept-encoding": "gzip"}), "parcelward/site.css")
    assert gzip.decompress(zipped.content) == (assets.FOLDER / "parcelward/site.css").read_bytes()
    assert zipped["Vary"] == "Accept-Encoding"
    again = assets.serve(
        ASK.get("/", headers={"accept-encoding": "gzip", "if-none-match": zipped["ETag"]}), "parcelward/site.css"
    )
    assert again.status_code == 304
    assert again.content == b""
    plain = assets.serve(ASK.get("/", headers={"if-none-match": zipped["ETag"]}), "parcelward/site.css")
    assert plain.status_code == 200, "a plain reader must not be told that it has the zipped bytes"


@pytest.mark.asvs("5.3.2", "13.4.1", "13.4.3")
@pytest.mark.parametrize(
    "name",
    [
        "../settings.py",
        "parcelward/../../settings.py",
        "/etc/passwd",
        "parcelward",
        "",
        ".",
        "a\0b",
        "parcelward/none.css",
    ],
)
def test_nothing_outside_the_folder_is_served(name: str) -> None:
    with pytest.raises(Http404):
        assets.serve(ASK.get("/static/x"), name)


@pytest.mark.asvs("5.3.2")
def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "static"
    inside.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (inside / "way.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr(assets, "FOLDER", inside)
    assert assets.named("way.txt") is None


def test_an_edit_is_seen_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    file = tmp_path / "a.css"
    file.write_text("a{}")
    first = assets.named("a.css")
    file.write_text("b{}")
    assert assets.named("a.css") != first


def test_pages_look_for_changed_files_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    monkeypatch.setattr(assets, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(assets, "_seen", (float("-inf"), {}))
    file = tmp_path / assets.NAMES["site_css"]
    file.parent.mkdir()
    file.write_text("a{}")
    first = assets.all_named()
    assert (first["site_css"], first["htmx"]) == (assets.named(assets.NAMES["site_css"]), None)
    file.write_text("b{}")
    now[0] += assets.LOOK_EVERY_S / 2
    assert assets.all_named() is first
    now[0] += assets.LOOK_EVERY_S
    assert assets.all_named()["site_css"] == assets.named(assets.NAMES["site_css"]) != first["site_css"]
