"""While the log's files and the database disagree, sequencing alone stands still, and everybody is told."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import threading
import time
from typing import Any

import pytest
from django.test import RequestFactory
from tests.scanner import Scanner, event, new_number, until

from parcelward.base import config
from parcelward.custody import queries
from parcelward.doors.api import health
from parcelward.doors.console import work_command
from parcelward.parcels import follows
from parcelward.parcels.models import Alert


def ready():
    answer = health.ready(RequestFactory().get("/readyz"))
    return answer.status_code, json.loads(answer.content)["reason"]


@pytest.fixture
def other_log(installation, facilities, tmp_path, monkeypatch):
    """Let a worker in this process have a log of its own: empty files beside the database of all."""
    Scanner(installation).send(event(new_number(), "accepted"))
    until(lambda: queries.published_size(config.get()) > 0)
    settings = dataclasses.replace(config.get(), home=tmp_path)
    shutil.copytree(installation.home / "keys", tmp_path / "keys")
    monkeypatch.setattr(work_command, "STANDSTILL_S", (0.1,))
    yield settings
    Alert.objects.filter(kind="log_stands_still").delete()


def test_only_the_sequencer_stands_still_and_that_is_told(other_log, monkeypatch, caplog):
    assert ready() == (200, "")
    true_settings = config.get()
    followed: list[float] = []
    held: list[Any] = []
    monkeypatch.setattr(config, "get", lambda: other_log)
    monkeypatch.setattr(follows, "keep_house", lambda _now: None)

    def catch_up():
        followed.append(time.monotonic())
        return 0

    monkeypatch.setattr(follows, "catch_up", catch_up)
    stop = threading.Event()
    threads = [
        threading.Thread(target=work_command._sequence, args=(stop, held), daemon=True),
        threading.Thread(target=work_command._follow, args=(stop,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    with contextlib.ExitStack() as end:
        for thread in threads:
            end.callback(thread.join, 15)
        end.callback(stop.set)
        alert = until(lambda: Alert.objects.filter(kind="log_stands_still", closed_at=None).first())
        assert alert.about == alert.details["differs"] == "entries"
        assert "entries are missing from the files" in alert.details["message"]
        status, reason = ready_of(true_settings, monkeypatch, other_log)
        assert status == 503
        assert "disagree (entries)" in reason
        before = len(followed)
        until(lambda: len(followed) >= before + 5)
        assert threads[0].is_alive(), "it looks again by itself"
        assert held == []
        assert "the log stands still" in caplog.text
        Alert.objects.filter(id=alert.id).update(closed_at=alert.opened_at)
        until(lambda: Alert.objects.filter(kind="log_stands_still", closed_at=None).exists())
    assert Alert.objects.filter(kind="log_stands_still").count() == 1


def ready_of(settings, monkeypatch, after):
    monkeypatch.setattr(config, "get", lambda: settings)
    try:
        return ready()
    finally:
        monkeypatch.setattr(config, "get", lambda: after)


def test_the_alert_closes_when_entries_get_their_place_again(other_log, monkeypatch):
    work_command._say_standstill(diverged(), 1.0)
    assert ready()[0] == 503
    monkeypatch.setattr(config, "get", lambda: other_log)
    monkeypatch.setattr("parcelward.custody.actions.Sequencer", Willing)
    stop = threading.Event()
    thread = threading.Thread(target=work_command._sequence, args=(stop, []), daemon=True)
    thread.start()
    until(lambda: not Alert.objects.filter(kind="log_stands_still", closed_at=None).exists())
    stop.set()
    thread.join(15)
    monkeypatch.undo()
    assert ready() == (200, "")


def diverged():
    from parcelward.custody.errors import LogDiverged

    return LogDiverged("The files have another root for 7 entries.", differs="root")


class Willing:
    """A sequencer that has nothing to do."""

    def __init__(self, settings):
        from parcelward.custody.files import LogFiles

        self.files = LogFiles(settings.log_folder)

    def once(self):
        return 0

    def close(self):
        self.files.close()
