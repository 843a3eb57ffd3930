"""The sample people of test mode: each has a link that lets somebody in, also after the first was used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

OTHER = "http://localhost:8099"


def samples(installation: Any, **settings: str) -> dict[str, dict[str, str]]:
    """Run the command as a second start does; return role and organisation -> the person."""
    subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", "samples"], env={**os.environ, **settings}, check=True
    )
    people = json.loads((installation.home / "samples.json").read_text())["people"]
    return {f"{one['role']} {one['at']}": one for one in people if one["role"] != "administrator"}


def test_a_link_that_was_used_is_a_new_one_at_the_next_start(installation, browser):
    first = samples(installation)
    assert samples(installation) == first, "what still opens something stays"
    used, other = "planner ", "sender_member Sample Shop (simulated)"
    assert browser().join(first[used]["sign_in"]).status_code == 302
    again = samples(installation)
    assert again[used]["sign_in"] != first[used]["sign_in"]
    assert again[other] == first[other]
    assert browser().join(again[used]["sign_in"]).status_code == 302


def test_the_owner_of_a_sample_shop_is_followed_by_another_administrator(installation, browser):
    shop = "sender_admin Sample Shop (simulated)"
    first = samples(installation)
    assert browser().join(first[shop]["sign_in"]).status_code == 302
    assert browser().join(samples(installation)[shop]["sign_in"]).status_code == 302


def test_every_link_has_the_address_of_today(installation):
    before = samples(installation)
    after = samples(installation, PARCELWARD_PUBLIC_URL=OTHER)
    assert all(one["sign_in"].startswith(OTHER) for one in after.values())
    assert samples(installation) == before
