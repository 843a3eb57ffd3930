"""Rebuild src/parcelward/base/standards/addresses.json from a checkout of google/libaddressinput (Apache-2.0).

    scripts/rebuild_addresses.py FOLDER --commit e20690c --date 2025-06-12

Of each country its name, the order of an address's parts in Latin letters and in its own, and which are in capitals.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "parcelward" / "base" / "standards" / "addresses.json"
SOURCE = "https://github.com/google/libaddressinput"
COUNTRY = re.compile(r"data/([A-Z]{2})=(\{.*\})")
NOWHERE = "ZZ"  # what the source holds of countries that it does not know


def main() -> None:
    """Read the countries and write the table, one a line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--commit", required=True)
    arguments.add_argument("--date", required=True)
    arguments.add_argument("--to", type=Path, default=TARGET)
    given = arguments.parse_args()
    lines = []
    for line in (given.folder / "testdata" / "countryinfo.txt").read_text(encoding="utf-8").splitlines():
        found = COUNTRY.fullmatch(line.strip())
        if found is None or found[1] == NOWHERE:
            continue
        source = json.loads(found[2])
        row = {"name": source["name"]} | {
            ours: source[theirs]
            for ours, theirs in (("latin", "lfmt"), ("lines", "fmt"), ("capitals", "upper"))
            if theirs in source
        }
        lines.append(f"  {json.dumps(found[1])}: {json.dumps(row, ensure_ascii=False)}")
    licence = "Apache-2.0, see postcodes.LICENSE.txt"
    origin = json.dumps({"source": SOURCE, "commit": given.commit, "date": given.date, "licence": licence})
    text = f'{origin[:-1]},\n"countries": {{\n' + ",\n".join(sorted(lines)) + "\n}}\n"
    given.to.write_text(text, encoding="utf-8")
    json.loads(given.to.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
