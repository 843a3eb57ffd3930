"""An authority timestamps the day's archive checkpoint: anybody can fetch it, and a bundle carries it along."""

from __future__ import annotations

import dataclasses
import datetime as dt

import httpx
import pytest
from tests.custody import sample_tsa
from tests.doors.test_bundle import console
from tests.scanner import Scanner, event, new_number, until

from parcelward.base import config
from parcelward.custody import archive, keyring, notes, queries, stored_zip, timestamping
from parcelward.custody.errors import LogDiverged
from parcelward.parcels import queries as parcels


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def authority(tmp_path):
    sample_tsa.required()
    with sample_tsa.listening(sample_tsa.Authority(tmp_path / "tsa")) as here:
        yield here


@pytest.fixture
def today(installation, facilities):
    """The number of a parcel that the day's archive checkpoint covers; afterwards the day has its own again."""
    number, folder = new_number(), config.get().log_folder
    Scanner(installation, name="scanner of the timestamp's story").send(event(number, "accepted"))
    until(lambda: httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["events_proven"] == 1)
    until(lambda: archive.days(folder))
    path = folder / archive.FOLDER / archive.days(folder)[0]
    first = path.read_bytes()
    path.unlink()
    verifiers = keyring.ring(config.get()).verifiers
    head = notes.open_checkpoint(queries.published(config.get()) or b"", logs=verifiers).checkpoint
    signers, late = keyring.signers_here(config.get()), keyring.archive_signer(config.get())
    archive.keep(folder, head, signers=signers, archive=late, now=now())
    try:
        yield number
    finally:
        path.write_bytes(first)
        path.with_name(f"{path.name}.tsr").unlink(missing_ok=True)


def test_it_is_served_bundled_and_checked(installation, today, authority, tmp_path):
    settings, held = config.get(), tmp_path / "bundle.zip"
    day = archive.days(settings.log_folder)[0]
    listed = httpx.get(f"{installation.url}/log/archive", timeout=30).json()["data"][0]
    assert listed == {"day": day, "path": f"/log/archive/{day}", "timestamp": None}
    assert httpx.get(f"{installation.url}/log/archive/{day}.tsr", timeout=30).status_code == 404

    with_tsa = dataclasses.replace(settings, tsa_url=authority.url, tsa_root=authority.root)
    assert timestamping.stamp_days(with_tsa, clock=now)
    listed = httpx.get(f"{installation.url}/log/archive", timeout=30).json()["data"][0]
    answer = httpx.get(f"{installation.url}{listed['timestamp']}", timeout=30)
    assert answer.headers["Content-Type"] == "application/timestamp-reply"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    note = httpx.get(f"{installation.url}{listed['path']}", timeout=30).content
    assert authority.holds(note, answer.content)
    for wrong in ("2020-01-01.tsr", "keys.tsr", "..tsr", ".tsr", f"{day}.tsr.tsr"):
        assert httpx.get(f"{installation.url}/log/archive/{wrong}", timeout=30).status_code == 404

    done = console("bundle", today, "--out", str(held))
    assert done.returncode == 0, done.stdout + done.stderr
    assert stored_zip.read(held.read_bytes())[archive.TIMESTAMP] == answer.content
    checked = console("verify", str(held), "--tsa-root", str(authority.root), away=tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert "Its RFC 3161 timestamp verifies" in checked.stdout
    plain = console("verify", str(held), away=tmp_path)
    assert "Who signed the timestamp was not checked" in plain.stdout
    other = sample_tsa.Authority(tmp_path / "other")
    refused = console("verify", str(held), "--tsa-root", str(other.root), away=tmp_path)
    assert refused.returncode == 1
    assert "not signed by an authority below the root" in refused.stdout
    parcels.verify_log(settings)


def test_a_kept_timestamp_of_something_else_is_found(installation, today, authority):
    settings = config.get()
    day = archive.days(settings.log_folder)[0]
    with_tsa = dataclasses.replace(settings, tsa_url=authority.url, tsa_root=authority.root)
    assert timestamping.stamp_days(with_tsa, clock=now)
    parcels.verify_log(settings)
    archive.keep_timestamp(settings.log_folder, day, b"\x30\0")
    with pytest.raises(LogDiverged) as caught:
        parcels.verify_log(settings)
    assert caught.value.differs == f"timestamp of {day}"
