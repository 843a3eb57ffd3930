"""Lists of orders: rows a second read, kept sealed, looked at, and placed as orders with their labels.

All of it in this process, one thread, on the installation's own databases: what the web process does when a file comes,
and then what one worker does. Placed rows are paid, numbered, labelled and recorded like every order.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import io
import os
import pstats
import random
import time
import uuid
from collections.abc import Callable
from typing import Any

from benchmarks.installation import SEED, report, running

HEADER = (
    "Order no",
    "Name",
    "Address 1",
    "City",
    "State",
    "ZIP",
    "Country",
    "E-mail",
    "Weight (g)",
    "Size",
    "Contents",
)
STREETS = ("Harrogate Street", "Market Square", "Mill Lane", "Zanzibar Mews")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="uploads")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--seconds", type=float, default=0, help="not used: a list is placed to its end")
    options = parser.parse_args()
    with running() as installation:
        os.environ |= {"PARCELWARD_HOME": str(installation.home), "DJANGO_SETTINGS_MODULE": "parcelward.doors.settings"}
        import django

        django.setup()
        report("uploads", measured(options.rows, profile=options.profile))


def file_of(rows: int) -> bytes:
    """Return a CSV file of good rows."""
    chance = random.Random(SEED)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for nth in range(rows):
        name = f"Canary {chance.choice('ABCDEFGH')}. Quillfeather"
        street = f"{chance.randrange(1, 900)} {chance.choice(STREETS)}"
        size = f"{chance.randrange(20, 40)}x20x10 cm"
        where = street, "Springfield", "IL", "62701", "US"
        writer.writerow(
            [f"B-{nth}", name, *where, f"c{nth}@mail.example", chance.randrange(300, 1900), size, "Two cotton T-shirts"]
        )
    return out.getvalue().encode()


def shopkeeper(rows: int) -> Any:
    """Return a key that may spend, of a sender with enough in its balance."""
    import datetime as dt

    from tests.shipping import shop

    from parcelward.people import actions as people
    from parcelward.people.queries import key_holder
    from parcelward.people.wire import OrganisationKind, Role

    shop.open_shop()
    house = people.installer()
    organisation = people.make_organisation(OrganisationKind.SENDER, "Bench shop", by=house)
    shop.give(organisation, rows * 5_000)
    made = people.new_key("bench", Role.SENDER_ADMIN, by=house, mode="test", organisation=organisation)
    by = key_holder(made.token)
    caps = {"cap_payment_minor": 10**9, "cap_day_minor": 10**12, "cap_month_minor": None}
    people.grant_spending(by.id, currency="USD", lifetime=dt.timedelta(days=1), by=house, **caps)  # type: ignore[arg-type]
    return by


def measured(rows: int, *, profile: bool) -> list[tuple[str, float, str]]:
    """Return rows a second, step by step, and the whole."""
    from parcelward.base.standards.addresses.address import Address
    from parcelward.shipping import actions, uploading
    from parcelward.shipping.models import Upload, UploadRow
    from parcelward.shipping.uploads import columns, reading
    from parcelward.shipping.uploads.wire import State
    from parcelward.shipping.wire import Party

    by, body, upload = shopkeeper(rows), file_of(rows), uuid.uuid4()
    sender = Party(Address("US", "", "Marrow & Pith", ("5 Market Square",), "", "Springfield", "IL", "62703"))
    times: dict[str, float] = {}
    table = timed(times, "read", lambda: reading.read(body))
    timed(times, "read and kept sealed", lambda: actions.take_file(upload, body, by=by))
    said = columns.suggested(table.header, table.rows)

    def look() -> None:
        actions.map_columns(upload, said, {"product": "parcel"}, sender=sender, by=by)
        while Upload.objects.get(pk=upload).state == State.CHECKING:
            uploading.check_some(upload, uploading.CHECKED_AT_ONCE)

    def place() -> None:
        while Upload.objects.get(pk=upload).state == State.PLACING:
            uploading.place_some(upload)

    timed(times, "looked at", look)
    Upload.objects.filter(pk=upload).update(state=State.PLACING, source=by.source, try_at=None)
    timed(times, "placed", place, profile=profile)
    placed = UploadRow.objects.filter(upload=upload, state="placed").count()
    assert placed == rows, f"{placed} of {rows} rows were placed: {Upload.objects.get(pk=upload).reason}"
    found = [(f"rows {name}", rows / took, "rows/s") for name, took in times.items()]
    whole = sum(took for name, took in times.items() if name != "read")
    return [*found, (f"{rows} rows, all of it", whole, "s"), ("of that CPU of this process", time.process_time(), "s")]


def timed(times: dict[str, float], name: str, work: Callable[[], Any], *, profile: bool = False) -> Any:
    """Do some work and note how long it took; with `profile`, print where."""
    watch = cProfile.Profile()
    began = time.perf_counter()
    if profile:
        watch.enable()
    found = work()
    if profile:
        watch.disable()
        pstats.Stats(watch).sort_stats("cumulative").print_stats(60)
    times[name] = time.perf_counter() - began
    return found


if __name__ == "__main__":
    main()
