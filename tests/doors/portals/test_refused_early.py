"""What is refused before any view is asked: people get a page with every header, programs a problem document."""

from __future__ import annotations

import httpx
import pytest

from parcelward.base import disk
from parcelward.base.errors import Busy


def test_an_address_that_cannot_be_is_a_page_for_people(installation):
    answer = httpx.get(f"{installation.url}/track/%00", timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "nonce-" in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"] in answer.text


def test_an_address_that_cannot_be_is_a_problem_for_programs(installation):
    answer = httpx.get(f"{installation.url}/api/v1/items/%00", timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(("path", "kind"), [("/accounts/sign-in", "text/html"), ("/epcis/capture", "application/prob")])
def test_a_full_disk_is_told_to_each_in_its_way(installation, monkeypatch, path, kind):
    from django.test import Client

    def full() -> None:
        raise Busy("The disk is nearly full", code="disk_full", retry_after_s=30)

    monkeypatch.setattr(disk, "require_space", full)
    answer = Client().post(path, {"login": "x"}, HTTP_HOST="localhost")
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert answer["Content-Type"].startswith(kind)
    assert answer["X-Content-Type-Options"] == "nosniff"
