"""`parcelward label`: print a sample of a sealed label; real ones come with the orders that they belong to."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the sample goes."""
    parser.add_argument("--sample", metavar="OUT.pdf", type=Path, required=True, help="where to write the PDF")


def run(options: argparse.Namespace) -> int:
    """Draw and write; no database is asked."""
    from parcelward.base import config
    from parcelward.base.errors import Invalid
    from parcelward.doors.printing import label
    from parcelward.privacy.sealing import sample

    settings = config.get()
    sealed = sample.sample_label(now=dt.datetime.now(dt.UTC))
    said = label.Printed(
        operator=settings.operator,
        item=sealed.item,
        routing_code=sample.SAMPLE.routing_code,
        initials=sample.INITIALS,
        postcode_area=sample.POSTCODE_AREA,
        marked="SAMPLE - not for post" if settings.production else "SAMPLE - simulated",
    )
    try:
        options.sample.write_bytes(label.pdf(label.drawing(said, sealed.text), title="Sample label"))
    except OSError as err:
        raise Invalid(f"The file cannot be written: {err.strerror}") from None
    print(f"{options.sample}: 100 x 150 mm, to be printed at its own size")
    return 0
