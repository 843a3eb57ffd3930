"""What people see when something goes wrong: every error page, made by the error itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import httpx
import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path
from django.views.decorators.http import require_safe
from playwright.sync_api import Browser
from tests.browser.conftest import hold_up, picture
from tests.browser.serving import serving

from parcelward.base.errors import Conflict, Invalid, TooLarge, TooMany
from parcelward.doors.portals import errors

pytestmark = pytest.mark.browser

WIDTHS = {1280: 800, 375: 812}
RAISED: dict[str, Exception] = {
    "400": SuspiciousOperation("odd"),
    "403": PermissionDenied("not yours"),
    "409": Conflict("Somebody closed it"),
    "413": TooLarge("Too much"),
    "422": Invalid("Give a reason"),
    "429": TooMany("Too many requests in a short time", retry_after_s=37),
    "500": RuntimeError("a fault of ours"),
    "503": OperationalError("server closed the connection"),
}
handler400, handler403, handler404, handler500 = (
    errors.bad_request,
    errors.forbidden,
    errors.not_found,
    errors.server_error,
)


@require_safe
def _raise(request: HttpRequest, status: str) -> HttpResponse:
    raise RAISED[status]


urlpatterns = [path("raise/<str:status>", _raise), path("", include("parcelward.doors.urls"))]


@pytest.fixture(scope="module")
def failing_url(installation: Any) -> Iterator[str]:
    """The same house with one door more, behind which each error waits."""
    from django.core.wsgi import get_wsgi_application

    with override_settings(ROOT_URLCONF=__name__), serving(get_wsgi_application()) as url:
        yield url


@pytest.mark.asvs("16.5.1", "13.4.2")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_error_page_holds_up(
    chromium: Browser, failing_url: str, axe: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme)
    for status in RAISED:
        hold_up(page, f"{failing_url}/raise/{status}", axe, width)
        assert "req_" in page.inner_text(".pw-request-id")
        picture(page, f"error-{status}-{width}-{scheme}", kept=scheme == "light" and status in {"500", "503"})
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_who_comes_by_the_wrong_way_is_told_so_and_led_on(opened: Any, live_url: str, axe: str, width: int) -> None:
    """A form's address typed or opened again, as after signing in anew."""
    page = opened(width, WIDTHS[width])
    hold_up(page, f"{live_url}/accounts/sign-out", axe, width)
    assert page.locator("main a").count() >= 1
    picture(page, f"error-405-{width}-light", kept=False)
    answer = httpx.get(f"{live_url}/accounts/sign-out", timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html; charset=utf-8")
    assert "POST" in answer.headers["allow"]
