"""`parcelward import`: files become journeys, bad rows stand alone, and a second run changes nothing."""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from tests import shared_data
from tests.epcis_partner import document, event, item
from tests.quarantined import as_sent
from tests.scanner import new_number

from parcelward.doors.imports import mapping
from parcelward.doors.imports.mapping import BadMapping, own_number, read_mapping

MAPPINGS = Path(__file__).resolve().parents[2] / "docs" / "operating" / "mappings"
LONG_AGO = dt.datetime(2019, 5, 4, 10, 30, tzinfo=dt.UTC)

MAPPING = """
label = "test"
[number]
columns = ["parcel"]
[time]
zone = "America/Chicago"
format = "%d.%m.%Y %H:%M"
[facilities]
country = "US"
time_zone = "America/Chicago"
[[events]]
step = { column = "what", map = { IN = "accepted", OUT = "delivered" } }
time = "when"
facility = { column = "place", prefix = "IMP-" }
name = { column = "place", prefix = "Place " }
weight_g = { column = "grams" }
"""


def run(*words: Any, code: int = 0) -> tuple[dict[str, Any], str]:
    """Run the command as people do; return its JSON report and what it printed."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable,
            "-m",
            "parcelward.doors.console",
            "import",
            *map(str, words),
            "--report",
            str(report),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return (json.loads(report.read_text()) if report.exists() else {}), done.stdout + done.stderr


def journey(number: str) -> Any:
    from parcelward.network import queries as network
    from parcelward.parcels import queries

    network.forget()  # the command described places in another process
    found = queries.find(number)
    assert found is not None, number
    return queries.journey(found)


def steps(number: str) -> list[tuple[str, str]]:
    return [(line.step.word, line.place.code if line.place else "") for line in journey(number).timeline[::-1]]


@pytest.fixture
def mapped(tmp_path: Path) -> Path:
    (tmp_path / "map.toml").write_text(MAPPING)
    return tmp_path / "map.toml"


def rows(path: Path, *lines: tuple[str, ...]) -> Path:
    with path.open("w", newline="") as out:
        csv.writer(out).writerows([("parcel", "what", "when", "place", "grams", "customer"), *lines])
    return path


def test_a_csv_with_a_mapping_becomes_journeys_and_again_changes_nothing(installation, mapped, tmp_path):
    parcel, place = uuid.uuid4().hex, uuid.uuid4().hex[:8].upper()
    path = rows(
        tmp_path / "a.csv",
        (parcel, "OUT", "05.05.2019 12:00", place, "", "Mrs Nobody"),
        (parcel, "IN", "04.05.2019 10:30", place, "750", "Mrs Nobody"),
    )
    report, words = run(path, "--mapping", mapped)
    assert (report["rows"], report["imported"], report["duplicates"], report["quarantined"]) == (2, 2, 0, {})
    assert report["facilities_described"] == 1
    assert "imported     2" in words
    number = own_number(parcel.encode())
    assert steps(number) == [("accepted", f"IMP-{place}"), ("delivered", f"IMP-{place}")]
    assert journey(number).timeline[-1].event_time == dt.datetime(2019, 5, 4, 15, 30, tzinfo=dt.UTC), "Chicago's time"
    assert number.startswith("PW9"), "imported things are known by their number"
    path.rename(tmp_path / "renamed.csv")
    again, _ = run(tmp_path / "renamed.csv", "--mapping", mapped)
    assert (again["imported"], again["duplicates"], again["facilities_described"]) == (0, 2, 0)
    assert journey(number).events_total == 2


def test_imported_events_say_that_they_are_imported(installation, mapped, tmp_path):
    from parcelward.custody.queries import item_keys
    from parcelward.custody.wire import open_body
    from parcelward.parcels import queries
    from parcelward.parcels.models import ScanEvent

    parcel = uuid.uuid4().hex
    run(rows(tmp_path / "a.csv", (parcel, "IN", "04.05.2019 10:30", "X1", "", "")), "--mapping", mapped)
    found = queries.find(own_number(parcel.encode()))
    assert found is not None
    row = ScanEvent.objects.get(item=found)
    operations = open_body(item_keys([found])[found], row.event_id.bytes, bytes(row.body)).groups["operations"]
    assert json.loads(operations)["details"]["note_code"] == "imported:test"
    assert journey(own_number(parcel.encode())).simulated is False


def test_each_bad_row_is_named_with_its_line_and_the_others_are_imported(installation, mapped, tmp_path):
    from parcelward.parcels.models import Quarantine

    good, mark = uuid.uuid4().hex, uuid.uuid4().hex
    path = rows(
        tmp_path / "bad.csv",
        (good, "IN", "04.05.2019 10:30", "X1", "", "secret person"),
        (f"{mark}t", "IN", "4 May", "X1", "", "secret person"),
        (f"{mark}f", "IN", "04.05.2019 10:30", "", "", "secret person"),
        (f"{mark}w", "IN", "04.05.2019 10:30", "X1", "heavy", "secret person"),
        (f"{mark}g", "IN", "04.05.2019 10:30", "X1", "99999999", "secret person"),
        ("", "IN", "04.05.2019 10:30", "X1", "", "secret person"),
        (f"{mark}c", "IN", "04.05.2019 10:30", "x?!", "", "secret person"),
        ("too", "few"),
        (f"{mark}n", "IN", "", "X1", "", "secret person"),
        (f"{mark}l", "IN", "04.05.2999 10:30", "X1", "", "secret person"),
        (f"{mark}y", "IN", "31.12.9999 23:30", "X1", "", "secret person"),  # in UTC it would be the year 10000
    )
    with path.open("ab") as out:
        out.write(b"\xff\xfe,IN,04.05.2019 10:30,X1,,\r\n")
    report, _ = run(path, "--mapping", mapped)
    assert report["imported"] == 1
    assert report["rows_without_event"] == 1
    assert {code: reason["lines"] for code, reason in report["quarantined"].items()} == {
        "bad_time": ["bad.csv:3", "bad.csv:12"],
        "no_facility": ["bad.csv:4"],
        "bad_number": ["bad.csv:5"],
        "bad_event": ["bad.csv:6"],
        "no_number": ["bad.csv:7"],
        "unknown_facility": ["bad.csv:8"],
        "clock_ahead": ["bad.csv:11"],
        "not_utf8": ["bad.csv:13"],
    }
    assert {code: reason["lines"] for code, reason in report["refused"].items()} == {"bad_row": ["bad.csv:9"]}
    assert steps(own_number(good.encode())) == [("accepted", "IMP-X1")]
    kept = [as_sent(row) for row in Quarantine.objects.filter(state="open")]
    assert any(mark.encode() in raw for raw in kept), "what is bad waits for a person"
    assert not any(b"secret person" in raw for raw in kept), "columns that nobody mapped are not kept"


def test_an_unknown_step_stays_unknown(installation, mapped, tmp_path):
    parcel = uuid.uuid4().hex
    run(rows(tmp_path / "a.csv", (parcel, "SIDEWAYS", "04.05.2019 10:30", "X1", "", "")), "--mapping", mapped)
    assert steps(own_number(parcel.encode())) == [("unknown", "IMP-X1")]


def test_ndjson_lines_are_scan_events_as_the_api_takes_them(installation, facilities, tmp_path):
    number, other = new_number(), new_number()
    said = {"event_time": LONG_AGO.isoformat(), "step": "accepted", "facility": "TEST-A"}
    lines = [
        {**said, "event_id": str(uuid.uuid4()), "item_id": number},
        {**said, "item_id": other},
        {**said, "item_id": other, "mood": "good"},
        {**said, "item_id": "RR1"},
    ]
    path = tmp_path / "scans.ndjson"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\nnot json\n" + "[" * 100_000)
    report, _ = run(path)
    assert report["imported"] == 2
    assert {code: reason["lines"] for code, reason in report["quarantined"].items()} == {
        "bad_event": ["scans.ndjson:3"],
        "bad_item_number": ["scans.ndjson:4"],
        "not_json": ["scans.ndjson:6", "scans.ndjson:7"],
    }
    assert steps(other) == [("accepted", "TEST-A")]
    again, _ = run(path)
    assert (again["imported"], again["duplicates"]) == (0, 2)


def test_csv_and_parquet_with_plain_columns_need_no_mapping(installation, facilities, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, second = new_number(), new_number()
    with (tmp_path / "plain.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["event_time", "item_id", "step", "facility", "weight_g", "seal"])
        writer.writerow([LONG_AGO.isoformat(), first, "accepted", "TEST-A", "120", ""])
        writer.writerow(
            [
                (LONG_AGO + dt.timedelta(minutes=1)).isoformat(),
                first,
                "sealed",
                "TEST-A",
                "",
                '{"number": "S1", "did": "applied"}',
            ]
        )
    table = {"event_time": [LONG_AGO], "item_id": [second], "step": ["accepted"], "facility": ["TEST-B"]}
    pq.write_table(pa.table(table), tmp_path / "plain.parquet")
    report, _ = run(tmp_path / "plain.csv", tmp_path / "plain.parquet")
    assert (report["imported"], report["quarantined"]) == (3, {})
    assert steps(first) == [("accepted", "TEST-A"), ("sealed", "TEST-A")]
    assert steps(second) == [("accepted", "TEST-B")]


def test_a_column_that_the_mapping_names_and_the_file_has_not_is_said_at_once(installation, mapped, tmp_path):
    """Read as empty it would mean that nothing has happened yet, and every row would be passed over in silence."""
    path = rows(tmp_path / "a.csv", (uuid.uuid4().hex, "IN", "04.05.2019 10:30", "X1", "", ""))
    path.write_text(path.read_text().replace("when", "wen", 1))
    _, said = run(path, "--mapping", mapped, code=1)
    assert "no column when" in said


def test_the_numbers_that_were_made_are_written_down(installation, mapped, tmp_path):
    one, two = uuid.uuid4().hex, uuid.uuid4().hex
    path = rows(
        tmp_path / "a.csv",
        *((parcel, "IN", "04.05.2019 10:30", "X1", "", "") for parcel in (one, two, one)),
    )
    report, said = run(path, "--mapping", mapped, "--numbers", tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(newline="") as source:
        assert list(csv.reader(source)) == [
            ["parcel", "number"],
            [one, own_number(one.encode())],
            [two, own_number(two.encode())],
        ]
    assert report["follow"] == [own_number(one.encode()), own_number(two.encode())]
    assert f"/track/{own_number(one.encode())}" in said


def test_an_epcis_file_larger_than_one_message_may_be_is_read_in_parts(installation, facilities, tmp_path):
    from parcelward.base.standards.epcis import limits

    number = new_number()
    many = [event(item(number), minutes=n / 100) for n in range(limits.EVENTS_MAX + 1)]
    bad = limits.EVENTS_MAX - 10
    many[bad]["bizStep"] = "dancing"
    (tmp_path / "a.json").write_text(json.dumps(document(*many)))
    report, _ = run(tmp_path / "a.json")
    assert (report["rows"], report["imported"]) == (len(many), len(many) - 1)
    assert report["refused"]["unknown_business_step"]["lines"] == [f"a.json:/epcisBody/eventList/{bad}/bizStep"]
    again, _ = run(tmp_path / "a.json")
    assert (again["imported"], again["duplicates"]) == (0, len(many) - 1)


def test_only_who_may_import_records_what_a_file_says(installation):
    from django.utils import timezone

    from parcelward.parcels import actions
    from parcelward.parcels.wire import Submission
    from parcelward.people.errors import MayNot
    from parcelward.people.wire import Person, Role

    stranger = Person(uuid.uuid4(), Role.PARTNER, 1, "stranger")
    with pytest.raises(MayNot):
        actions.import_scans(Submission(stranger, 0, b"", [], []), now=timezone.now())


def test_columns_that_nobody_explained_are_refused(installation, tmp_path):
    (tmp_path / "a.csv").write_text("order,when\n1,2019-05-04\n")
    report, _ = run(tmp_path / "a.csv", code=1)
    assert report["quarantined"]["unknown_column"]["count"] == 1


def test_an_epcis_document_is_imported_with_its_bad_event_named(installation, facilities, tmp_path):
    number = new_number()
    (tmp_path / "a.json").write_text(json.dumps(document(event(item(number)), event(item(number), bizStep="dancing"))))
    report, _ = run(tmp_path / "a.json")
    assert report["imported"] == 1
    assert report["refused"]["unknown_business_step"]["lines"] == ["a.json:/epcisBody/eventList/1/bizStep"]
    assert steps(number) == [("accepted", "TEST-A")]
    again, _ = run(tmp_path / "a.json")
    assert (again["imported"], again["duplicates"]) == (0, 1)


@pytest.mark.asvs("5.2.2")
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"", "a file's name ends in"),
        ("a.json", b"{", "not JSON"),
        ("a.parquet", b"PAR1", "not a Parquet file"),
        ("a.csv", b"a,a\n1,2\n", "names each column once"),
        ("a.csv", b"x" * 1_000_001, "longer than"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(installation, tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    _, said = run(tmp_path / name, code=1)
    assert words in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[number]", "[numbers]"), "numbers"),
        (('zone = "America/Chicago"\nformat', 'zone = "Mars/Base"\nformat'), "IANA"),
        (('columns = ["parcel"]', "columns = []"), "number.columns"),
        (('label = "test"', ""), "label"),
        (("[[events]]", "[[events"), "cannot be read"),
    ],
)
def test_a_bad_mapping_says_what_to_write(change, words):
    with pytest.raises(BadMapping, match=words):
        read_mapping(MAPPING.replace(*change).encode())


def test_two_rows_whose_numbers_fall_together_are_not_mixed(installation, mapped, tmp_path, monkeypatch):
    """One chance in 100 thousand million a pair: made certain here, since two parcels must never become one."""
    from django.utils import timezone

    from parcelward.doors.imports.run import Importer
    from parcelward.people import actions

    one, two = uuid.uuid4().hex, uuid.uuid4().hex
    same = own_number(one.encode())
    monkeypatch.setattr(mapping, "own_number", lambda key: same)
    when = timezone.now().strftime("01.%m.2019 10:00")
    path = rows(tmp_path / "a.csv", (one, "IN", when, "X1", "", ""), (two, "OUT", when, "X1", "", ""))
    importer = Importer(read_mapping(mapped.read_bytes()), by=actions.installer())
    importer.read(path, "csv", lambda _: None)
    assert importer.report.as_json()["refused"]["number_taken"]["lines"] == ["a.csv:3"]
    assert steps(same) == [("accepted", "IMP-X1")]


# Public data sets, where they lie beside the checkout: their columns as explained in docs/operating/mappings.


@pytest.mark.shared
def test_olist_orders_become_journeys(installation, tmp_path):
    import pyarrow.parquet as pq

    table = pq.read_table(shared_data.path("ecommerce_delivery/olist_17k_joined.parquet")).slice(0, 1_500)
    pq.write_table(table, tmp_path / "orders.parquet")
    report, _ = run(tmp_path / "orders.parquet", "--mapping", MAPPINGS / "olist-orders.toml")
    orders = table.to_pylist()
    handed = [o for o in orders if o["order_delivered_carrier_date"] and o["seller_state"]]
    arrived = [o for o in orders if o["order_delivered_customer_date"] and o["order_status"] == "delivered"]
    assert report["imported"] == len(handed) + len(arrived)
    assert set(report["quarantined"]) <= {"no_facility"}
    for order in [o for o in handed if o["order_delivered_customer_date"]][:25]:
        number = own_number(order["order_id"].encode())
        assert sorted(steps(number)) == [
            ("accepted", f"BR-{order['seller_state']}"),
            ("delivered", f"BR-{order['customer_state']}"),
        ]
        assert journey(number).timeline[0].place.time_zone.startswith("America/")
    again, _ = run(tmp_path / "orders.parquet", "--mapping", MAPPINGS / "olist-orders.toml")
    assert (again["imported"], again["duplicates"]) == (0, report["imported"])


@pytest.mark.shared
def test_delhivery_trips_become_journeys(installation, tmp_path):
    source = shared_data.path("ecommerce_delivery/delhivery_5k/delh5k.csv")
    lines = source.read_text().splitlines()
    trip = "trip-153697306859659905"  # four segments, there and back
    chosen = [lines[0], *lines[1:150], *(line for line in lines[150:] if trip in line)]
    (tmp_path / "trips.csv").write_text("\n".join(chosen) + "\n")
    report, _ = run(tmp_path / "trips.csv", "--mapping", MAPPINGS / "delhivery-segments.toml")
    wanted = set()
    for row in csv.DictReader(chosen):
        wanted.add((row["trip_uuid"], "left", row["source_center"], row["od_start_time"]))
        wanted.add((row["trip_uuid"], "came", row["destination_center"], row["od_end_time"]))
    assert (report["imported"], report["quarantined"]) == (len(wanted), {})
    assert report["duplicates"] == 2 * (len(chosen) - 1) - len(wanted)
    found = journey(own_number(trip.encode()))
    visited = [line.place.code for line in found.timeline[::-1]]
    assert (visited[0], visited[-1]) == ("IND501359AAE", "IND501359AAE")
    assert set(visited) == {"IND501359AAE", "IND533106AAA", "IND530012AAA"}
    assert len(visited) == 8
