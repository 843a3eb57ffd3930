"""What the pages say that nobody wants to see: what happened, once, and how to go on."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from parcelward.base.errors import Busy, ParcelwardError, TooMany
from parcelward.doors.portals import errors


@pytest.fixture
def looked() -> HttpRequest:
    return RequestFactory().get("/track/RA473012345GB")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TooMany("Too many requests in a short time", retry_after_s=37), "Nothing is wrong with your parcel."),
        (Busy("The database cannot be written just now; send it again", retry_after_s=2), "nothing is half done"),
    ],
)
def test_what_passes_says_when_to_come_back_once_and_in_a_readers_words(
    looked: HttpRequest, error: ParcelwardError, said: str
) -> None:
    answer = errors.ErrorPages(lambda _: errors.page(looked, 500)).process_exception(looked, error)
    assert answer is not None
    page = answer.content.decode()
    assert said in page
    assert error.message not in page, "what is written for programs"
    assert page.count("Try again in") == 1
    assert answer["Retry-After"] == str(error.retry_after_s)
    assert 'href="/track/RA473012345GB">Try again</a>' in page


def test_a_form_that_failed_is_not_offered_as_a_link() -> None:
    page = errors.page(RequestFactory().post("/app/desk/alerts/1/close"), 503).content.decode()
    assert "Try again in 60 seconds." in page
    assert ">Try again</a>" not in page


def test_a_page_that_is_not_there_does_not_tempt_to_try_again(looked: HttpRequest) -> None:
    assert ">Try again</a>" not in errors.page(looked, 404).content.decode()
