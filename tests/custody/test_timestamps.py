"""Timestamps of archive checkpoints by a real authority over HTTP: kept only when all holds; nobody waits for them."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rfc3161_client import decode_timestamp_response
from tests.custody import sample_tsa
from tests.custody.built_page import check
from tests.custody.sample_bundle import resigned
from tests.custody.sample_keys import LATE, key
from tests.custody.sample_tsa import Authority
from tests.custody.test_succession import archived_of, bundle, log_of, without
from tests.scanner import until

from parcelward.base import config
from parcelward.custody import archive, notes, offline, stored_zip, timestamping, timestamps
from parcelward.custody.errors import BadTimestamp, ProofFailed, TimestampAway
from parcelward.custody.evidence_check import verify_bundle
from parcelward.doors.console import work_command

MINUTE = dt.timedelta(minutes=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    sample_tsa.required()
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    sample_tsa.required()
    return Authority(tmp_path_factory.mktemp("stranger"), name="Test TSA")


@pytest.fixture
def authority(made: Authority) -> Iterator[Authority]:
    made.asked.clear()
    made.status, made.wait_s, made.lie = 200, 0.0, lambda _query, answer: answer
    with sample_tsa.listening(made) as here:
        yield here


@pytest.fixture
def settings(authority: Authority, tmp_path: Path) -> config.Config:
    """An installation that has kept two archive checkpoints."""
    found = dataclasses.replace(config.get(), home=tmp_path, tsa_url=authority.url, tsa_root=authority.root)
    found.log_folder.mkdir()
    log, _ = log_of()
    for size, at in ((20, now() - dt.timedelta(days=1)), (21, now())):
        head = notes.open_checkpoint(log.signed(size), logs=[key(2).verifier]).checkpoint
        archive.keep(found.log_folder, head, signers=log.signing, archive=LATE, now=at)
    return found


def roots(authority: Authority) -> timestamps.Roots:
    return timestamps.read_roots(authority.root.read_bytes())


def kept(settings: config.Config) -> list[bytes]:
    return [archive.timestamp(settings.log_folder, day) for day in archive.days(settings.log_folder)]


def levels(caplog: pytest.LogCaptureFixture) -> list[int]:
    return [each.levelno for each in caplog.records if each.name == timestamping.__name__]


class TestAsking:
    def test_every_archive_checkpoint_gets_one_and_openssl_believes_it(
        self, settings: config.Config, authority: Authority
    ) -> None:
        assert kept(settings) == [b"", b""]
        assert timestamping.stamp_days(settings, clock=now)
        assert {kind for kind, _ in authority.asked} == {"application/timestamp-query"}
        days = archive.days(settings.log_folder)
        assert len(days) == 2
        for day in days:
            note, answer = archive.read(settings.log_folder, day), archive.timestamp(settings.log_folder, day)
            assert abs(timestamps.verify(answer, note, roots=roots(authority)) - now()) < MINUTE
            assert authority.holds(note, answer)
            assert not authority.holds(note + b"x", answer)
        before = kept(settings)
        assert timestamping.stamp_days(settings, clock=now)
        assert (len(authority.asked), kept(settings)) == (2, before), "what is there is not asked for again"

    def test_only_the_newest_days_are_made_good(
        self, settings: config.Config, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(timestamping, "DAYS_MAX", 1)
        assert timestamping.stamp_days(settings, clock=now)
        assert [bool(each) for each in kept(settings)] == [True, False]

    def test_an_authority_that_is_away_is_named_and_asked_again(
        self, settings: config.Config, authority: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        closed = dataclasses.replace(settings, tsa_url="http://127.0.0.1:9/tsr")
        assert not timestamping.stamp_days(closed, clock=now)
        authority.status = 503
        settings = dataclasses.replace(settings, tsa_url=settings.tsa_url.replace("://", "://post:passphrase@"))
        assert not timestamping.stamp_days(settings, clock=now)
        assert levels(caplog) == [logging.WARNING] * 2
        assert "the timestamping authority 127.0.0.1 is away: It answers 503." in caplog.text
        assert "passphrase" not in caplog.text
        assert kept(settings) == [b"", b""]
        authority.status = 200
        assert timestamping.stamp_days(settings, clock=now)
        assert all(kept(settings))

    def test_an_authority_that_refuses_gives_none(
        self, settings: config.Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with sample_tsa.listening(Authority(tmp_path / "picky", digests="sha512")) as picky:
            asked = dataclasses.replace(settings, tsa_url=picky.url, tsa_root=picky.root)
            assert not timestamping.stamp_days(asked, clock=now)
        assert kept(settings) == [b"", b""]
        assert "no timestamp" in caplog.text

    def test_an_authority_that_lies_is_not_believed_and_nothing_is_kept(
        self, settings: config.Config, authority: Authority, stranger: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        earlier: list[bytes] = []

        def replay(_query: bytes, answer: bytes) -> bytes:
            earlier.append(answer)
            return earlier[0]

        def forged(_query: bytes, answer: bytes) -> bytes:
            return answer[:-3] + bytes([answer[-3] ^ 1]) + answer[-2:]

        other = timestamps.request(b"something else").as_bytes()
        lies: dict[str, Any] = {
            "another's timestamp": lambda query, _: stranger.answer(query),
            "of something else": lambda *_: authority.answer(other),
            "a changed signature": forged,
            "no timestamp": lambda *_: b"<html>",
            "nothing": lambda *_: b"",
            "a yes and nothing else": lambda *_: bytes.fromhex("30053003020100"),
            "bytes that fell over": lambda _, answer: answer[:56] + bytes(20) + answer[76:],
            "one with more behind": lambda _, answer: answer + b"\0",
            "endless": lambda *_: b"\x30" * (timestamps.ANSWER_BYTES_MAX + 1),
        }
        for name, lie in lies.items():
            authority.lie = lie
            caplog.clear()
            assert not timestamping.stamp_days(settings, clock=now), name
            assert levels(caplog) == [logging.ERROR], name
            assert kept(settings) == [b"", b""], name
        authority.lie = replay
        note = archive.read(settings.log_folder, archive.days(settings.log_folder)[0])
        replay(b"", authority.answer(timestamps.request(note).as_bytes()))
        assert not timestamping.stamp_days(settings, clock=now)
        assert "answers another request" in caplog.text
        assert kept(settings) == [b"", b""]

    def test_a_damaged_one_is_refused_wherever_it_is_damaged(self, authority: Authority) -> None:
        note = b"what was asked about"
        answer, trusted = authority.answer(timestamps.request(note).as_bytes()), roots(authority)
        believed = []
        for at in range(len(answer)):
            damaged = answer[:at] + bytes([answer[at] ^ 0xFF]) + answer[at + 1 :]
            with contextlib.suppress(BadTimestamp):
                believed.append(timestamps.verify(damaged, note, roots=trusted))
        # The name of the signature's algorithm is not signed; that the certificate's key made it is what counts.
        assert len(believed) < 10
        assert set(believed) <= {timestamps.verify(answer, note, roots=trusted)}

    def test_a_time_that_is_not_about_now_is_refused(self, settings: config.Config, authority: Authority) -> None:
        for away in (6 * MINUTE, -6 * MINUTE):
            assert not timestamping.stamp_days(settings, clock=lambda away=away: now() + away)  # type: ignore[misc]
        assert kept(settings) == [b"", b""]
        assert timestamping.stamp_days(settings, clock=lambda: now() + 4 * MINUTE)

    def test_a_root_that_cannot_be_read_is_named(
        self, settings: config.Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "empty.pem").write_text("nothing")
        for root in (tmp_path / "gone.pem", tmp_path / "empty.pem"):
            assert not timestamping.stamp_days(dataclasses.replace(settings, tsa_root=root), clock=now)
        assert "gone.pem" in caplog.text
        assert "no certificate" in caplog.text


def test_the_worker_asks_in_a_thread_of_its_own_and_again_after_a_failure(
    settings: config.Config, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "get", lambda: settings)
    monkeypatch.setattr(work_command, "TIMESTAMP_AGAIN_S", (0.2,))
    stop, held = threading.Event(), [object()]
    authority.status = 500
    thread = threading.Thread(target=work_command._timestamp, args=(stop, held), daemon=True)
    thread.start()
    try:
        until(lambda: len(authority.asked) > 1)
        assert kept(settings) == [b"", b""]
        authority.status = 200
        until(lambda: all(kept(settings)))
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def test_settings_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.read().tsa_url == ""
    monkeypatch.setenv("PARCELWARD_TSA_URL", "https://tsa.example/tsr")
    with pytest.raises(config.BadSetting, match="PARCELWARD_TSA_ROOT"):
        config.read()
    monkeypatch.setenv("PARCELWARD_TSA_ROOT", "root.pem")
    assert config.read().tsa_root == Path("root.pem").resolve()
    monkeypatch.setenv("PARCELWARD_TSA_URL", "ftp://tsa.example")
    with pytest.raises(config.BadSetting, match="http"):
        config.read()


class TestInABundle:
    def bundle(self, authority: Authority, note_of: Any = None) -> tuple[Any, bytes]:
        log, item = log_of()
        good = archived_of(log, 28)
        answer = authority.answer(timestamps.request(note_of or good.note).as_bytes())
        return log, bundle(log, item, archived=dataclasses.replace(good, timestamp=answer))

    def test_it_is_checked_with_the_root_and_said_to_be_unchecked_without(
        self, authority: Authority, tmp_path: Path, module: Path
    ) -> None:
        _, data = self.bundle(authority)
        (tmp_path / "bundle.zip").write_bytes(data)
        report = offline.verify_file(tmp_path / "bundle.zip", tsa_root=authority.root)
        assert any("RFC 3161 timestamp verifies" in words for words in report.words)
        plain = offline.verify_file(tmp_path / "bundle.zip")
        assert any("was not checked" in words for words in plain.words)
        assert not any("verifies" in words for words in plain.words)
        (answer,) = check(module, data)
        assert answer["ok"], answer

    def test_one_that_does_not_hold_is_refused(
        self, authority: Authority, stranger: Authority, tmp_path: Path, module: Path
    ) -> None:
        log, data = self.bundle(authority)
        with pytest.raises(ProofFailed, match="not signed by an authority"):
            verify_bundle(data, tsa_roots=roots(stranger))
        _, other = self.bundle(authority, b"another note")
        for bad in (other, resigned(log, data, lambda files: files.update({archive.TIMESTAMP: b"\x30\0"}))):
            with pytest.raises(ProofFailed, match="archive"):
                verify_bundle(bad)
        alone = resigned(log, resigned(log, data, without(archive.NOTE)), without(archive.CONSISTENCY))
        with pytest.raises(ProofFailed):
            verify_bundle(alone)
        assert not check(module, alone)[0]["ok"]

    def test_one_that_is_older_than_its_checkpoint_is_refused(self, authority: Authority) -> None:
        log, data = self.bundle(authority)
        files = stored_zip.read(data)
        note, answer = files[archive.NOTE], files[archive.TIMESTAMP]
        signed = archive.open_archived(note, logs=[each.verifier for each in log.signing], archive=[LATE.verifier])
        at = decode_timestamp_response(answer).tst_info.gen_time
        later = [
            dataclasses.replace(each, timestamp_s=int((at + 6 * MINUTE).timestamp()))
            if each.verifier.kind.timed
            else each
            for each in signed.note.verified
        ]
        future = dataclasses.replace(signed, note=dataclasses.replace(signed.note, verified=tuple(later)))
        with pytest.raises(BadTimestamp, match="older than the checkpoint"):
            archive.verify_timestamp(answer, note, future, roots(authority))

    def test_a_bundle_without_one_says_so_to_who_asks(self, authority: Authority) -> None:
        log, item = log_of()
        data = bundle(log, item, archived=archived_of(log, 28))
        assert "No timestamp of an authority is in the bundle." in verify_bundle(data, tsa_roots=roots(authority)).words


def test_a_refusal_is_no_timestamp(tmp_path: Path) -> None:
    sample_tsa.required()
    picky = Authority(tmp_path, digests="sha512")
    asked = timestamps.request(b"note")
    answer = picky.answer(asked.as_bytes())
    with pytest.raises((TimestampAway, BadTimestamp)):
        timestamps.accept(answer, b"note", asked, roots=roots(picky), now=now())
