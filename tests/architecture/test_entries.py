"""Every deed that a door asks for leaves an entry in the log: found by following what each calls, down to custody."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.architecture.test_actions import DEEDS, SRC

WRITES = {"custody.actions.record_fact", "custody.actions.add_batch"}
"""What makes an entry: of a fact, and of a batch of scans."""

_READS = "reads, and changes nothing"
LEAVES_NONE = {
    "payments.actions.take_notice": "a hint to look: what is then seen of the payment is an entry",
    "shipping.actions.remembered.revise": "new rates of a shipment that is not bought: each is a quote, which binds us",
    "shipping.actions.retention.bodies_in_use": _READS,
    "shipping.actions.quotes.quote": "a price that holds for a time: binds us, and is of nobody",
    "shipping.actions.uploads.take_file": "a draft of orders, sealed: each order that is made of it is an entry",
    "shipping.actions.uploads.mend_row": "the same",
    "shipping.actions.uploads.give_up": "the same: nobody was promised anything",
    "custody.rotation.plan": _READS,
    "custody.shredding.listed": _READS,
    "parcels.actions.retention.due_old": _READS,
    "people.actions.retention.due_old": _READS,
    "privacy.actions.retention.due_old": _READS,
    "risk.actions.retention.due_old": _READS,
    "risk.actions.ruling.try_rule": _READS,
    "risk.actions.ruling.try_text": _READS,
    "shipping.actions.retention.due_old": _READS,
    "privacy.actions.look.masked_many": _READS,
    "people.actions.accounts.installer": _READS,
    "people.actions.accounts.machinery": _READS,
    "people.actions.joining.invitation": _READS,
    "people.proofing.counter.find_check": _READS,
    "people.proofing.counter.waiting_check": _READS,
    "people.proofing.counter.require_may_begin": _READS,
    "people.proofing.letters.require_may_ask": _READS,
    "people.proofing.reads.check_in_review": _READS,
    "people.proofing.reads.checks_in_review": _READS,
    "people.proofing.reads.letter_to_print": _READS,
    "people.proofing.reads.letters_printed": _READS,
    "people.proofing.reads.letters_to_print": _READS,
    "people.proofing.reads.mine": _READS,
    "parcels.actions.capture_jobs.open_job": "a document that waits: each event in it is an entry when it is captured",
    "parcels.actions.capture_jobs.run_again": "the same",
    "parcels.actions.erasure.erase_again": "what an entry already says, done once more after a restore",
    "privacy.actions.shred.delete_again": "the same",
    "parcels.actions.retention.forget_keys_left": "keys of bodies whose going has its entry, or that were never stored",
    "parcels.actions.standstill.open_standstill": "says that the log stands still: it cannot be told",
    "parcels.actions.standstill.close_standstill": "the same",
    "parcels.actions.statuses.rebuild": "computes again what the entries say",
    # The moments of a sign-in are in the person's own history, which goes by age; the log is for good and for all.
    "people.actions.proving.give_challenge": "a number that somebody is to sign within minutes",
    "people.actions.proving.spend_challenge": "the same",
    "people.actions.proving.take_once": "a number that is good once",
    "people.actions.proving.use_passkey": "the person's own history says it",
    "people.actions.sessions.begin_session": "the same",
    "people.actions.sessions.end_session": "the same",
    "people.actions.sessions.prove_again": "the same",
    "people.actions.sessions.act_for": "which of one's own roles a session shows; each deed asks for itself",
}
"""Deeds that leave no entry, and why."""


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


def names_in(tree: ast.Module) -> dict[str, str]:
    """Return what a name of a file means elsewhere in the house: `custody` -> `custody.actions`."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("parcelward"):
            base = (node.module or "").removeprefix("parcelward").removeprefix(".")
            for alias in node.names:
                found[alias.asname or alias.name] = f"{base}.{alias.name}".removeprefix(".")
    return found


class House:
    """Every function of the house, what each calls, and what each file's names mean."""

    def __init__(self) -> None:
        self.calls: dict[str, set[str]] = {}
        self.means: dict[str, dict[str, str]] = {}
        for path in SRC.rglob("*.py"):
            if "migrations" not in path.parts:
                self._read(path)

    def _read(self, path: Path) -> None:
        module, tree = module_of(path), ast.parse(path.read_text(encoding="utf-8"))
        self.means[module] = names_in(tree)
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.means[module].setdefault(node.targets[0].id, "")
                if isinstance(node.value, ast.Attribute):  # once = answers.once
                    self.means[module][node.targets[0].id] = self._called(module, node.value)
            for one in ast.walk(node):
                if isinstance(one, ast.FunctionDef):
                    inside = {
                        self._called(module, each)
                        for each in ast.walk(one)
                        if isinstance(each, ast.Name | ast.Attribute)
                    }
                    self.calls.setdefault(f"{module}.{one.name}", set()).update(inside - {""})

    def _called(self, module: str, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self.means[module].get(node.id) or f"{module}.{node.id}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            whole = self.means[module].get(node.value.id)
            if whole:
                return f"{whole}.{node.attr}"
            return f"{module}.{node.attr}" if node.value.id in {"self", "cls"} else ""
        return ""

    def where(self, name: str, depth: int = 5) -> str:
        """Return where a name that a room shows is defined."""
        if name in self.calls or not depth:
            return name
        module, _, last = name.rpartition(".")
        means = self.means.get(module, {}).get(last)
        return self.where(means, depth - 1) if means else name

    def writes(self, name: str) -> bool:
        """Return whether a function, or one that it calls however deep, makes an entry."""
        seen: set[str] = set()
        ask = [self.where(name)]
        while ask:
            one = ask.pop()
            if one in WRITES:
                return True
            if one not in seen:
                seen.add(one)
                ask += [self.where(called) for called in self.calls.get(one, ())]
        return False


HOUSE = House()


@pytest.mark.parametrize("deed", sorted(DEEDS))
def test_a_deed_leaves_an_entry(deed: str) -> None:
    assert HOUSE.writes(deed) or deed in LEAVES_NONE, f"{DEEDS[deed]} calls {deed}, and the log is told nothing"


def test_no_exception_is_left_over() -> None:
    assert [deed for deed in LEAVES_NONE if deed not in DEEDS or HOUSE.writes(deed)] == []


def test_what_makes_an_entry_was_found() -> None:
    assert HOUSE.calls.keys() >= WRITES
    assert HOUSE.writes("people.actions.joining.invite")
    assert not HOUSE.writes("people.rules.session_holds")
