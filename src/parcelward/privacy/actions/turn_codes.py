"""Give label codes a new key: labels are made with the newest, and an older one is believed as long as its labels live.

A label goes dark when the claim period of its week is over and the station's key is destroyed. A code's key is thrown
away in the same round, so no label that still opens is ever taken for a forged one.
"""

from __future__ import annotations

import datetime as dt
import itertools

from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import facts, keepers
from parcelward.privacy.sealing import rules


def rotate_label_code(*, by: Person, now: dt.datetime, stolen: bool = False) -> int:
    """Make a new key for label codes and return its version. With `stolen` no older one is believed from now on."""
    require(by, Task.TURN_KEYS)
    file = keepers.label_codes()
    file.newest()  # the first one is made where there was never any
    made = file.add(now=now).number
    said = {"by": by.source, "made_at": now.isoformat(), "stolen": stolen, "version": made}
    custody.record_fact(facts.LABEL_CODE_MADE, said)
    if stolen:
        _end([version for version in file.versions() if version != made], by)
    return made


def end_label_codes(*, claim: dt.timedelta, by: Person, now: dt.datetime) -> int:
    """Throw away the keys whose last labels are dark; return how many. Safe to repeat."""
    require(by, Task.TURN_KEYS)
    known = sorted(keepers.label_codes().versions().items())
    over = [
        version
        for (version, _), (_, follower) in itertools.pairwise(known)
        if rules.epoch_of(follower.made_at) <= rules.newest_over(now, claim)
    ]
    _end(over, by)
    return len(over)


def _end(versions: list[int], by: Person) -> None:
    for version in versions:
        custody.record_fact(facts.LABEL_CODE_RETIRED, {"by": by.source, "version": version})
        keepers.label_codes().remove(version)
