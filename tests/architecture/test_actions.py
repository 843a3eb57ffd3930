"""Every deed that a door can ask for asks itself whether it may, in its first lines or in those that it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import parcelward

SRC = Path(parcelward.__file__).parent
DOORS = sorted((SRC / "doors").rglob("*.py"))

ASKS_NOBODY = {
    "payments.actions.take_notice": "the provider's signature is asked for; the notice is only a hint to look",
    "custody.actions.record_fact": "a room's own entry: whoever may do the deed has been asked by then",
    "custody.rotation.plan": "changes nothing",
    "custody.rotation.rotate": "custody knows no people: the command asks for the task in the line before",
    "custody.shredding.listed": "a list for the console",
    "parcels.actions.capture_jobs.run_job": "asks in the name of whoever sent the job, when it records",
    "parcels.actions.capture_jobs.capture_jobs_once": "the worker's; each job asks in its sender's name",
    "parcels.actions.capture_jobs.run_again": "at the console: the worker tries again, in the name of who sent it",
    "parcels.actions.came_again.settle_some": "the worker's: closes what has meanwhile been recorded",
    "parcels.actions.erasure.erase_due": "the worker's: carries out what two people agreed to",
    "parcels.actions.erasure.erase_again": "the worker's: carries out again what a restored backup brought back",
    "parcels.actions.standstill.open_standstill": "the worker's: raises an alarm",
    "parcels.actions.standstill.close_standstill": "the worker's: takes its alarm back",
    "parcels.actions.statuses.rebuild": "computes statuses again from what was recorded; at the console",
    "shipping.actions.retention.bodies_in_use": "says which keys of bodies are needed: ids alone; the worker's",
    "people.actions.devices.take_enrolment": "the code's: whoever made it had the right, and must have it still",
    "people.actions.accounts.installer": "says who stands at the console",
    "people.actions.joining.invitation": "says what a link offers; who holds its code is who was meant",
    "people.actions.joining.join": "the same: the code is the right",
    "people.actions.joining.try_code": "whoever holds the link; five wrong codes end it",
    "people.actions.two.re_enrol": "the same",
    "people.actions.joining.sign_up": "the same: the code that was sent is the right",
    "people.actions.proving.take_once": "takes something away: who may is asked where it is used",
    "people.actions.proving.give_challenge": "who signs in is nobody yet",
    "people.actions.proving.spend_challenge": "the same",
    "people.actions.proving.use_passkey": "the same: the passkey's signature is the right",
    "people.actions.sessions.begin_session": "the same: after the proof",
    "people.actions.accounts.machinery": "says who does the house's own work; what it may is in the table of roles",
}
"""What a door may ask for without a right, and why."""
DEEDS_APART = {"custody.rotation", "custody.shredding", "custody.bundling"}
"""Files with deeds that have another name than `actions`."""


def functions() -> dict[str, ast.FunctionDef]:
    """Return room.file.name -> definition, of every function in a room's files for deeds."""
    found = {}
    for path in SRC.rglob("*.py"):
        module = ".".join(path.relative_to(SRC).with_suffix("").parts)
        if ".actions" in module or ".proofing." in module or module in DEEDS_APART:
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef):
                    found[f"{module.removesuffix('.__init__')}.{node.name}"] = node
    return found


FUNCTIONS = functions()


def asks(name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Return whether a function, or one of the same file that it calls, calls `require` or `may`."""
    if name in seen or name not in FUNCTIONS:
        return False
    module, called = name.rpartition(".")[0], set()
    for node in ast.walk(FUNCTIONS[name]):
        if isinstance(node, ast.Call):
            called.add(node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func))
    return bool(called & {"require", "may"}) or any(asks(f"{module}.{one}", seen | {name}) for one in called)


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield local name, full name without the package, of what a file imports from the rooms."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("parcelward."):
            for alias in node.names:
                yield alias.asname or alias.name, f"{(node.module or '').removeprefix('parcelward.')}.{alias.name}"


def resolved(name: str) -> str:
    """Return where `parcels.actions.hold` is defined: `parcels.actions.desk.hold`."""
    folder, _, last = name.rpartition(".")
    inside = [one for one in FUNCTIONS if one.startswith(f"{folder}.") and one.endswith(f".{last}")]
    return name if name in FUNCTIONS or not inside else inside[0]


def deeds() -> dict[str, str]:
    """Return each function for deeds that a door names -> the file that does."""
    found: dict[str, str] = {}
    for path in DOORS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        local = dict(imported(tree))
        names = {full for full in local.values() if resolved(full) in FUNCTIONS}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in local:
                names.add(f"{local[node.value.id]}.{node.attr}")
        found |= {resolved(name): str(path.relative_to(SRC)) for name in names if resolved(name) in FUNCTIONS}
    return found


DEEDS = deeds()


@pytest.mark.asvs("8.3.1")
@pytest.mark.parametrize("deed", sorted(DEEDS))
def test_a_deed_asks_whether_it_may(deed: str) -> None:
    assert asks(deed) or deed in ASKS_NOBODY, f"{DEEDS[deed]} calls {deed}, which asks nobody"


def test_the_doors_were_walked_and_no_exception_is_left_over() -> None:
    assert {
        "parcels.actions.desk.hold",
        "people.actions.devices.enrol_device",
        "network.actions.put_lane",
    } <= DEEDS.keys()
    assert [name for name in ASKS_NOBODY if name not in DEEDS or asks(name)] == []
