"""Devices in an evidence bundle: whose key signed what; every way to pass off another is refused, here and there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.custody.built_page import both_refuse, check
from tests.custody.sample_bundle import DEVICE_FILE, DEVICE_PROOF, device, edit, made, resigned, written
from tests.custody.sample_log import DEVICE_KEY, DEVICE_SOURCE, STEPS, Item, SampleLog, base64_text, enrolment

from parcelward.base.standards import signed_request
from parcelward.custody import evidence, proofs, stored_zip
from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence_check import verify_bundle
from parcelward.custody.evidence_devices import Shown

Files = dict[str, bytes]
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"another device").digest())
FIRST = "itm_one/000001"


@pytest.fixture(scope="module")
def named() -> tuple[SampleLog, Item]:
    """A journey whose first event says itself that the sample device recorded it, in its request 4."""
    log, item = SampleLog(), Item("one")
    log.enrol()
    log.grow(20)
    log.record(item, "accepted", operations={"position": 0, "sequence": 4, "source": DEVICE_SOURCE})
    for step in STEPS[1:]:
        log.record(item, step)
    return log, item


def batch(change: Callable[[dict[str, Any]], Any], nth: int = 0) -> Callable[[Files], None]:
    """Return a change of one of the device's requests."""

    def apply(files: Files) -> None:
        batches = json.loads(files[DEVICE_FILE])["batches"]
        change(batches[nth])
        edit(DEVICE_FILE, batches=batches)(files)

    return apply


def enrolled(**fields: Any) -> Callable[[Files], None]:
    def apply(files: Files) -> None:
        edit(DEVICE_FILE, enrolled=json.loads(files[DEVICE_FILE])["enrolled"] | fields)(files)

    return apply


def replaced(key: Ed25519PrivateKey) -> Callable[[Files], None]:
    """Return a change that puts another key in the device's place and signs everything anew with it."""

    def apply(files: Files) -> None:
        public = key.public_key().public_bytes_raw()
        found, key_id = json.loads(files[DEVICE_FILE]), signed_request.key_id_of(public)
        for each in found["batches"]:
            each["signature_base"] = each["signature_base"].replace(found["key_id"], key_id)
            each["signature"] = base64_text(key.sign(each["signature_base"].encode()))
        edit(DEVICE_FILE, batches=found["batches"], key_id=key_id, public_key_ed25519=base64_text(public))(files)

    return apply


def both(*changes: Callable[[Files], Any]) -> Callable[[Files], None]:
    def apply(files: Files) -> None:
        for change in changes:
            change(files)

    return apply


def reproof(**fields: Any) -> Callable[[Files], None]:
    return lambda files: files.update(
        {DEVICE_PROOF: dataclasses.replace(proofs.parse(files[DEVICE_PROOF]), **fields).text}
    )


def signed_over(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change of what the device signed, with its own true signature over it."""

    def apply(each: dict[str, Any]) -> None:
        for old, new in fields["instead"]:
            assert old in each["signature_base"]
            each["signature_base"] = each["signature_base"].replace(old, new)
        each["signature"] = base64_text(DEVICE_KEY.sign(each["signature_base"].encode()))

    return apply


FORGERIES: dict[str, Callable[[Files], Any]] = {
    "a changed signature": batch(lambda each: each.update(signature=base64_text(bytes(64)))),
    "the signature of another request": batch(
        lambda each: each.update(signature=base64_text(DEVICE_KEY.sign(b"something else")))
    ),
    "another hash of the body": batch(lambda each: each.update(body_sha256="ab" * 32)),
    "another number": batch(lambda each: each.update(sequence=3)),
    "another moment": batch(
        lambda each: each.update(signature_base=each["signature_base"].replace(";created=1", ";created=2"))
    ),
    "another address, truly signed": batch(signed_over(instead=[("/api/v1/scans", "/api/v1/other")])),
    "another method, truly signed": batch(signed_over(instead=[("POST", "PUT")])),
    "another algorithm, truly signed": batch(signed_over(instead=[('alg="ed25519"', 'alg="none"')])),
    "more, truly signed": batch(signed_over(instead=[('alg="ed25519"', 'alg="ed25519";x=1')])),
    "another device's key": replaced(OTHER_KEY),
    "another device's key, enrolled by words that the log does not have": both(
        replaced(OTHER_KEY), enrolled(body=enrolment(key=OTHER_KEY.public_key().public_bytes_raw().hex()).decode())
    ),
    "another device's key beside the old signatures": edit(
        DEVICE_FILE, public_key_ed25519=base64_text(OTHER_KEY.public_key().public_bytes_raw())
    ),
    "another key id": edit(DEVICE_FILE, key_id="dev-00000000000000000000"),
    "another salt of the enrolment": enrolled(salt="00" * 32),
    "another place of the enrolment": enrolled(log_index=7),
    "another place, also in the proof": both(enrolled(log_index=7), reproof(index=7)),
    "an enrolment that is none": enrolled(body=enrolment(kind="people.key_made").decode()),
    "an enrolment that cannot be read": enrolled(body="{"),
    "an empty path": reproof(path=()),
    "another entry in the proof": reproof(extra=b"\x01" + bytes(32)),
    "no proof of the enrolment": lambda files: files.pop(DEVICE_PROOF),
    "no file of the device": lambda files: files.pop(DEVICE_FILE),
    "an event that is not shown": batch(lambda each: each["events"].append("itm_one/000009")),
    "an event of two requests": batch(lambda each: each["events"].append(FIRST), nth=1),
    "a field too many in a request": batch(lambda each: each.update(more=1)),
    "a field too many in the enrolment": enrolled(more=1),
}


def test_what_devices_signed_is_shown_and_told(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    data = written(log, made(log, item))
    report = verify_bundle(data)
    assert report.shown == Shown(signatures=3, devices=1, events=4, named=0)
    (told,) = [line for line in report.words if line.startswith("Devices")]
    assert "3 signature(s) by 1 device(s) that this log enrolled hold" in told
    assert "recorded 4 of 5 event(s)" in told
    (answer,) = check(module, data)
    assert answer["shown"] == dataclasses.asdict(report.shown)
    found = json.loads(stored_zip.read(data)[DEVICE_FILE])
    assert found["batches"][0]["body_sha256"] == hashlib.sha256(b"body 4").hexdigest()
    manifest = json.loads(stored_zip.read(data)["manifest.json"])
    assert "not kept" in manifest["absent"]["bodies/"]
    assert manifest["absent"]["devices/"].startswith("1 of the events have no device's signature")
    page = stored_zip.read(data)["report.html"].decode()
    assert f"4 (events 1, 2, 4, 5; body <code>{hashlib.sha256(b'body 4').hexdigest()}</code>)" in page


def test_a_bundle_without_devices_says_so(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    data = written(log, made(log, item, devices=()))
    assert "Devices: no signature of a device is in the bundle." in verify_bundle(data).words
    (answer,) = check(module, data)
    assert answer["shown"] == {"signatures": 0, "devices": 0, "events": 0, "named": 0}
    absent = json.loads(stored_zip.read(data)["manifest.json"])["absent"]
    assert absent.keys() == {"devices/"}


def test_every_forgery_is_refused_by_name(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    data = written(log, made(log, item))
    changed = {name: resigned(log, data, change) for name, change in FORGERIES.items()}
    for name, each in changed.items():
        with pytest.raises(ProofFailed) as caught:
            verify_bundle(each)
        assert caught.value.message.startswith((DEVICE_FILE, DEVICE_PROOF)), (name, caught.value.message)
    both_refuse(module, *changed.values())


def test_an_open_event_names_its_device_and_request_itself(module: Path, named: tuple[SampleLog, Item]) -> None:
    log, item = named
    opened = {"public", "operations"}

    def bundle(*events: str, sequences: tuple[int, ...] = (4,)) -> bytes:
        devices = (device(log, *sequences, events=events),)
        return written(log, made(log, item, reveal=opened, devices=devices))

    honest = bundle(FIRST)
    assert verify_bundle(honest).shown == Shown(signatures=1, devices=1, events=1, named=1)
    (answer,) = check(module, honest)
    assert answer["shown"]["named"] == 1
    closed = written(log, made(log, item, devices=(device(log, 5, events=[FIRST]),)))
    assert verify_bundle(closed).shown.named == 0, "closed, the operator's word is all there is"
    both_refuse(module, bundle(FIRST, sequences=(5,)), bundle("itm_one/000002"))


def test_a_device_that_the_log_enrolled_later_than_the_checkpoint_is_refused(
    module: Path, named: tuple[SampleLog, Item]
) -> None:
    log, item = named
    other = SampleLog(leaves=log.leaves[1:])  # the same log without the enrolment
    bundle = made(log, item)
    with pytest.raises(ProofFailed):
        verify_bundle(written(log, dataclasses.replace(bundle, checkpoint=other.checkpoint())))
    late = dataclasses.replace(bundle.devices[0].enrolled, log_index=len(log.leaves))
    data = written(log, dataclasses.replace(bundle, devices=(dataclasses.replace(bundle.devices[0], enrolled=late),)))
    both_refuse(module, data)
    with pytest.raises(ProofFailed, match=DEVICE_PROOF):
        verify_bundle(data)
    assert evidence.CHECKPOINT in stored_zip.read(data)
