"""Who is in a handover with whom: one giver and one receiver. Pure decisions.

Both sides name the same id, and anybody may make one up, so two pairs that know nothing of each other can come to use
the same, and somebody who has no part in a handover can sign in it. What tells them apart is who signs and the items.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from parcelward.parcels.rules import Sight, Verdict

_KEY: Final = "key "  # no party's name: those have no such prefix, see `speaker`


class _Hand(NamedTuple):
    """All that one speaker saw for one side."""

    speaker: str
    sights: list[Sight]
    began: dt.datetime


def speaker(party: str, source: int, *, is_key: bool) -> str:
    """Return who signs. Our devices speak for the party that they name; a partner's key only for its holder."""
    return f"{_KEY}{source}" if is_key else f"party {party}"


def pairs(sights: Sequence[Sight]) -> list[list[Sight]]:
    """Return the sights by handover: a giver and the receiver who saw most of the same items, each in one only.

    Where several saw as many, our devices come before a partner's key, then who came first. Who is left over stands
    alone, so that what it signed for is short or unexpected; but one giver and one receiver under an id always belong
    together, whatever they saw.
    """
    givers, receivers = _hands(sights, "giver"), _hands(sights, "receiver")
    if len(givers) <= 1 and len(receivers) <= 1:
        return [list(sights)] if sights else []
    ranked = []
    for (i, j), shared in _shared(givers, receivers).items():
        one, other = givers[i], receivers[j]
        keys = one.speaker.startswith(_KEY) + other.speaker.startswith(_KEY)
        ranked.append((keys, -shared, max(one.began, other.began), i, j))
    ranked.sort()
    found: list[list[Sight]] = []
    gave, got = set(range(len(givers))), set(range(len(receivers)))
    for *_, i, j in ranked:
        if i in gave and j in got:
            gave.remove(i)
            got.remove(j)
            found.append([*givers[i].sights, *receivers[j].sights])
    return found + [givers[i].sights for i in sorted(gave)] + [receivers[j].sights for j in sorted(got)]


def _shared(givers: Sequence[_Hand], receivers: Sequence[_Hand]) -> Counter[tuple[int, int]]:
    """Return how many items each giver and receiver have both seen, where any.

    By item and not by pair: a device may name another party with each scan, and a source sees an item once a side.
    """
    gave: dict[UUID, set[int]] = {}
    for i, one in enumerate(givers):
        for sight in one.sights:
            gave.setdefault(sight.item, set()).add(i)
    got = {(sight.item, j) for j, other in enumerate(receivers) for sight in other.sights}
    return Counter((i, j) for item, j in got for i in gave.get(item, ()))


def _hands(sights: Sequence[Sight], side: str) -> list[_Hand]:
    """Return who signed for a side. Devices that name no party belong to the one party that the side has, if one."""
    by_speaker: dict[str, list[Sight]] = {}
    for sight in sights:
        if sight.side == side:
            by_speaker.setdefault(sight.speaker, []).append(sight)
    nobody = speaker("", 0, is_key=False)
    named = [one for one in by_speaker if one != nobody and not one.startswith(_KEY)]
    if len(named) == 1 and nobody in by_speaker:
        by_speaker[named[0]] += by_speaker.pop(nobody)
    return [_Hand(one, its, min(sight.record_time for sight in its)) for one, its in sorted(by_speaker.items())]


def findings(sights: Sequence[Sight], verdict: Verdict) -> list[tuple[str, UUID | None]]:
    """Return what needs a person as (kind of alert, item); no item where only a count or a signature tells."""
    found: list[tuple[str, UUID | None]] = [("short", item) for item in verdict.short]
    found += [("unexpected", item) for item in verdict.unexpected]
    if verdict.over:
        found.append(("over", None))
    if _short_by_count(sights, verdict):
        found.append(("short", None))
    if _signed_by_one(sights):
        found.append(("one_hand", None))
    return found


def settled(sights: Sequence[Sight]) -> set[UUID]:
    """Return the items that both sides have seen."""
    return {s.item for s in sights if s.side == "giver"} & {s.item for s in sights if s.side == "receiver"}


def _short_by_count(sights: Sequence[Sight], verdict: Verdict) -> bool:
    """Return whether the giver counts more than the receiver, beyond the items that are known by name."""
    total = {"giver": 0, "receiver": 0}
    for side in total:
        here = [sight for sight in sights if sight.side == side]
        total[side] = max(len({sight.item for sight in here}), max((sight.counted for sight in here), default=0))
    return total["giver"] - len(verdict.short) > total["receiver"] - len(verdict.unexpected)


def _signed_by_one(sights: Sequence[Sight]) -> bool:
    """Return whether any item was seen for both sides by one source, and by nobody else."""
    by: dict[tuple[str, UUID], set[int]] = {}
    for sight in sights:
        by.setdefault((sight.side, sight.item), set()).add(sight.source)
    return any(
        len(who) == 1 and who == by.get(("receiver", item)) for (side, item), who in by.items() if side == "giver"
    )
