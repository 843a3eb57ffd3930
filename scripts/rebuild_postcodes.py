"""Rebuild src/parcelward/base/standards/postcodes.json from a checkout of google/libaddressinput (Apache-2.0).

    scripts/rebuild_postcodes.py FOLDER --commit e20690c --date 2025-06-12

Postcodes are compared without spaces and hyphens, so the patterns lose theirs; the first example that fits is
kept. A country without a pattern has no postcodes, or none whose form the source knows.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "parcelward" / "base" / "standards" / "postcodes.json"
SOURCE = "https://github.com/google/libaddressinput"
COUNTRY = re.compile(r"data/([A-Z]{2})=(\{.*\})")
NEWER = {
    "IE": {"pattern": r"(?:[AC-FHKNPRTV-Y]\d\d|D6W)[\dAC-FHKNPRTV-Y]{4}", "example": "A65 F4E2"},  # Eircode, 2015
    "KH": {"pattern": r"\d{5,6}", "example": "120101"},
    "KR": {"pattern": r"\d{5}", "example": "03051"},  # 2015
    "LI": {"pattern": "948[5-9]|949[0-8]", "example": "9496"},
    "MU": {"pattern": r"(?:\d{5}|\d{3}[A-Z]{2}\d{3})?", "example": "42602"},
    "TW": {"pattern": r"\d{3}(?:\d{2,3})?", "example": "104"},  # six digits since 2020, the older ones stay good
    "TZ": {"pattern": r"\d{4,5}", "example": "34413"},
    "VN": {"pattern": r"\d{5,6}", "example": "70010"},  # five digits since 2018
}
"""Forms of postcodes that are younger than the source's."""

CHANGED = "forms that are younger than the source, see NEWER in scripts/rebuild_postcodes.py"
NOWHERE = "ZZ"  # what the source holds of countries that it does not know


def reshaped(pattern: str) -> str:
    """Return the pattern for text without spaces and hyphens; classes such as [1-7] keep theirs."""

    def kept(found: re.Match[str]) -> str:
        return "" if found[1] is None or set(found[1]) <= set(" -\\") else found[0]

    bare = re.sub(r"\[([^\]]*)\]\??|(?:\\-|[ -])\??", kept, pattern)
    return re.sub(r"\((?!\?)", "(?:", bare)


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
        row: dict[str, str] = {}
        if "zip" in source:
            row["pattern"] = reshaped(source["zip"])
            examples = [one for one in source.get("zipex", "").split(",") if one]
            fit = [one for one in examples if re.fullmatch(row["pattern"], re.sub(r"[ -]", "", one))]
            if examples and not fit:
                sys.exit(f"{found[1]}: no example fits {source['zip']}")
            row |= {"example": fit[0]} if fit else {}
        row = NEWER.get(found[1], row)
        lines.append(f"  {json.dumps(found[1])}: {json.dumps(row)}")
    licence = "Apache-2.0, see postcodes.LICENSE.txt"
    origin = json.dumps(
        {"source": SOURCE, "commit": given.commit, "date": given.date, "licence": licence, "changed": CHANGED}
    )
    given.to.write_text(f'{origin[:-1]},\n"countries": {{\n' + ",\n".join(sorted(lines)) + "\n}}\n")
    json.loads(given.to.read_text())


if __name__ == "__main__":
    main()
