"""What the rows and the log say of a request."""

from __future__ import annotations

import json
import uuid
from typing import Any

from parcelward.custody.models import Fact
from parcelward.custody.verification import Findings
from parcelward.privacy import rights_check
from parcelward.privacy.models import RightsRequest


def row(request_id: uuid.UUID) -> RightsRequest:
    return RightsRequest.objects.get(pk=request_id)


def problems() -> list[str]:
    findings = Findings()
    rights_check.check_rights(findings)
    return [] if findings.first is None else [findings.first.args[0] and findings.first.differs]


def said(kind: str) -> Any:
    """Return the newest entry of a kind."""
    return json.loads(bytes(Fact.objects.filter(kind=kind).latest("batch", "leaf").body))
