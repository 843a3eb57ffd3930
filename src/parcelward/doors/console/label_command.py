"""`parcelward label`: print a sample of a label; real ones come with the orders that they belong to."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the sample goes."""
    words = "where to write it; a name that ends in .zpl or .png gives that form, any other a PDF"
    parser.add_argument("--sample", metavar="OUT.pdf", type=Path, required=True, help=words)


def run(options: argparse.Namespace) -> int:
    """Draw and write; no database is asked."""
    from parcelward.base import config
    from parcelward.base.errors import Invalid
    from parcelward.privacy.sealing import sample
    from parcelward.shipping.labels import layout, pdf, png, wire, zpl

    settings = config.get()
    sealed = sample.sample_label(now=dt.datetime.now(dt.UTC))
    facts = wire.LabelFacts(
        operator=settings.operator[: wire.WORDS_MAX],
        service="Parcel",
        number=sealed.item,
        weight_g=sample.SAMPLE.weight_g,
        routing_code=sample.SAMPLE.routing_code,
        initials=sample.INITIALS,
        postcode_area=sample.POSTCODE_AREA,
        sealed=sealed.text,
        binding=sealed.label_code[:16],
        marked="SAMPLE - not for post" if settings.production else "SAMPLE - simulated",
    )
    forms = {".zpl": lambda: zpl.render(facts), ".png": lambda: png.render(facts)}
    made = forms.get(options.sample.suffix.lower(), lambda: pdf.render([facts], layout.INCH_4X6))()
    try:
        options.sample.write_bytes(made)
    except OSError as err:
        raise Invalid(f"The file cannot be written: {err.strerror}") from None
    print(f"{options.sample}: 4 x 6 inches, to be printed at its own size")
    return 0
