"""Retention: one table for all classes; nothing younger goes, holds keep, a dry run changes nothing, a kill resumes."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import uuid

import pytest
from django.apps import apps
from django.utils import timezone
from tests.joined import joined

from parcelward.custody.models import Fact
from parcelward.custody.verification import Findings
from parcelward.doors.console import retention_command
from parcelward.parcels.actions import retention as parcels_retention
from parcelward.parcels.models import Quarantine
from parcelward.people.actions import retention as people_retention
from parcelward.people.models import Challenge, Code, SecurityEvent
from parcelward.people.proofing import check as proof_check
from parcelward.people.wire import Role
from parcelward.privacy import actions, facts, queries, retention, verification
from parcelward.privacy.actions import retention as vault_retention
from parcelward.privacy.errors import NotInVault
from parcelward.privacy.models import Disclosure, KeptPerson, PersonKey
from parcelward.privacy.wire import Field, Kind, Purpose
from parcelward.risk.actions import retention as risk_retention
from parcelward.shipping.actions import retention as shipping_retention

DAY = dt.timedelta(days=1)
CUSTODY = {
    *("custody_batch", "custody_pendingbatch", "custody_logbatch", "custody_logstate", "custody_cursor"),
    *("custody_fact", "custody_tombstone", "custody_itemsecret", "custody_erasure", "custody_legalhold"),
}
"""The log itself: salted commitments and secrets, no personal data; what it is kept for is that it never goes."""
NETWORK = {"network_route", "network_facility", "network_lane", "network_closedday", "network_openinghours"}
"""Places and roads, of nobody."""
PAYMENTS = {
    *("payments_account", "payments_balance", "payments_posting", "payments_line", "payments_intent"),
    *("payments_refund", "payments_dispute", "payments_notice", "payments_movement", "payments_finding"),
}
"""The books, under opaque ids: kept as long as the house; an owner's account says nothing without people's rows."""
SWEPT = {
    "privacy_person": ("addressee", "sender", "staff", "pending"),
    "privacy_message": ("messages",),
    "privacy_disclosure": ("disclosures",),
    "privacy_rights_request": ("rights_requests",),
}


def in_days(days: float) -> dt.datetime:
    return timezone.now() + days * DAY


@pytest.mark.asvs("14.1.1", "14.1.2")
def test_every_table_has_a_class_or_an_argument():
    swept = {
        sweep.older(timezone.now()).model._meta.db_table
        for sweep in (
            *people_retention.SWEEPS,
            *parcels_retention.SWEEPS,
            *risk_retention.SWEEPS,
            *shipping_retention.SWEEPS,
        )
    }
    good = people_retention.KEPT_FOR_GOOD | parcels_retention.KEPT_FOR_GOOD | dict(retention.KEPT_FOR_GOOD)
    good |= risk_retention.KEPT_FOR_GOOD | shipping_retention.KEPT_FOR_GOOD
    named = swept | SWEPT.keys() | good.keys() | CUSTODY | NETWORK | PAYMENTS
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert sorted(tables - named - {"auth_group_permissions"}) == []
    assert sorted(named - tables) == []


def test_every_class_is_swept_by_one_room_and_every_sweep_is_in_the_table():
    rooms = (people_retention, parcels_retention, risk_retention, shipping_retention, vault_retention)
    swept = [sweep.kept_class for room in rooms for sweep in room.SWEEPS]
    assert len(swept) == len(set(swept))
    assert {*swept, *vault_retention.KINDS, "pending"} == set(retention.CLASSES)
    assert all(row.ground and row.source and row.days >= 0 for row in retention.TABLE)


@pytest.mark.asvs("14.2.4")
def test_somebody_unused_goes_in_time_and_not_a_day_earlier(machinery, anna):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    vault_retention.forget_old("addressee", in_days(189), by=machinery)
    assert queries.kept(token)
    vault_retention.forget_old("addressee", in_days(191), by=machinery)
    with pytest.raises(NotInVault):
        queries.kept(token)
    assert not PersonKey.objects.filter(person=token).exists()
    assert vault_retention.forget_old("addressee", in_days(191), by=machinery) == 0
    findings = Findings()
    verification.check_privacy(findings)
    assert findings.first is None


def test_the_country_of_the_entry_decides(machinery, anna):
    token = actions.put(anna | {Field.COUNTRY: "FR"}, kind=Kind.ADDRESSEE, by=machinery)
    vault_retention.forget_old("addressee", in_days(379), by=machinery)
    assert queries.kept(token)
    lines = [one for one in vault_retention.due_old("addressee", in_days(381), by=machinery) if one.country == "FR"]
    assert lines[0].n >= 1
    vault_retention.forget_old("addressee", in_days(381), by=machinery)
    assert not KeptPerson.objects.filter(token=token).exists()


def test_who_was_used_since_stays(machinery, anna):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    made_at = KeptPerson.objects.get(token=token).made_at
    KeptPerson.objects.filter(token=token).update(made_at=made_at - 180 * DAY)
    with actions.reveal(token, [Field.NAME], purpose=Purpose.LETTER, by=machinery):
        pass
    try:
        vault_retention.forget_old("addressee", in_days(11), by=machinery)
        assert queries.kept(token)
    finally:
        KeptPerson.objects.filter(token=token).update(made_at=made_at)  # as the log says


def test_holds_and_accounts_keep(machinery, anna, inspector):
    ben = joined(Role.ADDRESSEE)
    held = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    own = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery, account=ben.id)
    actions.hold(held, "court order 9", by=inspector)
    vault_retention.forget_old("addressee", in_days(400), by=machinery)
    assert queries.kept(held)
    assert queries.kept(own)
    actions.lift(held, by=inspector)
    vault_retention.forget_old("addressee", in_days(400), by=machinery)
    with pytest.raises(NotInVault):
        queries.kept(held)
    assert queries.kept(own)


def test_a_dry_run_shows_and_changes_nothing(machinery, anna):
    token = actions.put(anna, kind=Kind.SENDER, by=machinery)
    facts_of_tests = Fact.objects.exclude(kind=facts.LOOKED)  # the worker looks, too, at whom it sends a message
    before = facts_of_tests.count()
    lines = retention_command.would_go(in_days(4_000))
    assert {line["class"] for line in lines} == set(retention.CLASSES)
    sender = next(line for line in lines if line["class"] == "sender" and line["would_go"])
    assert sender["oldest"] == timezone.now().date().isoformat()
    assert queries.kept(token)
    assert facts_of_tests.count() == before
    assert anna[Field.NAME] not in json.dumps(lines)


def test_the_command_prints_one_class_a_line(installation):
    words = [sys.executable, "-m", "parcelward.doors.console", "retention", "--dry-run"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    assert {json.loads(line)["class"] for line in shown.stdout.splitlines()} == set(retention.CLASSES)


def test_looks_go_and_the_log_says_so(machinery, anna):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    with actions.reveal(token, [Field.NAME], purpose=Purpose.LETTER, by=machinery):
        pass
    vault_retention.forget_old("disclosures", in_days(1_094), by=machinery)
    assert Disclosure.objects.filter(person=token).count() == 1
    assert vault_retention.forget_old("disclosures", in_days(1_096), by=machinery) >= 1
    assert not Disclosure.objects.filter(person=token).exists()
    said = json.loads(bytes(Fact.objects.filter(kind=facts.RETAINED).latest("batch", "leaf").body))
    assert set(said) == {"at", "kind", "by", "class", "before", "n"}
    findings = Findings()
    verification.check_privacy(findings)
    assert findings.first is None


def test_people_rows_go_in_time(machinery):
    ben = joined(Role.ADDRESSEE)
    now = timezone.now()
    old, young = (SecurityEvent.objects.create(user_id=ben.id, kind="joined", at=at) for at in (now - 9 * DAY, now))
    challenge = Challenge.objects.create(digest=uuid.uuid4().bytes * 2, made_at=now - 9 * DAY)
    for name in ("security_history", "challenges"):
        people_retention.forget_old(name, now - 8 * DAY, by=machinery)
    assert not SecurityEvent.objects.filter(pk=old.pk).exists()
    assert SecurityEvent.objects.filter(pk=young.pk).exists()
    assert not Challenge.objects.filter(pk=challenge.pk).exists()
    findings = Findings()
    proof_check.check_proofs(findings)
    assert findings.first is None


def test_a_kill_in_the_middle_resumes(machinery, monkeypatch):
    from parcelward.base import forgetting

    now = timezone.now()
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    made = [
        Code.objects.create(
            slot=b"s" * 32, recipient=uuid.uuid4().bytes * 2, network=b"", issued_at=now - 99 * DAY, expires_at=now
        )
        for _ in range(5)
    ]
    mine = Code.objects.filter(pk__in=[one.pk for one in made])
    seen = []

    def killed(kind, said):
        seen.append(said)
        if len(seen) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("parcelward.people.actions.retention.custody.record_fact", killed)
    with pytest.raises(KeyboardInterrupt):
        people_retention.forget_old("codes", now - 98 * DAY, by=machinery)
    assert mine.count() == 3
    monkeypatch.undo()
    people_retention.forget_old("codes", now - 98 * DAY, by=machinery)
    assert mine.count() == 0


def test_a_quarantined_body_goes_once_it_was_dealt_with(installation, machinery):
    now = timezone.now()
    common = {"received_at": now, "source": 1, "sequence": 1, "position": 0, "code": "x", "message": "x"}
    rows = [
        Quarantine.objects.create(**common, raw=b"Anna", digest=uuid.uuid4().bytes * 2, state=state, closed_at=at)
        for state, at in (("open", None), ("dismissed", now - 9 * DAY), ("dismissed", now))
    ]
    try:
        parcels_retention.forget_old("quarantined_bodies", now - 8 * DAY, by=machinery)
        assert [bytes(Quarantine.objects.get(pk=row.pk).raw) for row in rows] == [b"Anna", b"", b"Anna"]
    finally:
        Quarantine.objects.filter(pk__in=[row.pk for row in rows]).delete()


@pytest.mark.parametrize("deed", ["due_old", "forget_old"])
def test_only_who_keeps_retention_does_it(clerk, deed):
    from parcelward.people.errors import MayNot

    for room in (people_retention, parcels_retention, risk_retention):
        args = ("codes", timezone.now(), *(["US"] if deed == "due_old" else []))
        with pytest.raises(MayNot):
            getattr(room, deed)(*args, by=clerk)
    with pytest.raises(MayNot):
        getattr(vault_retention, deed)("messages", timezone.now(), by=clerk)
