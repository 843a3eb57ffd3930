"""`parcelward import`: EPCIS 2.0 JSON, NDJSON, CSV and Parquet files into journeys. Running it again is harmless."""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
from pathlib import Path

import django
from tqdm import tqdm

from parcelward.base.config import BadSetting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add files, the mapping and where the report goes."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="by its name: .json .jsonld .ndjson .csv .parquet"
    )
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE", help="TOML: what the columns mean (docs/operating/mappings)"
    )
    parser.add_argument(
        "--numbers", type=Path, metavar="FILE", help="write a CSV of the numbers that were made, and of what"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON, too")


def run(options: argparse.Namespace) -> int:
    """Import each file; 1 when nothing at all could be imported."""
    django.setup()
    from django.db.utils import OperationalError

    from parcelward.doors.imports import files
    from parcelward.doors.imports.mapping import BadMapping, read_mapping
    from parcelward.doors.imports.run import Importer, Named
    from parcelward.people import actions

    if options.mapping is not None and not options.mapping.is_file():
        raise BadMapping(f"{options.mapping}: no such file")
    columns = None if options.mapping is None else read_mapping(options.mapping.read_bytes())
    kinds = [(path, files.kind_of(path)) for path in options.files]
    try:
        with contextlib.ExitStack() as open_files:
            named: Named = lambda _key, _number: None  # noqa: E731 -- nobody asked
            if options.numbers is not None and columns is not None:
                out = csv.writer(open_files.enter_context(options.numbers.open("w", encoding="utf-8", newline="")))
                out.writerow([*columns.mapping.number.columns, "number"])
                named = lambda key, number: out.writerow([*key, number])  # noqa: E731 -- one line of the file
            importer = Importer(columns, by=actions.installer(), named=named)
            for path, kind in kinds:
                total, unit = files.size_of(path, kind)
                with tqdm(total=total, unit=unit, unit_scale=True, desc=path.name, disable=None) as bar:
                    importer.read(path, kind, bar.update)
    except OperationalError:
        raise BadSetting("the database does not answer; start it with `parcelward up` and try again") from None
    for line in importer.report.as_lines():
        print(line)
    if options.report is not None:
        options.report.write_text(json.dumps(importer.report.as_json(), indent=2) + "\n", encoding="utf-8")
    return 0 if importer.report.imported or importer.report.duplicates or not importer.report.reasons else 1
