"""Labels that were issued, and what a scan says of a copied, edited, voided or replaced one, or one in two places."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from tests.at_once import at_once
from tests.attacks.untouched import untouched
from tests.parcels.test_record import send, submission
from tests.privacy.label_desk import CLERK, OFFICE, OTHER, make_keys, person
from tests.privacy.label_desk import sealed as seal
from tests.scanner import event, new_number
from tests.shipping.sample_labels import facts, pages, read

from parcelward.base import db
from parcelward.base.errors import Conflict, Invalid, NotAllowed, NotFound, ParcelwardError
from parcelward.custody.models import Fact
from parcelward.parcels import actions, label_binding
from parcelward.parcels.actions import kept, statuses
from parcelward.parcels.label_binding import Wrong
from parcelward.parcels.label_check import ISSUED, REPRINTED, VOIDED, check_labels
from parcelward.parcels.models import Alert, Label
from parcelward.parcels.rules import State
from parcelward.parcels.wire import IssuedLabel, LabelWanted
from parcelward.people.actions import make_key
from parcelward.people.queries import key_holder
from parcelward.people.wire import Person, Role
from parcelward.privacy import actions as privacy
from parcelward.privacy.sealing import wire as sealing
from parcelward.privacy.sealing.wire import from_base45, to_base45
from parcelward.shipping.labels import layout, pdf

ADMINISTRATOR = person(Role.ADMINISTRATOR)


@pytest.fixture(scope="module", autouse=True)
def stations(installation):
    make_keys()


@pytest.fixture(scope="module")
def partner(installation, facilities) -> Person:
    return key_holder(make_key("label partner", Role.PARTNER, by=key_holder(installation.api_key), mode="test"))


@pytest.fixture(scope="module")
def announce(installation, facilities) -> Callable[[], tuple[str, uuid.UUID]]:
    """Announce an item as a sender's manifest does, and return its number and itself."""

    def one() -> tuple[str, uuid.UUID]:
        from parcelward.parcels.models import ItemAlias

        number, now = new_number(), timezone.now()
        who = key_holder(installation.api_key)
        actions.accept_manifest(str(uuid.uuid4()), facility="TEST-A", event_time=now, numbers=[number], by=who, now=now)
        return number, ItemAlias.objects.get(number=number, valid_to=None).item

    return one


@pytest.fixture(scope="module")
def far_away(installation, facilities) -> str:
    body = {
        "name": "Far office",
        "kind": "office",
        "country": "US",
        "time_zone": "America/Anchorage",
        "coarse_place": "Anchorage, AK",
        "position": [-149.9, 61.2],
        "simulated": True,
    }
    url = f"{installation.url}/api/v1/facilities/TEST-FAR"
    httpx.put(url, json=body, headers=installation.headers, timeout=30).raise_for_status()
    return "TEST-FAR"


def issue(number: str, item: uuid.UUID, *, destination: str = OFFICE, weight_g: int = 900) -> IssuedLabel:
    raw = seal(number).raw
    (made,) = actions.issue_labels_within([LabelWanted(item, raw, destination, weight_g)], by=CLERK, now=timezone.now())
    return made


def relabel(
    number: str, item: uuid.UUID, *, by: Person | None = None, reason: str = "torn in the sorter"
) -> IssuedLabel:
    wanted = LabelWanted(item, seal(number).raw, OFFICE, 900, reason)
    (made,) = actions.issue_labels_within([wanted], by=by or ADMINISTRATOR, now=timezone.now())
    return made


def code_of(label: IssuedLabel) -> str:
    """Return what a scanner that read the label's QR code sends."""
    return sealing.label_code(label.raw)


def told(by: Person, number: str, code: str, **more: Any) -> list[str]:
    """Scan an item with a label's code, beside another event, and return what the hand is told to do."""
    other = event(new_number(), "accepted")
    one = event(number, more.pop("step", "left_sorting"), **({"minutes": 1} | more), label_code=code)
    (said,) = send(submission(by, one, other))
    assert (said["accepted"], said["quarantined"]) == (2, []), "the batch goes on"
    return [each["do"] for each in said["instructions"]]


def why(item: uuid.UUID) -> list[str]:
    return sorted(row.details["why"] for row in Alert.objects.filter(item=item, kind="label_mismatch"))


def test_a_label_that_was_issued_is_printed_read_and_believed(announce, partner):
    number, item = announce()
    label = issue(number, item)
    said = facts(number, sealed=to_base45(label.raw), binding=label.code, printing=label.printing)
    codes = read(pages(pdf.render([said], layout.INCH_4X6))[0])
    assert codes["]C0"] == number
    scanned = sealing.label_code(from_base45(codes["]Q"]))
    assert scanned == code_of(label)
    assert scanned.startswith(label.code)
    for minutes, step in enumerate(("accepted", "left_sorting", "out_for_delivery")):
        assert told(partner, number, scanned, step=step, minutes=minutes) == []
    assert why(item) == []


def test_another_items_label(announce, partner):
    (number, item), (other, its) = announce(), announce()
    mine, label = issue(number, item), issue(other, its)
    assert told(partner, number, code_of(label)) == ["LABEL_MISMATCH"]
    assert told(partner, number, code_of(mine), minutes=2) == []
    assert why(item) == ["other_item"]
    assert why(its) == []


def test_our_label_on_an_item_that_has_none(announce, partner):
    number, item = announce()
    label = issue(*announce())
    assert told(partner, number, code_of(label)) == ["LABEL_MISMATCH"]
    assert why(item) == ["other_item"]


@pytest.mark.parametrize("code", ["0123456789AB", "x" * 64, "", "0" * 47, "\u00e9" * 48])
def test_a_foreign_label_says_nothing_unless_the_item_has_one_of_ours(announce, partner, code):
    number, item = announce()
    assert told(partner, number, code) == []
    relabel(number, item)
    assert told(partner, number, code, minutes=2) == ["LABEL_MISMATCH"]
    assert why(item) == ["other_item"]


@pytest.mark.parametrize("at", [0, 7, 8, 23])
def test_an_edited_code(announce, partner, at):
    """One bit of the code, or of the digest of what is sealed: of the address, the week, the item's number."""
    number, item = announce()
    label = issue(number, item)
    read_ = bytearray.fromhex(code_of(label))
    read_[at] ^= 1
    assert told(partner, number, read_.hex()) == ["LABEL_MISMATCH"]
    assert why(item) == ["not_bound" if at < 8 else "other_item"]


def test_the_code_of_who_seals_is_not_the_binding(announce, partner):
    """What `privacy` sealed and nobody issued is believed for no item."""
    number, item = announce()
    issue(number, item)
    assert told(partner, number, seal(number).label_code) == ["LABEL_MISMATCH"]


@pytest.mark.parametrize(
    "turned",
    [
        f"destination = '{OTHER}'",
        "weight_class = weight_class + 1",
        "serial = serial + 1",
        "key_version = 0",
    ],
)
def test_a_row_that_was_turned_to_another_place_or_weight(announce, partner, turned):
    number, item = announce()
    label, saved = issue(number, item), Label.objects.filter(item=item).values().get()
    with connections["default"].cursor() as cur:
        cur.execute(f"UPDATE parcels_label SET {turned} WHERE item = %s", (item,))
    assert told(partner, number, code_of(label)) == ["LABEL_MISMATCH"]
    assert why(item) == ["key_gone" if "key_version" in turned else "not_bound"]
    Label.objects.filter(item=item).delete()
    Label.objects.create(**saved)


def test_a_voided_label(announce, partner):
    number, item = announce()
    label = issue(number, item)
    actions.void_label(item, by=CLERK, now=timezone.now())
    actions.void_label(item, by=CLERK, now=timezone.now())
    assert told(partner, number, code_of(label)) == ["LABEL_MISMATCH"]
    assert why(item) == ["voided"]
    after = relabel(number, item)
    assert (after.serial, after.printing) == (2, 1)
    assert told(partner, number, code_of(after), minutes=3) == []


def test_a_reprint_makes_the_print_before_it_void_and_three_are_all(announce, partner):
    number, item = announce()
    printed = [issue(number, item)]
    printed += [actions.reprint_label(item, seal(number).raw, by=CLERK, now=timezone.now()) for _ in range(3)]
    assert [one.printing for one in printed] == [1, 2, 3, 4]
    assert len({code_of(one) for one in printed}) == 4
    refused(Conflict, "printed_out", actions.reprint_label, item, seal(number).raw)
    for minutes, old in enumerate(printed[:-1]):
        assert told(partner, number, code_of(old), minutes=minutes) == ["LABEL_MISMATCH"]
    assert why(item) == ["reprinted"] * 3
    assert told(partner, number, code_of(printed[-1]), minutes=9) == []


def refused(kind: type[ParcelwardError], code: str, does: Callable[..., Any], *args: Any, by: Person = CLERK) -> None:
    rows = list(Label.objects.order_by("item", "serial").values_list())
    with untouched(), pytest.raises(kind) as caught:
        does(*args, by=by, now=timezone.now())
    assert caught.value.code == code
    assert list(Label.objects.order_by("item", "serial").values_list()) == rows


def test_what_is_refused(announce, partner):
    number, item = announce()
    raw = seal(number).raw
    one = LabelWanted(item, raw, OFFICE, 900)
    issue_ = actions.issue_labels_within
    refused(Conflict, "no_label", actions.reprint_label, item, raw)
    refused(NotFound, "not_found", actions.void_label, item)
    refused(NotFound, "not_found", issue_, [LabelWanted(uuid.uuid4(), raw, OFFICE, 900)])
    refused(NotFound, "not_found", actions.void_label, uuid.uuid4())
    refused(Invalid, "other_item", issue_, [LabelWanted(item, seal().raw, OFFICE, 900)])
    refused(Invalid, "bad_count", issue_, [])
    refused(Invalid, "bad_count", issue_, [one, one])
    refused(Invalid, "bad_facility", issue_, [LabelWanted(item, raw, "", 900)])
    refused(Invalid, "no_label", issue_, [LabelWanted(item, b"no label", OFFICE, 900)])
    for role in (Role.COURIER, Role.PARTNER, Role.DEVICE, Role.SENDER_ADMIN, Role.INSPECTOR):
        for does, args in ((issue_, ([one],)), (actions.reprint_label, (item, raw)), (actions.void_label, (item,))):
            with pytest.raises(NotAllowed):
                does(*args, by=person(role), now=timezone.now())
    first = issue(number, item)
    refused(Conflict, "label_stands", issue_, [one])
    refused(Invalid, "same_label", actions.reprint_label, item, first.raw)
    refused(Invalid, "other_item", actions.reprint_label, item, seal().raw)
    told(partner, number, code_of(first), step="accepted")
    refused(Conflict, "tendered", actions.reprint_label, item, seal(number).raw)


def test_of_an_erased_item_no_label_is_made_and_none_made_again(announce):
    number, item = announce()
    first, raw = issue(number, item), seal(number).raw
    with transaction.atomic():
        with connections["default"].cursor() as cur:
            cur.execute(
                "UPDATE parcels_item_status SET flags = flags | %s WHERE item = %s", (int(State.SHREDDED), item)
            )
        refused(Conflict, "shredded", actions.reprint_label, item, raw)
        actions.void_label(item, by=CLERK, now=timezone.now())
        refused(Conflict, "shredded", actions.issue_labels_within, [LabelWanted(item, first.raw, OFFICE, 900)])
        transaction.set_rollback(True)


def test_two_who_reprint_at_once_make_one_label_that_stands(announce):
    number, item = announce()
    issue(number, item)
    raws = [seal(number).raw for _ in range(4)]
    made = at_once(*(lambda raw=raw: actions.reprint_label(item, raw, by=CLERK, now=timezone.now()) for raw in raws))
    assert sorted(one.printing for one in made if isinstance(one, IssuedLabel)) == [2, 3, 4]
    assert [one.code for one in made if isinstance(one, ParcelwardError)] == ["printed_out"]
    assert Label.objects.filter(item=item, voided_at=None).count() == 1


def test_the_database_itself_keeps_the_count_and_the_one_that_stands(announce):
    number, item = announce()
    issue(number, item)
    row = Label.objects.filter(item=item).values().get()
    for other in ({"serial": 2}, {"serial": 2, "printing": 5, "voided_at": timezone.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Label.objects.create(**(row | other))


def test_who_remembers_an_items_labels_finds_out_that_one_was_voided(announce, partner, monkeypatch):
    memory = kept.of(db.raw())
    monkeypatch.setattr(memory, "_doubted_until", 0.0)
    number, item = announce()
    code = code_of(issue(number, item))
    for minutes in range(2):
        assert told(partner, number, code, minutes=minutes) == []
    assert number in memory._things, "remembered"
    actions.void_label(item, by=CLERK, now=timezone.now())
    assert told(partner, number, code, minutes=4) == ["LABEL_MISMATCH"]
    assert why(item) == ["voided"]


def test_a_label_that_was_voided_and_followed_by_another_between_two_scans(announce, partner, monkeypatch):
    """The item's status looks as it did before, and what is remembered of it would believe the void one."""
    monkeypatch.setattr(kept.of(db.raw()), "_doubted_until", 0.0)
    number, item = announce()
    first = code_of(issue(number, item))
    assert told(partner, number, first, minutes=0) == []
    actions.void_label(item, by=CLERK, now=timezone.now())
    second = code_of(relabel(number, item))
    assert told(partner, number, first, minutes=2) == ["LABEL_MISMATCH"]
    assert told(partner, number, second, minutes=3) == []
    assert why(item) == ["voided"]


def test_a_scanner_that_knew_the_item_before_it_had_a_label(scanner, announce):
    """The web process remembers the item's status; the label was issued by another."""
    number, item = announce()
    scanner.send(event(number, "accepted"))
    label = relabel(number, item)
    said = scanner.send(event(number, "left_sorting", minutes=1, label_code="0" * 12))
    assert [each["do"] for each in said["instructions"]] == ["LABEL_MISMATCH"]
    assert said["instructions"][0]["item_id"] == number
    for minutes in (2, 3):
        assert (
            scanner.send(event(number, "left_sorting", minutes=minutes, label_code=code_of(label)))["instructions"]
            == []
        )
    actions.void_label(item, by=CLERK, now=timezone.now())
    said = scanner.send(event(number, "left_sorting", minutes=4, label_code=code_of(label)))
    assert [each["do"] for each in said["instructions"]] == ["LABEL_MISMATCH"]
    assert why(item) == ["other_item", "voided"]


def test_a_label_at_two_far_places_at_once(announce, partner, far_away):
    number, item = announce()
    code = code_of(issue(number, item))
    assert told(partner, number, code, step="accepted", minutes=0) == []
    assert told(partner, number, code, minutes=20, facility=far_away) == ["LABEL_MISMATCH"]
    assert why(item) == ["far_apart"]
    # Ten hours later it may well be there; and what comes late says nothing of what came before.
    number, item = announce()
    code = code_of(issue(number, item))
    assert told(partner, number, code, step="accepted", minutes=-900) == []
    assert told(partner, number, code, minutes=-300, facility=far_away) == []
    assert told(partner, number, code, minutes=-301) == []
    assert why(item) == []


def test_far_apart_is_judged_event_by_event_also_beside_one_that_comes_late(announce, partner, far_away):
    number, item = announce()
    code = code_of(issue(number, item))
    assert told(partner, number, code, step="accepted", minutes=0) == []
    late = event(number, "left_sorting", minutes=-60)
    far = event(number, "left_sorting", minutes=20, facility=far_away, label_code=code)
    (said,) = send(submission(partner, late, far))
    assert [each["do"] for each in said["instructions"]] == ["LABEL_MISMATCH"]
    assert why(item) == ["far_apart"]


def test_far_apart_is_judged_of_an_item_that_was_once_corrected(announce, partner, far_away):
    number, item = announce()
    code, wrong = code_of(issue(number, item)), event(number, "accepted", minutes=-900)
    send(submission(partner, wrong))
    corrects = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    send(submission(partner, event(number, "accepted", minutes=-899, corrects=corrects)))
    assert told(partner, number, code, minutes=-880, facility=far_away) == [], "the only one that stands"
    assert told(partner, number, code, minutes=-870) == ["LABEL_MISMATCH"]
    assert why(item) == ["far_apart"]


def test_a_delivered_item_is_where_it_was_delivered_at_that_time(announce, partner, far_away):
    """A parcel that comes back weeks later from far is not elsewhere at once with each scan there."""
    number, item = announce()
    code = code_of(issue(number, item))
    assert told(partner, number, code, step="delivered", minutes=-9_000) == []
    assert told(partner, number, code, minutes=-100, facility=far_away) == ["STOP"]
    assert told(partner, number, code, minutes=-95, facility=far_away) == ["STOP"]
    assert why(item) == []


def test_a_scan_that_is_sent_again_says_again_what_is_wrong_with_the_label(announce, partner):
    number, item = announce()
    issue(number, item)
    first = event(number, "left_sorting", minutes=1, label_code="0" * 48)
    honest = event(number, "left_sorting", minutes=2)
    for _ in range(2):
        (said,) = send(submission(partner, first))
        assert [each["do"] for each in said["instructions"]] == ["LABEL_MISMATCH"]
    assert (said["accepted"], said["duplicates"]) == (0, 1)
    assert why(item) == ["other_item"]
    send(submission(partner, honest))
    (said,) = send(submission(partner, honest | {"label_code": "1" * 48}))
    assert [each["do"] for each in said["instructions"]] == ["LABEL_MISMATCH"], "the first time it brought no label"
    assert why(item) == ["other_item", "other_item"]


def test_a_label_that_was_voided_since_is_told_when_its_scan_is_sent_again_and_asks_for_nobody(announce, partner):
    number, item = announce()
    one = event(number, "left_sorting", minutes=1, label_code=code_of(issue(number, item)))
    send(submission(partner, one))
    actions.void_label(item, by=CLERK, now=timezone.now())
    (said,) = send(submission(partner, one))
    assert [each["do"] for each in said["instructions"]] == ["LABEL_MISMATCH"]
    assert why(item) == []


@pytest.mark.parametrize(
    "damage",
    [
        "void_reason = 'eaten', voided_at = now()",
        "void_reason = 'voided'",
        "voided_at = now()",
        "weight_class = 300",
        "weight_class = -1",
        "serial = 300",
        "label = label || '\\x00'",
    ],
)
def test_a_damaged_row_stops_no_batch(announce, partner, damage):
    """Its label is believed for nothing; what else is scanned with it is recorded."""
    (number, item), (other, its) = announce(), announce()
    codes = {number: code_of(issue(number, item)), other: code_of(issue(other, its))}
    with transaction.atomic():
        with connections["default"].cursor() as cur:
            cur.execute("ALTER TABLE parcels_label DROP CONSTRAINT label_sound")
            cur.execute(f"UPDATE parcels_label SET {damage} WHERE item = %s", (item,))
        events = [event(each, "left_sorting", minutes=1, label_code=code) for each, code in codes.items()]
        (said,) = send(submission(partner, *events))
        assert (said["accepted"], said["quarantined"]) == (2, [])
        assert [(each["item_id"], each["do"]) for each in said["instructions"]] == [(number, "LABEL_MISMATCH")]
        assert why(item) == ["other_item" if "label =" in damage else "not_bound"]
        assert why(its) == []
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "damage",
    ["serial = 100", "weight_class = 10", "void_reason = 'voided'", "voided_at = now()", "voided_by = 1"],
)
def test_the_database_refuses_a_row_that_cannot_be(announce, damage):
    number, item = announce()
    issue(number, item)
    with pytest.raises(IntegrityError), transaction.atomic(), connections["default"].cursor() as cur:
        cur.execute(f"UPDATE parcels_label SET {damage} WHERE item = %s", (item,))


def test_an_item_that_was_handed_in_is_labelled_anew_by_a_right_of_its_own_and_with_a_reason(announce, partner):
    number, item = announce()
    told(partner, number, code_of(issue(number, item)), step="accepted")
    actions.void_label(item, by=CLERK, now=timezone.now())
    one = LabelWanted(item, seal(number).raw, OTHER, 900, "torn in the sorter")
    refused(NotAllowed, "may_not", actions.issue_labels_within, [one])
    for reason in ("", "  ", "x" * 201, "two\nlines"):
        again = dataclasses.replace(one, reason=reason)
        refused(Invalid, "no_reason", actions.issue_labels_within, [again], by=ADMINISTRATOR)
    actions.issue_labels_within([one], by=ADMINISTRATOR, now=timezone.now())
    fact = Fact.objects.filter(kind=ISSUED).latest("record_time")
    assert json.loads(bytes(fact.body))["reasons"] == {str(item): "torn in the sorter"}
    assert differing() == []


def test_a_second_copy_after_the_first_was_delivered(announce, partner):
    number, item = announce()
    code = code_of(issue(number, item))
    assert told(partner, number, code, step="delivered") == []
    assert told(partner, number, code, minutes=30) == ["STOP"]
    assert Alert.objects.filter(item=item, kind="after_delivery").exists()


def test_a_correction_brings_no_label(announce, partner):
    number, item = announce()
    issue(number, item)
    one = event(number, "accepted")
    send(submission(partner, one))
    corrects = {"event_id": one["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    assert told(partner, number, "0" * 48, step="accepted", corrects=corrects) == []


def test_a_key_is_followed_by_another_and_labels_live_until_it_is_stolen(announce, partner, machinery_):
    number, item = announce()
    code = code_of(issue(number, item))
    privacy.rotate_label_code(by=machinery_, now=timezone.now())
    assert told(partner, number, code) == []
    other, its = announce()
    newer = code_of(issue(other, its))
    assert told(partner, other, newer) == []
    versions = Label.objects.get(item=item).key_version, Label.objects.get(item=its).key_version
    assert versions[0] < versions[1]
    privacy.rotate_label_code(by=machinery_, now=timezone.now(), stolen=True)
    assert told(partner, number, code, minutes=3) == ["LABEL_MISMATCH"]
    assert why(item) == ["key_gone"]


@pytest.fixture
def machinery_(installation) -> Person:
    from parcelward.people.actions import machinery

    return machinery()


def test_each_deed_is_an_entry_and_no_code_is_in_one(announce):
    number, item = announce()
    made = [issue(number, item), actions.reprint_label(item, seal(number).raw, by=CLERK, now=timezone.now())]
    actions.void_label(item, by=CLERK, now=timezone.now())
    told_of = Fact.objects.filter(kind__in=(ISSUED, REPRINTED, VOIDED)).values_list("body", flat=True)
    bodies = [bytes(body) for body in told_of]
    mine = [body for body in bodies if str(item).encode() in body]
    assert len(mine) == 3
    for label in made:
        assert any(sealing.digest(label.raw).hex().encode() in body for body in mine)
        assert not [body for body in bodies if label.code.lower().encode() in body.lower()]


def test_a_rebuilt_status_knows_that_the_item_has_labels(announce, partner):
    number, item = announce()
    code = code_of(issue(number, item))
    told(partner, number, code, step="accepted")
    assert statuses.differing([item]) == []
    with connections["default"].cursor() as cur:
        cur.execute("UPDATE parcels_item_status SET flags = 0 WHERE item = %s", (item,))
    assert "flags" in dict(statuses.differing([item]))[item]
    actions.rebuild([item])
    assert told(partner, number, "0" * 48, minutes=2) == ["LABEL_MISMATCH"]


@pytest.mark.parametrize(
    "turned",
    [
        "voided_at = NULL, voided_by = NULL, void_reason = ''",
        "void_reason = 'reprinted'",
        "voided_by = voided_by + 1",
        "printing = printing + 1",
        "destination = 'LBL-SOUTH'",
        "weight_class = weight_class + 1",
        "label = '\\x00000000000000000000000000000000'",
        "serial = serial + 1",
        "key_version = key_version + 1",
        "issued_by = issued_by + 1",
        "item = gen_random_uuid()",
    ],
)
def test_a_turned_row_is_found(announce, turned):
    number, item = announce()
    issue(number, item)
    actions.void_label(item, by=CLERK, now=timezone.now())
    assert differing() == []
    with transaction.atomic():
        with connections["default"].cursor() as cur:
            cur.execute(f"UPDATE parcels_label SET {turned} WHERE item = %s", (item,))
        found = differing()
        transaction.set_rollback(True)
    assert set(found) == {"label"}


@pytest.mark.parametrize("deed", ["DELETE FROM parcels_label WHERE item = %s", "TRUNCATE parcels_label -- %s"])
def test_a_label_that_is_gone_is_found(announce, deed):
    number, item = announce()
    issue(number, item)
    with transaction.atomic():
        with connections["default"].cursor() as cur:
            cur.execute(deed, (item,))
        found = differing()
        transaction.set_rollback(True)
    assert set(found) == {"label"}


def differing() -> list[str]:
    findings = Noted()
    check_labels(findings)  # type: ignore[arg-type]
    return [one for one in findings.kinds if one]


class Noted:
    """What a check finds, all of it."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def note(self, what: str, *, differs: str, index: int | None = None, item: uuid.UUID | None = None) -> None:
        assert what
        self.kinds.append(differs)


# Pure -----------------------------------------------------------------------------------------------------------------


def test_every_part_is_bound():
    item = uuid.uuid4().bytes
    label = label_binding.Issued(1, bytes(16), "A", 3, 1, "")
    said = {
        label_binding.bound_to(each, one)
        for each, one in (
            (item, label),
            (uuid.uuid4().bytes, label),
            (item, label._replace(serial=2)),
            (item, label._replace(digest=b"x" * 16)),
            (item, label._replace(destination="B")),
            (item, label._replace(weight_class=4)),
        )
    }
    assert len(said) == 6
    assert {len(one) for one in said} == {16 + 16 + 2 + 16}


@pytest.mark.parametrize(
    ("seconds", "far"), [(0, True), (3_600, True), (6 * 3_600, False), (-60, True), (-6 * 3_600, False)]
)
def test_how_far_is_too_far(seconds, far):
    assert label_binding.too_far((-89.65, 39.78), (-149.9, 61.2), seconds) is far
    assert not label_binding.too_far((-89.65, 39.78), (-89.60, 39.80), seconds)


def test_every_finding_has_its_words_for_both():
    from parcelward.parcels.actions.label_scans import REASONS
    from parcelward.parcels.alert_words import in_words

    for wrong in Wrong:
        assert REASONS[wrong]
        assert in_words(Alert(kind="label_mismatch", details={"why": str(wrong)}))
