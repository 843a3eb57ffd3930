"""The operator shows one history to one witness and another to the second: neither becomes a witnessed one."""

from __future__ import annotations

import subprocess
import sys
import time

import httpx
import pytest
from tests.custody import slow_tree
from tests.faults.plant import free_port, until

from parcelward.custody import keys, notes, policy, proofs, tree
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import ProofFailed
from parcelward.custody.keys import KeyName, SignatureType, Signer
from parcelward.custody.witness import AddCheckpoint

pytestmark = pytest.mark.asvs("16.4.2", "16.4.3")

LOG = Signer(KeyName("forked.example/log"), SignatureType.ED25519, b"forked".ljust(32, b"."))
HONEST = slow_tree.leaves_of(20)
FORKED = [*HONEST[:5], *slow_tree.leaves_of(15, "forged ")]
SEEN, SIZE = 5, 20


def request(leaves, old, size):
    text = Checkpoint("forked.example/log", size, slow_tree.mth(leaves[:size])).text
    path = tree.consistency_path(old, size, slow_tree.StoredTree(leaves[:size])) if old else []
    return AddCheckpoint(old, tuple(path), notes.sign(text, [LOG], timestamp_s=int(time.time())))


class Witness:
    """A `parcelward witness` in a process of its own."""

    def __init__(self, folder, name):
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rpartition(":")[2]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "parcelward.doors.console", "witness", "--port", port),
                *("--folder", str(folder), "--name", name, "--log", LOG.verifier.vkey),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.verifier = keys.parse_vkey(until(self._vkey, seconds=60, what="the witness"))

    def _vkey(self):
        try:
            return httpx.get(f"{self.url}/vkey", timeout=5).text.strip()
        except httpx.HTTPError:
            return ""

    def post(self, asked):
        return httpx.post(f"{self.url}/add-checkpoint", content=asked.body, timeout=30)

    def remembers(self):
        return {file.name: file.read_bytes() for file in sorted(self.folder.glob("*.note"))}


@pytest.fixture
def witnesses(tmp_path):
    started = [Witness(tmp_path / name, f"{name}.example") for name in ("first", "second")]
    yield started
    for one in started:
        one.process.terminate()
        one.process.wait(20)


def test_a_fork_shown_to_two_witnesses_is_witnessed_on_neither_side(witnesses):
    both = policy.quorum_of(2, logs=[LOG.verifier], witnesses=[one.verifier for one in witnesses])
    collected = {}
    for one, mine, other in zip(witnesses, (HONEST, FORKED), (FORKED, HONEST), strict=True):
        assert one.post(request(mine, 0, SEEN)).status_code == 200, "up to here both histories are one"
        shown = request(mine, SEEN, SIZE)
        cosigned = one.post(shown)
        assert cosigned.status_code == 200
        collected[one] = shown.note + cosigned.content
        before = one.remembers()
        assert one.post(request(other, SEEN, SIZE)).status_code == 409, "it has seen more than five entries"
        assert one.post(request(other, SIZE, SIZE)).status_code == 422, "another root of the same size"
        longer = AddCheckpoint(SIZE, (), request([*other, other[0]], 0, SIZE + 1).note)
        assert one.post(longer).status_code in {400, 422}, "a longer one without a proof"
        assert one.post(request(mine, 0, SEEN)).status_code == 409, "a log that shrank"
        assert one.remembers() == before, "what is refused changes nothing"
    for one, leaves in zip(witnesses, (HONEST, FORKED), strict=True):
        proof = proofs.Proof(9, tuple(slow_tree.path(9, leaves)), collected[one])
        alone = policy.quorum_of(1, logs=[LOG.verifier], witnesses=[one.verifier])
        proofs.verify(proof, leaves[9], alone)  # the proof is sound: only the second witness is missing
        with pytest.raises(ProofFailed):
            proofs.verify(proof, leaves[9], both)
