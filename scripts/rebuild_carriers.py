"""Rebuild src/parcelward/base/standards/carriers.json from a checkout of jkeen/tracking_number_data (MIT).

    scripts/rebuild_carriers.py FOLDER --commit b79ce4b --date 2026-08-17

The table is re-shaped for our own engine: numbers are compared without spaces and hyphens, so the patterns lose theirs
(and with them every way to backtrack for long); each pattern carries its shortest and longest match; lookups keep only
the words that are shown. What this script does not know it refuses, so that nothing is dropped unnoticed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from re import _parser as pattern_parser  # type: ignore[attr-defined]  # the one place in Python that knows widths
from typing import Any, NoReturn

TARGET = Path(__file__).parents[1] / "src" / "parcelward" / "base" / "standards" / "carriers.json"
SOURCE = "https://github.com/jkeen/tracking_number_data"
FORMAT_KEYS = {
    *("id", "name", "description", "regex", "validation", "additional", "glossary", "tracking_url", "test_numbers")
}
VALIDATION_KEYS = {"checksum", "serial_number_format", "additional"}
CHECKSUMS = {"mod10", "mod7", "s10", "luhn", "mod_37_36", "sum_product_with_weightings_and_modulo"}
LOOKUPS = {"Service Type": "service", "Container Type": "service", "Courier": "operator", "Country Code": "country"}
LEFT_OUT = {"Application Identifier"}  # says who printed the label, which nobody asks


def refuse(where: str, what: str) -> NoReturn:
    """Stop: the source has something that this script does not know."""
    sys.exit(f"{where}: {what} is not known to this script")


def reshaped(regex: str | list[str]) -> str:
    """Return the pattern for text without spaces and hyphens, with Python's names for groups."""
    pattern = regex if isinstance(regex, str) else "".join(regex)
    for blank in (r"\s*", r"\s", r"\b"):
        pattern = pattern.replace(blank, "")
    pattern = re.sub(r"\[[^\]]*\]|-", lambda found: "" if found[0] == "-" else found[0], pattern)  # ranges keep theirs
    pattern = re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
    pattern = re.sub(r"\((?!\?)", "(?:", pattern)
    return re.sub(r"\(\?:(\[[^\]]*\])\)", r"\1", pattern)


def slug(name: str) -> str:
    """Return the id that the source's own site gives to a format without one."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def lookup_rows(where: str, rows: list[dict[str, Any]], kind: str) -> dict[str, str]:
    """Return {code, or pattern of codes: words}."""
    found: dict[str, str] = {}
    for row in rows:
        words = {"service": "name", "operator": "courier", "country": "country_short_code"}[kind]
        text = row.get(words) or row.get("country") or ""
        if kind == "service" and row.get("description") and len(row["description"]) <= 80:  # noqa: PLR2004 -- a line
            text = f"{text}: {row['description']}"
        if found.setdefault(row.get("matches") or row["matches_regex"], text) != text:
            refuse(where, f"a second meaning of {row.get('matches')}")
    return found


def one_format(where: str, source: dict[str, Any]) -> dict[str, Any]:
    """Return one format in our shape."""
    validation = source["validation"]
    if unknown := (source.keys() - FORMAT_KEYS) | (validation.keys() - VALIDATION_KEYS):
        refuse(where, f"key {sorted(unknown)}")
    pattern = reshaped(source["regex"])
    shortest, longest = pattern_parser.parse(pattern).getwidth()
    shaped: dict[str, Any] = {
        "id": source.get("id") or slug(source["name"]),
        "name": source["name"],
        "pattern": pattern,
        "length": [int(shortest), int(longest)],
    }
    if checksum := validation.get("checksum"):
        if checksum["name"] not in CHECKSUMS:
            refuse(where, f"checksum {checksum['name']}")
        constants = ("evens_multiplier", "odds_multiplier", "reverse", "weightings", "modulo1", "modulo2")
        shaped["checksum"] = {k: v for k, v in checksum.items() if k == "name" or (k in constants and v is not False)}
    if serial := validation.get("serial_number_format"):
        rule = serial["prepend_if"]
        start = re.fullmatch(r"\^\(\?!([0-9]+)\)\.\+\$?", rule["matches_regex"].replace(r"\s*", ""))
        if start is None:
            refuse(where, f"serial number format {rule}")
        shaped["prepend"] = {"unless_starts": start[1], "digits": rule["content"]}
    if source.get("tracking_url"):
        shaped["url"] = source["tracking_url"]
    for extra in source.get("additional", []):
        if extra["name"] not in LOOKUPS.keys() | LEFT_OUT:
            refuse(where, f"lookup {extra['name']}")
        if kind := LOOKUPS.get(extra["name"]):
            shaped.setdefault("lookups", {})[kind] = {
                "group": extra["regex_group_name"],
                "required": extra["name"] in validation.get("additional", {}).get("exists", []),
                "words": lookup_rows(where, extra["lookup"], kind),
            }
    return shaped


def main() -> None:
    """Read every courier's file and write the table, one format a line, and make sure that it is JSON."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--commit", required=True)
    arguments.add_argument("--date", required=True)
    arguments.add_argument("--to", type=Path, default=TARGET)
    given = arguments.parse_args()
    couriers = []
    for path in sorted((given.folder / "couriers").glob("*.json")):
        source = json.loads(path.read_text())
        formats = [one_format(f"{path.name}: {f['name']}", f) for f in source["tracking_numbers"]]
        lines = ",\n".join("  " + json.dumps(f, ensure_ascii=False) for f in formats)
        head = json.dumps({"code": source["courier_code"], "name": source["name"]}, ensure_ascii=False)
        couriers.append(f'{head[:-1]}, "formats": [\n{lines}\n ]}}')
    licence = "MIT, see carriers.LICENSE.txt"
    origin = json.dumps({"source": SOURCE, "commit": given.commit, "date": given.date, "licence": licence})
    given.to.write_text(f'{origin[:-1]},\n"couriers": [\n ' + ",\n ".join(couriers) + "\n]}\n")
    json.loads(given.to.read_text())


if __name__ == "__main__":
    main()
