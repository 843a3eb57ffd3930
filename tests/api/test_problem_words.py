"""What the framework refuses is said in words that fit what was asked: whoever reads has sent nothing."""

from __future__ import annotations

import json

import pytest
from django.test import RequestFactory

from parcelward.doors.api import problems


@pytest.mark.parametrize("status", [400, 403])
def test_a_refused_reading_does_not_speak_of_storing(status: int) -> None:
    said = {
        method: json.loads(problems.of_status(RequestFactory().generic(method, "/api/v1/devices"), status).content)
        for method in ("GET", "HEAD", "POST")
    }
    assert "read" in said["GET"]["detail"]
    assert "stored" not in said["GET"]["detail"]
    assert "done" not in said["GET"]["detail"]
    assert said["HEAD"]["detail"] == said["GET"]["detail"] != said["POST"]["detail"]
    assert said["POST"]["code"] == said["GET"]["code"]
