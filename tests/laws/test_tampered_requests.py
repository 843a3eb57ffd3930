"""What devices sent, turned afterwards: signatures, answers, marks, quarantine. `verify-log` finds each."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest
from tests.laws.tampering import change, difference, rows, sequenced
from tests.scanner import Scanner, event, new_number

from parcelward.base import config
from parcelward.custody.wire import pack_signed, unpack_signed
from parcelward.parcels import actions
from parcelward.parcels.queries import verify_log
from parcelward.people.actions import installer
from parcelward.people.queries import enrolled_keys

pytestmark = pytest.mark.usefixtures("clean")

SIZE = 116  # bytes of one signature as it is kept


@dataclasses.dataclass(frozen=True)
class Sent:
    """Two devices and what they sent: the batch of one's first request, and three events that were set aside."""

    source: int
    other: int
    batch: int
    index: int  # of the batch's first entry
    first: int  # quarantined and still open
    repaired: int
    dismissed: int
    bad: int  # log index of the entry that tells of these three
    scanner: Scanner
    other_scanner: Scanner


@pytest.fixture(scope="module")
def sent(installation, facilities) -> Sent:
    scanner, other = Scanner(installation, name="signs"), Scanner(installation, name="signs too")
    scanner.send(event(new_number(), "accepted"), event(new_number(), "accepted"))
    other.send(event(new_number(), "accepted"))
    good = event(new_number(), "accepted")
    nowhere = [event(new_number(), "accepted", facility="NOWHERE") for _ in range(3)]
    answer = scanner.send(good, *nowhere)
    assert len(answer["quarantined"]) == 3
    by = dataclasses.replace(installer(), role=type(installer().role).INSPECTOR)
    mine = rows("SELECT * FROM parcels_quarantine ORDER BY id DESC LIMIT 3")[::-1]
    actions.resubmit(mine[1]["id"], json.dumps(nowhere[1] | {"facility": "TEST-A"}), by=by)
    actions.dismiss(mine[2]["id"], "sent twice", by=by)
    sequenced()
    named = {str(key.device): source for source, key in enrolled_keys().items()}
    source, second = (named[each.device_id] for each in (scanner, other))
    batch = rows(
        "SELECT e.batch, l.first_index FROM parcels_scan_event e JOIN custody_logbatch l ON l.batch = e.batch "
        "WHERE e.source = %s AND e.sequence = 1",
        source,
    )[0]
    told = rows(
        "SELECT l.first_index AS at FROM custody_fact f JOIN custody_logbatch l ON l.batch = f.batch "
        "WHERE f.kind = 'parcels.quarantined' ORDER BY f.batch DESC LIMIT 1"
    )
    return Sent(
        *(source, second, batch["batch"], batch["first_index"]),
        *(mine[0]["id"], mine[1]["id"], mine[2]["id"], told[0]["at"]),
        scanner=scanner,
        other_scanner=other,
    )


def kept(batch: int) -> bytes:
    return bytes(rows("SELECT signed FROM custody_batch WHERE id = %s", batch)[0]["signed"])


def keep(batch: int, signed: bytes) -> None:
    change("UPDATE custody_batch SET signed = %s WHERE id = %s", signed, batch)


def test_a_signature_is_kept_beside_the_events_and_holds(sent: Sent) -> None:
    report = verify_log(config.get())
    assert report.signatures >= 3
    (one,) = [each for each in unpack_signed(kept(sent.batch)) if each.source == sent.source]
    assert one.sequence == 1
    public = sent.scanner.key.public_key()
    public.verify(one.signature, one.base(sent.scanner.key_id).encode())
    assert enrolled_keys([sent.source])[sent.source].key == public.public_bytes_raw()
    assert len(kept(sent.batch)) % SIZE == 0


@pytest.mark.parametrize(
    "field", ["sequence", "created_s", "digest", "signature", "another device's key", "nobody's", "cut", "gone"]
)
def test_a_changed_signature_is_found_at_its_batch(sent: Sent, field: str) -> None:
    signed = kept(sent.batch)
    every = unpack_signed(signed)
    at = next(i for i, each in enumerate(every) if each.source == sent.source)
    one = every[at]
    turned = {
        "sequence": one._replace(sequence=one.sequence + 1),
        "created_s": one._replace(created_s=one.created_s + 1),
        "digest": one._replace(digest=hashlib.sha256(b"another body").digest()),
        "signature": one._replace(signature=bytes(64)),
        "another device's key": one._replace(
            signature=sent.other_scanner.key.sign(one.base(sent.other_scanner.key_id).encode())
        ),
        "nobody's": one._replace(source=2_000_000),
    }
    if field == "gone":
        keep(sent.batch, pack_signed(every[:at] + every[at + 1 :]))
    elif field == "cut":
        keep(sent.batch, signed[:-1])
    else:
        keep(sent.batch, pack_signed([*every[:at], turned[field], *every[at + 1 :]]))
    first = difference()
    assert first.differs == "signature"
    assert first.first is not None
    assert sent.index <= first.first < sent.index + len(every) + 2
    if field not in {"cut", "nobody's"}:
        assert f"dev_{sent.scanner.device_id.replace('-', '')}" in str(first)


def test_another_devices_signature_under_its_own_name_does_not_stand_in(sent: Sent) -> None:
    every = unpack_signed(kept(sent.batch))
    one = next(each for each in every if each.source == sent.source)
    other = one._replace(source=sent.other)
    other = other._replace(signature=sent.other_scanner.key.sign(other.base(sent.other_scanner.key_id).encode()))
    keep(sent.batch, pack_signed([other, *(each for each in every if each is not one)]))
    first = difference()
    assert (first.differs, first.first is not None) == ("signature", True)
    assert "was removed" in str(first)


REQUESTS = {
    "another digest": (
        "UPDATE parcels_submission SET digest = decode(repeat('ab', 32), 'hex') WHERE source = %(source)s "
        "AND sequence = 1"
    ),
    "forgotten": "DELETE FROM parcels_submission WHERE source = %(source)s AND sequence = 1",
    "all forgotten": "DELETE FROM parcels_submission WHERE source = %(source)s",
    "of another source": (
        "UPDATE parcels_submission SET source = 2000000 WHERE source = %(source)s AND sequence = 1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REQUESTS)
def test_a_request_that_is_known_otherwise_than_it_was_signed_is_found(sent: Sent, what: str) -> None:
    change(REQUESTS[what], {"source": sent.source})
    first = difference()
    assert (first.differs, first.first) == ("submission", sent.index)


MARKS = {
    "lower": "UPDATE parcels_sourcemark SET high_sequence = 1 WHERE source = %(source)s",
    "higher": "UPDATE parcels_sourcemark SET high_sequence = high_sequence + 1 WHERE source = %(source)s",
    "gone": "DELETE FROM parcels_sourcemark WHERE source = %(source)s",
    "one more": "INSERT INTO parcels_sourcemark (source, high_sequence, last_seen) VALUES (2000000, 5, now())",
}


@pytest.mark.parametrize("what", MARKS)
def test_a_mark_that_was_moved_is_found(sent: Sent, what: str) -> None:
    change(MARKS[what], {"source": sent.source})
    assert difference().differs == "mark"


QUARANTINE = {
    "other bytes": "UPDATE parcels_quarantine SET raw = raw || ' ' WHERE id = %(first)s",
    "other bytes and digest": (
        "UPDATE parcels_quarantine SET raw = 'x', digest = sha256('x') WHERE id = %(first)s"
    ),
    "another code": "UPDATE parcels_quarantine SET code = 'clock_ahead' WHERE id = %(first)s",
    "another reason": "UPDATE parcels_quarantine SET message = 'Nothing.' WHERE id = %(first)s",
    "another source": "UPDATE parcels_quarantine SET source = source + 1 WHERE id = %(first)s",
    "another request": "UPDATE parcels_quarantine SET sequence = sequence + 1 WHERE id = %(first)s",
    "another place in it": "UPDATE parcels_quarantine SET position = position + 10 WHERE id = %(first)s",
    "another time": "UPDATE parcels_quarantine SET received_at = received_at + interval '1 us' WHERE id = %(first)s",
    "gone": "DELETE FROM parcels_quarantine WHERE id = %(first)s",
    "dismissed by nobody": "UPDATE parcels_quarantine SET state = 'dismissed' WHERE id = %(first)s",
    "closed by nobody": "UPDATE parcels_quarantine SET closed_by = 1, closed_at = now() WHERE id = %(first)s",
    "open again": (
        "UPDATE parcels_quarantine SET state = 'open', closed_at = NULL, closed_by = NULL WHERE id = %(repaired)s"
    ),
    "repaired by another": "UPDATE parcels_quarantine SET closed_by = closed_by + 1 WHERE id = %(repaired)s",
    "repaired earlier": (
        "UPDATE parcels_quarantine SET closed_at = closed_at - interval '1 us' WHERE id = %(repaired)s"
    ),
    "dismissed for another reason": "UPDATE parcels_quarantine SET closing_note = 'x' WHERE id = %(dismissed)s",
}  # fmt: skip


@pytest.mark.parametrize("what", QUARANTINE)
def test_a_turned_quarantined_event_is_found_at_the_entry_that_tells_of_it(sent: Sent, what: str) -> None:
    change(QUARANTINE[what], {"first": sent.first, "repaired": sent.repaired, "dismissed": sent.dismissed})
    first = difference()
    assert (first.differs, first.first) == ("quarantine", sent.bad)


@pytest.mark.parametrize("number", ["nextval(pg_get_serial_sequence('parcels_quarantine', 'id'))", "0", "-7"])
def test_a_quarantined_event_that_no_device_sent_is_found(sent: Sent, number: str) -> None:
    change(
        "INSERT INTO parcels_quarantine (id, received_at, source, sequence, position, code, message, raw, digest, "
        f"state, closing_note) SELECT {number}, now(), source, sequence, 99, code, message, 'y', sha256('y'), 'open', "
        "'' FROM parcels_quarantine WHERE id = %s",
        sent.first,
    )
    first = difference()
    assert (first.differs, first.first) == ("quarantine", None)
    assert "was added" in str(first)


def test_the_same_bad_bytes_again_are_told_once(sent: Sent) -> None:
    count = "SELECT count(*) AS n FROM custody_fact WHERE kind = 'parcels.quarantined'"
    bad = event(new_number(), "accepted", facility="NOWHERE")
    sent.other_scanner.send(bad)
    before = rows(count)[0]["n"]
    assert len(sent.other_scanner.send(bad)["quarantined"]) == 1
    assert rows(count)[0]["n"] == before
