"""Puts rules behind what several of them ask, so that most orders pass many rules with one look.

`cards_1h > 3` and `cards_1h > 5 and new_address` both need `cards_1h > 3`: where that is false, neither is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parcelward.risk.language.tree import All, Any, Compare, Fixed, Node, Of, Test


@dataclass(frozen=True, slots=True)
class Group:
    """Some rules, by their places, and what must be true before any of them can be; None where nothing must."""

    door: Test | None
    rules: tuple[int, ...]


def grouped(rules: Sequence[Node]) -> list[Group]:
    """Return each rule in one group: first behind what most rules share, and so on; what shares nothing is alone."""
    needed = {place: _needed(rule) for place, rule in enumerate(rules)}
    groups: list[Group] = []
    while True:
        shared: dict[object, list[int]] = {}
        for place, tests in needed.items():
            for key in tests:
                shared.setdefault(key, []).append(place)
        key, places = max(shared.items(), key=lambda each: len(each[1]), default=(None, []))
        if len(places) < 2:  # noqa: PLR2004 -- one shares nothing
            break
        groups.append(Group(_weakest([needed[place][key] for place in places]), tuple(places)))
        needed = {place: tests for place, tests in needed.items() if place not in places}
    return [*groups, *(Group(None, (place,)) for place in needed)]


def _needed(rule: Node) -> Mapping[object, Test]:
    """Return the tests that must all be true, each under what it can share: an upward limit of a field, or itself."""
    found: dict[object, Test] = {}
    for part in rule.parts if isinstance(rule, All) else (rule,):
        match part:
            case Compare(op, Of(field), Fixed()) if op in {"<", "<=", ">", ">="}:
                key = (field, op[0])
                found[key] = _weakest([found[key], part]) if key in found else part
            case All() | Any():
                continue
            case _:
                found[part] = part
    return found


def _weakest(tests: Sequence[Test]) -> Test:
    """Return the test that is true where any of some is: they are limits of one field on one side, or all the same."""
    return max(tests, key=_weakness)


def _weakness(test: Test) -> tuple[float, bool]:
    match test:
        case Compare(">" | ">=", _, Fixed(limit)):
            return -limit, test.op == ">="
        case Compare("<" | "<=", _, Fixed(limit)):
            return limit, test.op == "<="
    return 0, False
