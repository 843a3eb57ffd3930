"""Compare what the log signed with its tree and with the entries about its keys: part of `verify-log`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from parcelward.base import config, db
from parcelward.base.errors import Invalid
from parcelward.custody import archive, keyring, notes, succession, timestamps
from parcelward.custody.errors import BadCheckpoint, BadNote, BadTimestamp, LogDiverged, NotInLog, ProofFailed
from parcelward.custody.files import CHECKPOINT, LogFiles
from parcelward.custody.keys import Verifier, parse_vkey
from parcelward.custody.models import Fact
from parcelward.custody.opened import ARCHIVE_KEY_KIND
from parcelward.custody.succession import Link, Succession
from parcelward.custody.verification import Findings


def check_heads(settings: config.Config, size: int, signed: Mapping[str, bytes | None], findings: Findings) -> None:
    """Compare the recomputed roots with the log's state, with what was signed, and with what was kept of each day."""
    files, notes_only = LogFiles(settings.log_folder, read_only=True), dict(signed)
    held = notes_only.pop(keyring.SIGNERS, None)
    try:
        _check_state(settings, files, size, findings)
        links, waiting = _links(settings, findings)
        logs = _keys(settings, held, [*(each.said for each in links), *waiting], findings)
        heads = _Heads(settings, files, size, logs, links, findings)
        for name, note in notes_only.items():
            if note is not None:
                heads.check(name, note)
            elif name == CHECKPOINT and size:
                findings.note("No checkpoint is published.", differs=name)
        late = _archive_keys(settings, findings)
        for day in archive.days(settings.log_folder):
            heads.check(f"archive checkpoint of {day}", archive.read(settings.log_folder, day), day=day, late=late)
            _check_timestamp(settings, day, findings)
    except (LogDiverged, NotInLog) as err:
        findings.note(str(err), differs=getattr(err, "differs", "files"))
    finally:
        files.close()


def _check_timestamp(settings: config.Config, day: str, findings: Findings) -> None:
    """Note a timestamp that is not of its archive checkpoint. Whose it is, is for who knows the root of that time."""
    answer = archive.timestamp(settings.log_folder, day)
    try:
        if answer:
            timestamps.stated(answer, archive.read(settings.log_folder, day))
    except BadTimestamp as err:
        name = f"timestamp of {day}"
        findings.note(f"The {name} does not hold: {err}", differs=name)


def _check_state(settings: config.Config, files: LogFiles, size: int, findings: Findings) -> None:
    with db.cursor() as cur:
        cur.execute("SELECT root, origin FROM custody_logstate WHERE id = 1")
        row = cur.fetchone()
    if row is not None and row[1] != settings.origin:
        findings.note(f"The log's state is named {row[1]}, the log {settings.origin}.", differs="origin")
    if row is not None and files.root(size) != bytes(row[0]):
        findings.note(f"The root of {size} entries is not the one in the log's state.", differs="root")


@dataclass(frozen=True, slots=True)
class _Heads:
    """What a signed checkpoint is compared with."""

    settings: config.Config
    files: LogFiles
    size: int
    logs: Sequence[Verifier]
    links: Sequence[Link]
    findings: Findings

    def check(self, name: str, note: bytes, *, day: str = "", late: Sequence[Verifier] = ()) -> None:
        """Note what is wrong with a checkpoint; that of a `day` is also signed by a key of `late`, on that day."""
        try:
            if day:
                signed = archive.open_archived(note, logs=self.logs, archive=late)
            else:
                signed = notes.open_checkpoint(note, logs=self.logs)
            head = signed.checkpoint
            succession.require_current(head.size, [each.verifier for each in signed.note.verified], self.links)
        except (BadNote, BadCheckpoint, ProofFailed) as err:
            self.findings.note(f"The {name} is not signed by the log: {err}", differs=name)
            return
        if head.origin != self.settings.origin or head.size > self.size or self.files.root(head.size) != head.root:
            self.findings.note(f"The signed {name} of {head.size} entries is not of this log.", differs=name)
        elif day and archive.day_of(signed) != day:
            self.findings.note(f"The {name} was signed on {archive.day_of(signed)}.", differs=name)


def _links(settings: config.Config, findings: Findings) -> tuple[list[Link], list[Succession]]:
    """Return the successions that have a place in the log and those that wait; note the first entry that is not one."""
    with db.cursor() as cur:
        cur.execute(
            "SELECT f.body, l.first_index + f.leaf FROM custody_fact f "
            "LEFT JOIN custody_logbatch l ON l.batch = f.batch WHERE f.kind = %s ORDER BY f.batch, f.leaf",
            (succession.KIND,),
        )
        rows = cur.fetchall()
    links: list[Link] = []
    waiting: list[Succession] = []
    for body, index in rows:
        try:
            said = succession.open_note(json.loads(bytes(body))["note"].encode())
            succession.require_chain([*(each.said for each in links), *waiting, said])
            if said.origin != settings.origin:
                raise BadNote("It is of another log.")
        except (Invalid, ValueError, KeyError, TypeError, AttributeError) as err:
            findings.note(f"The entry does not name the log's next key: {err}", differs="keys", index=index)
            break
        if index is None:
            waiting.append(said)
        else:
            links.append(Link(said, index))
    return links, waiting


def _keys(
    settings: config.Config, held: bytes | None, chain: Sequence[Succession], findings: Findings
) -> list[Verifier]:
    """Return all keys of the log, oldest first; note a key that the files name and no entry does."""
    written = (
        keyring.ring(settings).verifiers if held is None else msgspec.json.decode(held, type=keyring.Ring).verifiers
    )
    known = succession.chain_keys(chain) or written[:1]
    if written != known[: len(written)]:
        findings.note("The keys that the log's files name are not those that its entries name.", differs="keys")
    return known


def _archive_keys(settings: config.Config, findings: Findings) -> list[Verifier]:
    """Return the ML-DSA-44 key; note when the entry that announced it names another."""
    vkey = keyring.ring(settings).archive_vkey
    bodies = Fact.objects.filter(kind=ARCHIVE_KEY_KIND).values_list("body", flat=True)
    if bodies and not any(json.loads(bytes(body)).get("vkey") == vkey for body in bodies):
        findings.note("The ML-DSA-44 key is not the one that the log's entry names.", differs="keys")
    return [parse_vkey(vkey)]
