"""/readyz: ready while the log keeps its promise, and otherwise not, with the reason in words."""

from __future__ import annotations

import datetime as dt
import json
import os
import re

import httpx
import pytest
from django.db import connections, transaction
from django.test import RequestFactory
from tests.scanner import until

from parcelward.base import config, partitions
from parcelward.custody import actions as custody
from parcelward.custody import queries
from parcelward.doors.api import health


def waiting_since(seconds):
    """Let an entry wait in the caller's transaction, which no sequencer sees."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)
    partitions.ensure("custody_batch", then.date())
    custody.add_batch("fact", [os.urandom(32)], now=then)


def asked():
    answer = health.ready(RequestFactory().get("/readyz"))
    return answer, json.loads(answer.content)


def test_a_log_that_keeps_up_is_ready(installation):
    answer = httpx.get(f"{installation.url}/readyz", timeout=30)
    said = answer.json()
    assert (answer.status_code, said["ready"], said["reason"]) == (200, True, "")
    assert said["log_waits_s"] < 10


@pytest.mark.parametrize(("waited_s", "status"), [(3, 200), (12, 503), (3_600, 503)])
def test_an_entry_that_waits_longer_than_promised_makes_it_not_ready(installation, waited_s, status):
    until(lambda: queries.head(config.get()).pending == 0)  # what the start recorded waits no more
    with transaction.atomic():
        waiting_since(waited_s)
        answer, said = asked()
        metrics = health.metrics(RequestFactory().get("/metrics")).content.decode()
        transaction.set_rollback(True)
    assert answer.status_code == status
    assert said["ready"] == (status == 200)
    assert said["database"] is True
    assert said["log_waits_s"] == pytest.approx(waited_s, abs=2)
    assert float(re.findall(r"^parcelward_log_waiting_seconds (.+)$", metrics, re.MULTILINE)[0]) >= waited_s
    if status == 503:
        assert re.match(r"For \d+ s recorded entries have waited", said["reason"])
        assert "No worker runs" in said["reason"]
        assert answer["Retry-After"]
    else:
        assert said["reason"] == ""


def test_too_many_entries_that_wait_are_a_reason_too(installation, monkeypatch):
    monkeypatch.setattr(health, "BEHIND_MAX", 0)
    with transaction.atomic():
        waiting_since(0)
        answer, said = asked()
        transaction.set_rollback(True)
    assert (answer.status_code, said["ready"]) == (503, False)
    assert "the worker does not keep up" in said["reason"]


@pytest.mark.asvs("16.5.2")
@pytest.mark.parametrize(
    ("alias", "words"),
    [
        ("default", "The database does not answer."),
        ("keys", "The keys database, with the items' secrets, does not answer."),
    ],
)
def test_without_either_database_it_is_not_ready(installation, alias, words, monkeypatch, tmp_path):
    connections[alias].close()
    with monkeypatch.context() as away:
        away.setitem(connections[alias].settings_dict, "HOST", str(tmp_path))  # no server listens there
        answer, said = asked()
        connections[alias].close()
    assert (answer.status_code, said["ready"], said["database"], said["reason"]) == (503, False, False, words)
    assert answer["Retry-After"]
    assert asked()[1]["ready"]
