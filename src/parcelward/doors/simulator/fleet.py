"""What a simulated fleet remembers between two runs: its devices' keys, their batch numbers, how far each plan got.

devices.json     name -> device_id, key_id, private key (mode 0600)
state.json       batch numbers by device; position, start and report by plan
receipts.ndjson  the signed receipts that answered each batch
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if TYPE_CHECKING:
    from pathlib import Path

RECEIPTS_BYTES_MAX = 20_000_000  # a live town answers for months


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One device as the API knows it."""

    device_id: str
    key_id: str
    key: Ed25519PrivateKey


@dataclass(slots=True)
class PlanState:
    """How far one plan got."""

    start: int  # instant of its first tick
    position: int = 0  # planned scans that were sent and answered
    sent_until: int = 0  # upload instant of the newest of them
    finished: bool = False
    report: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, int] = field(default_factory=dict)  # what else its maker needs to make it again


class Fleet:
    """The folder of one simulated world that plays on one installation."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.devices: dict[str, Enrolled] = {}
        self.sequences: dict[str, int] = {}
        self.plans: dict[str, PlanState] = {}
        self._receipts: list[str] = []
        self._load()

    def add(self, name: str, enrolled: Enrolled) -> None:
        """Remember a device before its first batch; a device that was enrolled anew starts its numbers anew."""
        self.devices[name] = enrolled
        self.sequences[name] = 0
        rows = {
            name: {
                "device_id": e.device_id,
                "key_id": e.key_id,
                "private_key_ed25519_base64": base64.b64encode(e.key.private_bytes_raw()).decode(),
            }
            for name, e in self.devices.items()
        }
        _write(self.folder / "devices.json", rows, durable=True)

    def receipt(self, name: str, sequence: int, text: str) -> None:
        """Keep the receipt of a batch; it is written with the next `save`."""
        self._receipts.append(json.dumps({"device": name, "sequence": sequence, "receipt": text}) + "\n")

    def save(self) -> None:
        """Write positions, batch numbers and receipts."""
        receipts, self._receipts = self._receipts, []
        path = self.folder / "receipts.ndjson"
        with path.open("a", encoding="utf-8") as file:
            file.writelines(receipts)
            full = file.tell() > RECEIPTS_BYTES_MAX
        if full:
            path.replace(self.folder / "receipts-before.ndjson")
        plans = {
            name: {
                "start": p.start,
                "position": p.position,
                "sent_until": p.sent_until,
                "finished": p.finished,
                "report": p.report,
                "facts": p.facts,
            }
            for name, p in self.plans.items()
        }
        _write(self.folder / "state.json", {"sequences": self.sequences, "plans": plans}, durable=False)

    def _load(self) -> None:
        for name, row in _read(self.folder / "devices.json").items():
            key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(row["private_key_ed25519_base64"]))
            self.devices[name] = Enrolled(row["device_id"], row["key_id"], key)
        state = _read(self.folder / "state.json")
        self.sequences = dict(state.get("sequences", {}))
        self.plans = {name: PlanState(**row) for name, row in state.get("plans", {}).items()}


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(FileNotFoundError):
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    return {}


def _write(path: Path, content: object, *, durable: bool) -> None:
    """Replace a file in one step, readable by its owner only from its first byte on.

    A lost key cannot be had again; a lost position only makes batches go out twice, which changes nothing.
    """
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    fresh.replace(path)
