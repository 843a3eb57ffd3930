"""Decides about an order by a set of rules: which fire, what that means, and what was left out.

No rule can stop the house. One that can no longer be read is left out of the set and named; one that fails on an order
is set aside for that order, which the others decide. Shadow rules and snoozed ones are asked, and change nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from parcelward.risk.language import compiling, interpreting, reading
from parcelward.risk.language.compiling import Compiled, Row
from parcelward.risk.language.life import Snooze, Stage, Version
from parcelward.risk.language.problems import Refused
from parcelward.risk.language.schema import Schema
from parcelward.risk.language.tree import Node
from parcelward.risk.wire import Answer, Reason, strictest

ALERT: Final = "rule_set_aside"
"""The kind of alert that a rule raises which could not be asked."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A rule that could not be asked: `why` is a code, never what an order has in it."""

    rule: str
    number: int
    why: str
    alert: str = ALERT


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules that are asked about an order: those that act and those in shadow. `of` makes it, once a change."""

    versions: tuple[Version, ...]
    nodes: tuple[Node, ...]
    compiled: Compiled
    set_aside: tuple[SetAside, ...]  # rules that the fields of today cannot answer

    @classmethod
    def of(cls, schema: Schema, versions: Iterable[Version]) -> RuleSet:
        """Return a set of rules. What cannot be read is set aside: it does not raise."""
        asked: list[tuple[Version, Node]] = []
        aside: list[SetAside] = []
        for version in versions:
            if version.stage not in {Stage.ACTIVE, Stage.SHADOW}:
                continue
            try:
                asked.append((version, reading.read(version.text, schema)))
            except Refused as refused:
                aside.append(SetAside(version.rule, version.number, refused.findings[0].code))
        nodes = tuple(node for _, node in asked)
        return cls(tuple(version for version, _ in asked), nodes, compiling.compiled(nodes), tuple(aside))


@dataclass(frozen=True, slots=True)
class Decided:
    """What a set of rules says of an order, and what it left out on the way."""

    answer: Answer
    reasons: tuple[Reason, ...] = ()  # the strictest first
    shadow_answer: Answer = Answer.ALLOW  # what the rules in shadow would have made of it
    shadow_reasons: tuple[Reason, ...] = ()
    snoozed: tuple[Reason, ...] = ()
    set_aside: tuple[SetAside, ...] = ()  # each is an alert
    missing: tuple[str, ...] = ()  # fields that a rule asked about and nobody knew: tests of them were false


def decide(
    ruleset: RuleSet,
    facts: Mapping[str, object],
    snoozes: Sequence[Snooze],
    now: dt.datetime,
    *,
    customer: str = "",
) -> Decided:
    """Return what the rules say of an order. `customer` is the opaque key that snoozes name: without it none counts."""
    row, missing = ruleset.compiled.read(facts)
    fired, aside = fired_by(ruleset, row)
    if not fired:
        return Decided(Answer.ALLOW, set_aside=aside, missing=tuple(missing))
    snoozed = {each.rule for each in snoozes if customer and each.customer == customer and now < each.until}
    groups: dict[str, list[tuple[Version, Reason]]] = {"reasons": [], "shadow": [], "snoozed": []}
    for place in fired:
        version = ruleset.versions[place]
        because = interpreting.examine(ruleset.nodes[place], facts).because
        shadow = version.stage is Stage.SHADOW
        name = "shadow" if shadow else "snoozed" if version.rule in snoozed else "reasons"
        groups[name].append((version, Reason(version.rule, version.words, because, version.answer, version.number)))
    for group in groups.values():
        group.sort(key=lambda each: (-each[0].answer.severity, each[0].rule))
    return Decided(
        answer=strictest(version.answer for version, _ in groups["reasons"]),
        reasons=tuple(reason for _, reason in groups["reasons"]),
        shadow_answer=strictest(version.answer for version, _ in [*groups["reasons"], *groups["shadow"]]),
        shadow_reasons=tuple(reason for _, reason in groups["shadow"]),
        snoozed=tuple(reason for _, reason in groups["snoozed"]),
        set_aside=aside,
        missing=tuple(missing),
    )


def fired_by(ruleset: RuleSet, row: Row) -> tuple[list[int], tuple[SetAside, ...]]:
    """Return the places of the rules that fire, and the rules that failed on this order."""
    try:
        return ruleset.compiled.fired(*row), ruleset.set_aside
    except Exception:  # noqa: BLE001 -- one bad rule must not stop the house: now each is asked by itself
        fired = []
    aside = [*ruleset.set_aside]
    for place, (alone, version) in enumerate(zip(ruleset.compiled.alone, ruleset.versions, strict=True)):
        try:
            if alone(*row):
                fired.append(place)
        except Exception as wrong:  # noqa: BLE001 -- this one is set aside, and named in an alert
            aside.append(SetAside(version.rule, version.number, type(wrong).__name__))
    return fired, tuple(aside)
