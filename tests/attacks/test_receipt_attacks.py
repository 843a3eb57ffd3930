"""Receipts that the log did not give, and answers about receipts that somebody has worked on."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import os
import re
from typing import Any

import httpx
import pytest
from tests.attacks.untouched import untouched
from tests.scanner import Scanner, event, new_number, until

from parcelward.base import config
from parcelward.base.errors import Invalid
from parcelward.custody import keys, notes
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.keyring import log_signer
from parcelward.custody.receipts import verify_receipt
from parcelward.custody.tree import EMPTY_ROOT


@dataclasses.dataclass(frozen=True)
class Held:
    """An honest answer and what to trust."""

    url: str
    receipt: str
    saved: dict[str, Any]
    other: dict[str, Any]  # the answer about another request
    vkey: str


@pytest.fixture(scope="module")
def held(installation, facilities):
    scanner = Scanner(installation)
    receipts, saved = [], []
    for _ in range(2):
        number = new_number()
        given = scanner.send(event(number, "accepted"), event(number, "left_sorting", minutes=1))
        receipts.append(given["receipt"])

    def asked(receipt):
        return httpx.post(f"{installation.url}/api/v1/receipts", content=receipt, timeout=30).json()

    for receipt in receipts:
        until(lambda receipt=receipt: asked(receipt)["state"] == "in_log")
        saved.append(asked(receipt))
    vkey = keys.vkeys_in(httpx.get(f"{installation.url}/log/vkey", timeout=30).text)[0]
    return Held(installation.url, receipts[0], saved[0], saved[1], vkey)


def stranger(name):
    """Return the key of another log, under whatever name."""
    return keys.Signer(keys.key_name(name), keys.SignatureType.ED25519, os.urandom(32))


def text_of(receipt):
    return receipt.split("\n\n")[0] + "\n"


def resigned(text, signer):
    return notes.sign(text, [signer]).decode()


def own(text):
    """Return a text that the log itself signed, though it is no receipt."""
    return resigned(text, log_signer(config.get()))


FORGED = {
    "a higher count": (lambda r: r.replace("count 2", "count 3"), "bad_note"),
    "another hash": (lambda r: r.replace("commitments ", "commitments 0")[: len(r)], "bad_note"),
    "another log's key": (lambda r: resigned(text_of(r), stranger("other.example/log")), "bad_note"),
    "a stranger in the log's name": (
        lambda r: resigned(text_of(r), stranger("test.parcelward.example/log")),
        "bad_note",
    ),
    "no signature": (text_of, "bad_note"),
    "nothing": (lambda _: "", "bad_note"),
    "no Unicode": (lambda _: b"\xff\xfe\n\n\n", "bad_note"),
    "the log's checkpoint": (lambda _: own(Checkpoint(config.get().origin, 0, EMPTY_ROOT).text), "bad_receipt"),
    "a receipt in another log's name": (
        lambda r: own(text_of(r).replace("test.parcelward", "other")),
        "bad_receipt",
    ),
    "a receipt and more": (lambda r: own(text_of(r) + "and more\n"), "bad_receipt"),
    "a batch beyond all numbers": (
        lambda r: own(re.sub("batch [0-9]+", f"batch {2**63}", text_of(r))),
        "bad_receipt",
    ),
    "too much": (lambda r: r + "x" * 5_000, "bad_receipt"),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_receipt_that_the_log_did_not_give_is_refused(held, what):
    change, code = FORGED[what]
    with untouched():
        answer = httpx.post(f"{held.url}/api/v1/receipts", content=change(held.receipt), timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


def _swapped(saved, _):
    one, two = saved["entries"]
    one["commitment"], two["commitment"] = two["commitment"], one["commitment"]


def _reordered(saved, _):
    saved["entries"].reverse()


def _other_entries(saved, other):
    saved["entries"] = other["entries"]


def _extra_hash(saved, _):
    saved["entries"][0]["path"].append(base64.b64encode(bytes(32)).decode())


def _moved(saved, _):
    saved["entries"][0]["log_index"] -= 1


def _same_place(saved, _):
    saved["entries"][1]["log_index"] = saved["entries"][0]["log_index"]


def _own_checkpoint(saved, _):
    """A log of one's own, whose key comes along in the file."""
    signer = stranger(saved["origin"])
    saved["checkpoint"] = resigned(saved["checkpoint"].split("\n\n")[0] + "\n", signer)
    saved["vkeys"].append(signer.verifier.vkey)


def _own_everything(saved, _):
    _own_checkpoint(saved, _)
    signer = stranger(saved["origin"])
    saved["receipt"] = resigned(text_of(saved["receipt"]), signer)
    saved["checkpoint"] = resigned(saved["checkpoint"].split("\n\n")[0] + "\n", signer)
    saved["vkeys"] = [signer.verifier.vkey]


ANSWERS = {
    "commitments swapped": (_swapped, "changed or moved"),
    "entries in another order": (_reordered, "changed or moved"),
    "an entry removed": (lambda s, _: s["entries"].pop(), "1 missing"),
    "all entries removed": (lambda s, _: s["entries"].clear(), "2 missing"),
    "an entry twice": (lambda s, _: s["entries"].append(s["entries"][0]), "1 more than promised"),
    "another request's entries": (_other_entries, "changed or moved"),
    "another request's receipt": (lambda s, o: s.update(receipt=o["receipt"]), "changed or moved"),
    "a proof removed": (lambda s, _: s["entries"][1].update(path=None), "does not come after"),
    "a proof emptied": (lambda s, _: s["entries"][1].update(path=[]), "hashes where"),
    "a hash too many": (_extra_hash, "hashes where"),
    "a hash too few": (lambda s, _: s["entries"][0]["path"].pop(), "hashes where"),
    "a hash that is none": (lambda s, _: s["entries"][0]["path"].__setitem__(0, "AAAA"), "32 bytes"),
    # At the edge of the tree the place before has a path of another length.
    "another place": (_moved, "another root|are needed"),
    "one place for two": (_same_place, "does not come after"),
    "a place before the log": (lambda s, _: s["entries"][0].update(log_index=-1), "does not come after"),
    "a place beyond the log": (lambda s, _: s["entries"][1].update(log_index=2**62), "beyond the tree"),
    "no checkpoint": (lambda s, _: s.update(checkpoint=None), "not shown to be kept"),
    "a promise said to wait": (lambda s, _: s.update(state="waiting"), "not shown to be kept"),
    "a forged receipt": (lambda s, _: s.update(receipt=s["receipt"].replace("count 2", "count 1")), "signature"),
    "a checkpoint of one's own": (_own_checkpoint, "No key that we trust"),
    "a whole log of one's own": (_own_everything, "None of the log keys"),
    "another log's name": (lambda s, _: s.update(origin="other.example/log"), "different logs"),
    "a witness that nobody asked": (lambda s, _: s.update(witness_quorum=1), "between one and all of its members"),
    "a field more": (lambda s, _: s.update(more=1), "Not the answer"),
    "a field more in an entry": (lambda s, _: s["entries"][0].update(more=1), "Not the answer"),
    "a field less": (lambda s, _: s.pop("checkpoint"), "Not the answer"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_that_was_worked_on_does_not_pass(held, what):
    assert verify_receipt(json.dumps(held.saved).encode(), vkeys=[held.vkey]).events == 2
    worked = copy.deepcopy(held.saved)
    change, why = ANSWERS[what]
    change(worked, copy.deepcopy(held.other))
    with pytest.raises(Invalid, match=why):
        verify_receipt(json.dumps(worked).encode(), vkeys=[held.vkey])
