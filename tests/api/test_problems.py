"""Whatever goes wrong where programs ask is a problem document, also what the framework refuses by itself."""

from __future__ import annotations

import httpx
import pytest
from django.test import RequestFactory

from parcelward.doors.portals import errors

REFUSED = [
    ("GET", "/api/v1/nothing", 404, "not_found"),
    ("GET", "/api/nothing", 404, "not_found"),
    ("GET", "/epcis/nothing", 404, "not_found"),
    ("GET", "/log/nothing", 404, "not_found"),
    ("PATCH", "/api/v1/items/RR123456785US", 405, "method_not_allowed"),
    ("GET", "/api/v1/manifests", 405, "method_not_allowed"),
    ("POST", "/log/checkpoint", 405, "method_not_allowed"),
    ("POST", "/healthz", 405, "method_not_allowed"),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), REFUSED)
def test_the_framework_refuses_with_a_problem_document(installation, method, path, status, code):
    answer = httpx.request(method, installation.url + path, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    said = answer.json()
    assert (said["status"], said["code"], said["request_id"]) == (status, code, answer.headers["X-Request-Id"])
    assert said["detail"], "it says what to do"
    assert ("Allow" in answer.headers) == (status == 405)


def test_people_still_get_a_page(installation):
    answer = httpx.get(f"{installation.url}/nothing", timeout=30)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.asvs("13.4.2", "16.5.1")
def test_a_programs_request_that_breaks_us_gets_a_problem_document():
    answer = errors.server_error(RequestFactory().post("/api/v1/scans"))
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert b'"code":"internal"' in answer.content
