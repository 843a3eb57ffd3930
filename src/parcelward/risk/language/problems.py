"""What is wrong with a rule that somebody writes: what, where, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from parcelward.base.errors import Invalid


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a rule: characters `start` to `end`, counted from 0.

    `code` has its sentence in `risk/rule_words.py`, `about` is what the sentence names, `suggestion` is what to write.
    """

    code: str
    start: int
    end: int
    about: str = ""
    suggestion: str = ""


class Refused(Invalid):
    """The rule cannot be taken: what is wrong stands in `findings`, in the order of the text."""

    default_code = "bad_rule"

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__("This rule cannot be used as it is")
        self.findings = tuple(sorted(findings, key=lambda finding: finding.start))


def refuse(code: str, start: int, end: int, *, about: str = "", suggestion: str = "") -> NoReturn:
    """Raise Refused for one thing."""
    raise Refused([Finding(code, start, end, about, suggestion)])


def meant(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant; empty if none is near."""
    return next(iter(difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)), "")
