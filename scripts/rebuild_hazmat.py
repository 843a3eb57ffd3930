"""Rebuild src/parcelward/parcels/hazmat/table.json from the hazardous materials table of 49 CFR 172.101 as JSON.

    scripts/rebuild_hazmat.py FOLDER --date 2026-06-01 --from-commit c733ac6

FOLDER holds `hmt_DATE.json`: the rows as objects, converted from the eCFR of that date by the project
andretaki/hazmat-cfr-mcp. A regulation of the United States is in the public domain (17 USC 105); the rows are
re-expressed here, one a line, in the columns that the table's head names. What this script does not know it refuses,
so that nothing is dropped unnoticed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NoReturn

TARGET = Path(__file__).parents[1] / "src" / "parcelward" / "parcels" / "hazmat" / "table.json"
COLUMNS = (  # ours, and where the source has it
    ("id", "idNumber"),
    ("name", "properShippingName"),
    ("hazard_class", "hazardClass"),
    ("packing_group", "packingGroup"),
    ("symbols", "symbols"),
    ("subsidiary", "subsidiaryRisks"),
    ("labels", "labels"),
    ("special_provisions", "specialProvisions"),
    ("exceptions", "packaging.exceptions"),
    ("non_bulk", "packaging.nonBulk"),
    ("bulk", "packaging.bulk"),
    ("passenger", "quantityLimitations.passengerAircraftRail"),
    ("cargo", "quantityLimitations.cargoAircraftOnly"),
    ("stowage", "vesselStowage.location"),
    ("stowage_other", "vesselStowage.other"),
)
KNOWN = {path for _, path in COLUMNS} | {"forbidden"}


def refuse(where: object, what: str) -> NoReturn:
    """Stop: the source has something that this script does not know."""
    sys.exit(f"{where}: {what}")


def flat(source: dict[str, Any]) -> dict[str, str]:
    """Return the row's values by their path; a list as words with spaces between."""
    found: dict[str, str] = {}
    for key, value in source.items():
        inner = {f"{key}.{name}": one for name, one in value.items()} if isinstance(value, dict) else {key: value}
        for path, one in inner.items():
            if path not in KNOWN:
                refuse(source.get("properShippingName"), f"{path} is not known to this script")
            if isinstance(one, list):
                if any(" " in word for word in one):
                    refuse(source.get("properShippingName"), f"{path} has a word with a space: {one}")
                found[path] = " ".join(one)
            elif path != "forbidden":
                found[path] = one or ""
    if source["forbidden"] != (found["hazardClass"] == "Forbidden"):
        refuse(source["properShippingName"], "forbidden by one column and not by the other")
    return found


def main() -> None:
    """Read the rows and write the table, one a line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--date", required=True, help="of the eCFR that the rows were taken from")
    arguments.add_argument("--from-commit", required=True, help="of the conversion")
    arguments.add_argument("--to", type=Path, default=TARGET)
    given = arguments.parse_args()
    source = json.loads((given.folder / f"hmt_{given.date}.json").read_text(encoding="utf-8"))
    lines = []
    for row in source:
        values = flat(row)
        line = [values.get(path, "") for _, path in COLUMNS]
        while line and not line[-1]:  # what a row does not have at its end is not written
            line.pop()
        lines.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    head = {
        "source": "49 CFR 172.101, Hazardous Materials Table (https://www.ecfr.gov/current/title-49/section-172.101)",
        "date": given.date,
        "conversion": "https://github.com/andretaki/hazmat-cfr-mcp",
        "commit": given.from_commit,
        "licence": "public domain (17 USC 105): a regulation of the United States",
        "rows_total": len(lines),
        "columns": [name for name, _ in COLUMNS],
    }
    origin = json.dumps(head, ensure_ascii=False)
    given.to.write_text(f'{origin[:-1]},\n"rows": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
    json.loads(given.to.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
