"""What the screens for keys and devices show: rows, and the words for tasks, clocks and ends. Values in, values out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from parcelward.doors.portals import moments
from parcelward.people.wire import Task

CLOCK_OFF_S: Final = 30  # from here on somebody should set it; beyond 300 s what it signs is refused
CLOCK_WRONG_S: Final = 300


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One line of a list."""

    key: str
    href: str
    title: str
    beside: str
    ago: str  # empty: never
    exact: str
    iso: str
    ended: bool
    current: bool


def row(
    kind: str, ident: UUID, title: str, beside: str, at: dt.datetime | None, *, now: dt.datetime, **more: Any
) -> HeldRow:
    """Return the line of a key or device that was last heard at a moment."""
    return HeldRow(
        key=f"row-{ident.hex[:12]}",
        href="?" + urlencode({kind: ident} | {name: more[name] for name in ("find", "after") if more.get(name)}),
        title=title,
        beside=beside,
        ago=moments.ago(at, now=now) if at else "",
        exact=moments.said(at) if at else "",
        iso=at.isoformat() if at else "",
        ended=bool(more.get("ended")),
        current=bool(more.get("current")),
    )


def clock(ahead_s: int | None) -> tuple[str, str]:
    """Return how a device's clock stands to ours, in words, and as a state: plain, good, wait or bad."""
    if ahead_s is None:
        return _("not known yet"), "plain"
    if abs(ahead_s) < CLOCK_OFF_S:
        return _("right"), "good"
    words = _("%(n)s s ahead of ours") if ahead_s > 0 else _("%(n)s s behind ours")
    wrong = abs(ahead_s) > CLOCK_WRONG_S
    said = words % {"n": abs(ahead_s)}
    return (_("%s: what it sends is refused") % said, "bad") if wrong else (said, "wait")


def task_name(task: Task) -> str:
    """Return what a task is called, as something that a key may do."""
    said = {
        Task.SCAN: _("send scans"),
        Task.ACCEPT_HAZMAT: _("accept dangerous goods"),
        Task.CAPTURE: _("send EPCIS documents and manifests"),
        Task.READ_EVENTS: _("read events (EPCIS queries)"),
        Task.HOLD: _("hold an item"),
        Task.RELEASE: _("release an item"),
        Task.RELEASE_SECURITY: _("release a hold for security"),
        Task.CORRECT: _("correct events"),
        Task.READ_DESK: _("read the desk"),
        Task.REPAIR: _("repair events and close alerts"),
        Task.EDIT_NETWORK: _("describe places and lanes"),
        Task.ENROL_DEVICE: _("enrol and revoke devices"),
        Task.MANAGE_KEYS: _("make and revoke keys"),
        Task.GRANT_SPENDING: _("let keys spend"),
        Task.MANAGE_PEOPLE: _("lock people out and let them in"),
        Task.MANAGE_MEMBERS: _("invite and end members"),
        Task.MANAGE_ORGANISATIONS: _("make and suspend organisations"),
        Task.CHANGE_ROLES: _("change roles"),
        Task.RE_ENROL: _("replace a lost passkey"),
        Task.CERTIFY: _("note trainings"),
        Task.REPLACE_LOG_KEY: _("replace the log's key"),
        Task.SHRED: _("erase items"),
        Task.IMPORT: _("import files"),
        Task.MAKE_BUNDLE: _("make evidence bundles"),
        Task.MAKE_LINK: _("make addressees' links"),
        Task.PROVE_SELF: _("prove one's own identity"),
        Task.PROVE_OTHERS: _("check documents at the counter"),
        Task.REVIEW_PROOFS: _("review proofs of identity"),
        Task.KEEP_PERSONAL: _("store personal data"),
        Task.REVEAL: _("read personal data for a purpose"),
        Task.FIND_PERSON: _("find a person"),
        Task.READ_TRAIL: _("read who looked at what"),
        Task.OWN_DATA: _("see one's own data"),
        Task.ANSWER_RIGHTS: _("answer people's requests"),
        Task.SHRED_PERSON: _("erase a person"),
        Task.DISCLOSE: _("disclose to an authority"),
        Task.KEEP_RETENTION: _("run the nightly forgetting"),
        Task.TURN_KEYS: _("rotate encryption keys"),
        Task.SEAL_LABEL: _("seal labels"),
        Task.RELABEL: _("label parcels anew"),
        Task.READ_BALANCE: _("see the balance"),
        Task.READ_MONEY: _("see all payments"),
        Task.PAY_IN: _("pay in"),
        Task.MANAGE_WEBHOOKS: _("manage webhooks"),
        Task.GIVE_BACK: _("give back payments"),
        Task.ANSWER_DISPUTE: _("answer disputes"),
        Task.RECONCILE: _("close differences with the provider"),
        Task.READ_DECISIONS: _("read decisions about orders"),
        Task.REVIEW_DECISION: _("review decisions about orders"),
        Task.WRITE_RULES: _("write rules"),
        Task.ACTIVATE_RULE: _("let rules act"),
        Task.SNOOZE_RULE: _("snooze rules"),
        Task.LEARN_OUTCOME: _("note fraud"),
        Task.CHOOSE_MODEL: _("choose models"),
        Task.APPEAL: _("contest decisions"),
        Task.LEND_KEYS: _("lend station keys"),
        Task.OPEN_LABEL: _("open labels"),
        Task.CONTACT: _("open masked contacts"),
    }
    return said.get(task) or task.value.replace("_", " ")
