"""Labels a second as ZPL, PDF and PNG; and what it costs a scan that its label is compared with the one issued.

Drawing is measured in this process alone, beside the QR code of the `qrcode` library. Scans are recorded in this
process, in batches of 500 of as many items that have labels, in turns with and without their label codes; CPU is that
of the recording thread and of its database process.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import hashlib
import os
import random
import statistics
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.installation import SEED, Installation, report, running

BATCH = 500
WARM = 6
TURNS = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="labels")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--drawing-only", action="store_true")
    options = parser.parse_args()
    rows = drawing(options.seconds)
    if not options.drawing_only:
        with running() as installation:
            os.environ |= {
                "PARCELWARD_HOME": str(installation.home),
                "DJANGO_SETTINGS_MODULE": "parcelward.doors.settings",
            }
            import django

            django.setup()
            rows += scans(installation)
    report("labels", rows)


def drawing(seconds: float) -> list[tuple[str, float, str]]:
    """Return labels a second of this thread's CPU, form by form."""
    from qrcode.main import QRCode
    from qrcode.util import MODE_ALPHA_NUM, QRData

    from parcelward.shipping.labels import layout, pdf, png, qr, wire, zpl

    chance = random.Random(SEED)
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

    def facts() -> wire.LabelFacts:
        return wire.LabelFacts(
            operator="Example Post",
            service="Parcel 24, signed for",
            number="RA473012345GB",
            weight_g=1250,
            routing_code="LS1-4471",
            initials="A. S.",
            postcode_area="LS1",
            sealed="".join(chance.choices(letters, k=471)),
            binding=f"{chance.getrandbits(64):016X}",
            sscc="106141412345678908",
            return_lines=wire.return_lines("Acme Ltd", "1 Road", "Leeds", postcode="LS1 1AA", country="GB"),
        )

    def library() -> object:
        code = QRCode(version=13, error_correction=0, border=0)
        code.add_data(QRData("".join(chance.choices(letters, k=471)).encode(), mode=MODE_ALPHA_NUM), optimize=0)
        code.make(fit=False)
        return code

    works: dict[str, Callable[[], object]] = {
        "ZPL, facts checked": lambda: zpl.render(facts()),
        "PDF, 4 by 6 inches": lambda: pdf.render([facts()], layout.INCH_4X6),
        "PDF, A4 of 4, each label": lambda: pdf.render([facts() for _ in range(4)], layout.A4_OF_4),
        "PNG": lambda: png.render(facts()),
        "QR code": lambda: qr.rows(facts().sealed),
        "QR code of the qrcode library": library,
    }
    rows = []
    for name, work in works.items():
        each = 4 if "of 4" in name else 1
        work()
        done, began, until = 0, time.thread_time(), time.monotonic() + seconds
        while time.monotonic() < until:
            work()
            done += each
        rows.append((name, done / (time.thread_time() - began), "1/s of CPU"))
    rows.append(("bytes of ZPL", float(len(zpl.render(facts()))), "B"))
    return rows


def scans(installation: Installation) -> list[tuple[str, float, str]]:
    """Return what a label costs when it is issued, and when it is scanned."""
    from benchmarks.installation import sample_world

    from parcelward.base.standards import s10
    from parcelward.parcels import actions
    from parcelward.parcels.actions import label_scans
    from parcelward.parcels.models import ItemAlias
    from parcelward.parcels.wire import LabelWanted
    from parcelward.people.actions import machinery, make_key
    from parcelward.people.queries import key_holder
    from parcelward.people.wire import Role
    from parcelward.privacy.sealing import actions as sealing
    from parcelward.privacy.sealing import queries, wire
    from parcelward.privacy.sealing.sample import SAMPLE

    world, now = sample_world(), dt.datetime.now(dt.UTC)
    installation.know(world)
    admin = key_holder(installation.api_key)
    place = next(iter(world.offices)).code
    numbers = [str(s10.make("RA", SEED + n, "GB")) for n in range(BATCH)]
    actions.accept_manifest("labels", facility=place, event_time=now, numbers=numbers, by=admin, now=now)
    items = dict(ItemAlias.objects.filter(number__in=numbers).values_list("number", "item"))
    sealing.make_station_keys([SAMPLE.hub, SAMPLE.office], [queries.epoch_of(now)], by=machinery(), now=now)
    from dataclasses import replace

    began = time.thread_time()
    sealed = sealing.seal_labels([replace(SAMPLE, item=number) for number in numbers], by=admin, now=now)
    sealing_s = time.thread_time() - began
    wanted = [LabelWanted(items[one.item], one.raw, SAMPLE.office, 900) for one in sealed]
    began = time.thread_time()
    issued = actions.issue_labels_within(wanted, by=admin, now=now)
    issuing_s = time.thread_time() - began
    codes = {one.item: wire.label_code(one.raw) for one in issued}
    by = key_holder(make_key("labels", Role.PARTNER, by=admin, mode="test"))

    def batch(nth: int, *, labelled: bool) -> list[dict[str, Any]]:
        when = (now - dt.timedelta(hours=2) + dt.timedelta(seconds=nth)).isoformat()
        return [
            {"event_id": str(uuid.uuid4()), "event_time": when, "step": "left_sorting", "facility": place,
             "item_id": number, **({"label_code": codes[items[number]]} if labelled else {})}
            for number in numbers
        ]  # fmt: skip

    figures: dict[str, list[float]] = {"no code": [], "not compared": [], "compared": []}
    for nth in range(WARM + 3 * TURNS):
        turn = tuple(figures)[nth % 3]
        with contextlib.nullcontext() if turn == "compared" else mock.patch.object(label_scans, "note"):
            spent = recorded(batch(nth, labelled=turn != "no code"), by, now)
        if nth >= WARM:
            figures[turn].append(spent)
    plain, carried, compared = (statistics.median(each) for each in figures.values())
    return [
        ("seal a label", sealing_s / BATCH * 1e6, "us of CPU"),
        ("issue a label", issuing_s / BATCH * 1e6, "us of CPU"),
        ("record a scan of a labelled item, no code", plain, "us of CPU"),
        ("record the same with its label code, not compared", carried, "us of CPU"),
        ("record the same, compared", compared, "us of CPU"),
        ("what the comparison costs", compared - carried, "us of CPU"),
    ]


def recorded(events: list[dict[str, Any]], by: Any, now: dt.datetime) -> float:
    """Record a batch; return the CPU of an event in microseconds, on both ends of the connection."""
    import msgspec

    from parcelward.parcels import actions
    from parcelward.parcels.wire import ScanIn, Submission

    digest = hashlib.sha256(uuid.uuid4().bytes).digest()
    one = Submission(by, 0, digest, [(n, msgspec.convert(event, ScanIn)) for n, event in enumerate(events)], [])
    server, began = server_s(), time.thread_time()
    (answer,) = actions.record_scans([one], now=now)
    spent = time.thread_time() - began + server_s() - server
    body = msgspec.json.decode(answer.body)  # type: ignore[union-attr]
    if body["accepted"] != len(events) or body["instructions"]:
        raise SystemExit(f"not every scan was believed: {body}")
    return spent / len(events) * 1e6


def server_s() -> float:
    """Return the CPU seconds of this connection's database process."""
    from parcelward.base import db

    return int(Path(f"/proc/{db.raw().info.backend_pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    main()
