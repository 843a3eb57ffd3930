"""Ask the package index whether anything that we lock has a known weakness, and how long each may stay.

`python scripts/check_dependencies.py` reads requirements.lock and exits 1 while something is overdue or withdrawn. How
long is long, and what is done: docs/operating/dependencies.md, whose table is `DAYS`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

ROOT: Final = Path(__file__).resolve().parent.parent
INDEX: Final = "https://pypi.org/pypi"
DAYS: Final = {"a weakness is known": 7, "the lock was made": 90}
"""What happened -> after how many days at most the lock is made anew."""
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


class Known(NamedTuple):
    """What the index says of one version."""

    weak: tuple[str, ...]  # names of its weaknesses, each of which has a newer version without
    yanked: bool


def pins(lock: str) -> list[tuple[str, str]]:
    """Return (name, version) of everything that is locked."""
    return _PIN.findall(lock)


def known(answer: dict[str, Any]) -> Known:
    """Read the index's answer about one version."""
    weak = [each for each in answer.get("vulnerabilities") or [] if not each.get("withdrawn")]
    names = (next((a for a in each.get("aliases") or [] if a.startswith("CVE-")), str(each["id"])) for each in weak)
    return Known(tuple(sorted(names)), any(each.get("yanked") for each in answer.get("urls") or []))


def faults(lock: str, index: str, *, age: dt.timedelta) -> Iterator[str]:
    """Yield what must be done, in words."""
    limit = DAYS["the lock was made"]
    if age > dt.timedelta(days=limit):
        yield f"requirements.lock is {age.days} days old; it is made anew after {limit}"
    with httpx.Client(timeout=30) as client:
        for name, version in pins(lock):
            answer = client.get(f"{index}/{name}/{version}/json")
            if answer.status_code == httpx.codes.NOT_FOUND:
                yield f"{name} {version} is not known at {index}, so nobody can say"
                continue
            answer.raise_for_status()
            found = known(answer.json())
            if found.weak:
                yield f"{name} {version}: {', '.join(found.weak)}; replace it within {DAYS['a weakness is known']} days"
            if found.yanked:
                yield f"{name} {version} was withdrawn by its makers"


def main(arguments: list[str]) -> int:
    """Print what must be done; 0 when it is nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements.lock")
    parser.add_argument("--index", default=INDEX)
    parser.add_argument("--made", type=dt.date.fromisoformat, help="when the lock was made; else its file's own time")
    given = parser.parse_args(arguments)
    now = dt.datetime.now(dt.UTC)
    made = given.made or dt.datetime.fromtimestamp(given.lock.stat().st_mtime, dt.UTC).date()
    found = list(faults(given.lock.read_text(encoding="utf-8"), given.index, age=now.date() - made))
    print("\n".join(found) or "Nothing that is locked has a known weakness.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
