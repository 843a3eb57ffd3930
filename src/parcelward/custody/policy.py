"""Whom to believe: C2SP tlog-policy. Which logs, which witnesses, and how many of them make a quorum."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from parcelward.custody import lines
from parcelward.custody.errors import BadKey, BadPolicy
from parcelward.custody.keys import SignatureType, Verifier, parse_vkey

POLICY_BYTES_MAX: Final = 1_000_000
NAMES_MAX: Final = 256  # logs, witnesses and groups together; the standard recommends 32 of each at least
NOBODY: Final = "none"  # the quorum that asks no witness
_COUNT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Group:
    """At least `needed` of `members` (names of witnesses or groups) have to have seen the checkpoint."""

    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Trusted logs, known witnesses by name, groups of them by name, and the name that makes the quorum.

    Raises BadPolicy when a key stands twice, a name is not defined, or the quorum can never be met.
    """

    logs: tuple[Verifier, ...]
    witnesses: Mapping[str, Verifier] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NOBODY

    def __post_init__(self) -> None:
        if len(self.logs) + len(self.witnesses) + len(self.groups) > NAMES_MAX:
            raise BadPolicy("A policy names too many logs, witnesses and groups.")
        if any(each.kind is SignatureType.COSIGNATURE for each in self.logs):
            raise BadPolicy("A log does not sign as a witness does.")
        if any(not each.kind.timed for each in self.witnesses.values()):
            raise BadPolicy("A witness's key is of a cosignature type.")
        # One key under two names would count twice.
        for keys in (self.logs, tuple(self.witnesses.values())):
            if len({each.public_key for each in keys}) != len(keys):
                raise BadPolicy("A policy names one public key twice.")
        self._require_defined()

    def _require_defined(self) -> None:
        if any(name.split() != [name] for name in (*self.witnesses, *self.groups)):
            raise BadPolicy("A policy's names are single words.")
        defined, counted = set(self.witnesses), set[str]()
        if NOBODY in defined or NOBODY in self.groups or defined & set(self.groups):
            raise BadPolicy("A policy uses one name for two things.")
        for name, group in self.groups.items():
            members = set(group.members)
            if not 1 <= group.needed <= len(members) or len(members) != len(group.members):
                raise BadPolicy("A group needs between one and all of its members, each named once.")
            if not members <= defined or members & counted:
                raise BadPolicy("A group's members are defined above it, and count in one group only.")
            counted |= members
            defined.add(name)
        if self.quorum != NOBODY and self.quorum not in defined:
            raise BadPolicy("The quorum is not defined.")

    def met_by(self, cosigners: Iterable[Verifier]) -> bool:
        """Return whether these witnesses' cosignatures, already verified, make the quorum."""
        present = set(cosigners)
        seen = {NOBODY: True} | {name: key in present for name, key in self.witnesses.items()}
        for name, group in self.groups.items():
            seen[name] = sum(seen[member] for member in group.members) >= group.needed
        return seen[self.quorum]

    @property
    def text(self) -> str:
        """The policy as a file."""
        return "".join(
            [
                *(f"log {each.vkey}\n" for each in self.logs),
                *(f"witness {name} {each.vkey}\n" for name, each in self.witnesses.items()),
                *(f"group {name} {each.needed} {' '.join(each.members)}\n" for name, each in self.groups.items()),
                f"quorum {self.quorum}\n",
            ]
        )


def quorum_of(needed: int, *, logs: Sequence[Verifier], witnesses: Sequence[Verifier]) -> Policy:
    """Return the simplest policy: any `needed` of the witnesses; zero asks none."""
    named: dict[str, Verifier] = {each.name: each for each in witnesses}
    if len(named) != len(witnesses):
        raise BadPolicy("Two witnesses share one name.")
    if needed == 0:
        return Policy(tuple(logs), named)
    return Policy(tuple(logs), named, {"witnesses": Group(needed, tuple(named))}, "witnesses")


def parse(data: bytes) -> Policy:
    """Return the policy that a file describes, or raise BadPolicy. URLs are allowed and not kept."""
    logs: list[Verifier] = []
    witnesses: dict[str, Verifier] = {}
    groups: dict[str, Group] = {}
    quorums: list[str] = []
    for words in _lines(data):
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                logs.append(_verifier(vkey))
            case ["witness", name, vkey] | ["witness", name, vkey, _] if name not in {*witnesses, *groups}:
                witnesses[name] = _verifier(vkey)
            case ["group", name, needed, *members] if members and name not in {*witnesses, *groups}:
                groups[name] = Group(_needed(needed, len(members)), tuple(members))
            case ["quorum", name] if name in {NOBODY, *witnesses, *groups}:
                quorums.append(name)
            case _:
                raise BadPolicy("A line of the policy is not understood, or defines a name twice or uses it too early.")
    if len(quorums) != 1:
        raise BadPolicy("A policy has exactly one quorum.")
    return Policy(tuple(logs), witnesses, groups, quorums[0])


def _lines(data: bytes) -> Iterator[list[str]]:
    """Yield the words of each line that says something. The standard takes any bytes above ASCII; we take UTF-8."""
    if len(data) > POLICY_BYTES_MAX:
        raise BadPolicy("The policy is too large.")
    text = lines.utf8(data.replace(b"\t", b" "), BadPolicy)
    if text and not text.endswith("\n"):
        raise BadPolicy("Every line of a policy ends in a newline.")
    for line in text.split("\n"):
        words = [word for word in line.split(" ") if word]
        if words and not words[0].startswith("#"):
            yield words


def _needed(word: str, members: int) -> int:
    if word in {"any", "all"}:
        return 1 if word == "any" else members
    if _COUNT.fullmatch(word) is None:
        raise BadPolicy("A group's threshold is `any`, `all` or a number.")
    return int(word)


def _verifier(vkey: str) -> Verifier:
    try:
        return parse_vkey(vkey)
    except BadKey as error:
        raise BadPolicy(error.message) from None
