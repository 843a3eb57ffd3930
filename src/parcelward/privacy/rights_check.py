"""Compare requests about one's own data with the entries that made and answered them: part of `verify-log`.

Whoever can turn such a row closes an account, hides a refusal, or opens what somebody had closed. Each is the image of
the last entry about it; one that ended longer ago than it is kept may be gone.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from parcelward.custody.queries import Findings, Told, told
from parcelward.privacy import facts
from parcelward.privacy.actions.rights import COLUMNS, said
from parcelward.privacy.models import RightsRequest


def gone_before(kept_class: str) -> dt.datetime:
    """Return before which moment rows of a class were forgotten by age, as the log says."""
    said = [one.said["before"] for one in told(facts.RETAINED) if one.said["class"] == kept_class]
    return max(map(dt.datetime.fromisoformat, said), default=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


def check_rights(findings: Findings) -> None:
    """Note every request that is not what the last entry about it says."""
    last: dict[str, Told] = {}
    for entry in told(facts.RIGHTS_ASKED, facts.RIGHTS_ANSWERED, facts.RIGHTS_ENDED):
        last[entry.said["id"]] = entry
    stored = {str(row.id): {name: said(getattr(row, name)) for name in COLUMNS} for row in RightsRequest.objects.all()}
    oldest = gone_before("rights_requests")
    for key, entry in last.items():
        row = stored.pop(key, None)
        what = f"The request {UUID(key)} of a person about their own data"
        if row is None:
            if entry.said["ended_at"] and dt.datetime.fromisoformat(entry.said["ended_at"]) < oldest:
                continue
            findings.note(f"{what} is in the log and its row is gone.", differs="rights_request", index=entry.place)
            continue
        wrong = [name for name, value in row.items() if entry.said[name] != value]
        if wrong:
            words = f"{what} differs from its entry: {', '.join(wrong)}."
            findings.note(words, differs="rights_request", index=entry.place)
    for key in stored:
        findings.note(
            f"The request {UUID(key)} of a person is in the table and no entry made it.", differs="rights_request"
        )
