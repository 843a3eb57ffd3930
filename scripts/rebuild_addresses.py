"""Rebuild the tables of src/parcelward/base/standards/addresses from what others publish.

    scripts/rebuild_addresses.py forms FOLDER --commit e20690c --date 2025-06-12      google/libaddressinput
    scripts/rebuild_addresses.py templates FOLDER --commit 28c47f9 --date 2026-07-19  OpenCageData/address-formatting
    scripts/rebuild_addresses.py names                                                Unicode CLDR, as babel has it

`forms.json`: of each country how an address stands on a label, what it needs, and its areas with the beginnings of
their postcodes; the forms of whole postcodes are in postcodes.json (rebuild_postcodes.py). `templates.json`: how an
address is shown, from components that a geocoder names. `names.json`: what countries are called. What this script
does not know it refuses, so that nothing is dropped unnoticed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml
from babel import Locale, UnknownLocaleError
from babel import __version__ as babel_version
from babel.core import get_cldr_version, get_global
from babel.languages import get_official_languages
from rebuild_postcodes import COUNTRY, NOWHERE, reshaped

TARGET = Path(__file__).parents[1] / "src" / "parcelward" / "base" / "standards" / "addresses"
LISTS = {"sub_keys", "sub_names", "sub_lnames", "sub_zips", "sub_isoids", "sub_xzips", "sub_xrequires"}
KNOWN = LISTS | {
    *("id", "key", "name", "lang", "languages", "fmt", "lfmt", "require", "upper", "zip", "zipex", "posturl"),
    *("postprefix", "zip_name_type", "state_name_type", "sublocality_name_type", "sub_zipexs", "sub_mores"),
}
OUTDATED: dict[str, set[str]] = {
    "KR": set(),  # five digits since 2015; the source has the six of before
    "NI": set(),  # numbered anew
    "IN": {"Lakshadweep", "Puducherry"},
    "IT": {"CA", "CI", "NU", "OG", "OR", "OT", "SS", "VS"},  # Sardinia's provinces were cut anew in 2016
    "MY": {"KUALA LUMPUR"},
    "PH": {"Southern Leyte", "Surigao del Norte"},
}
"""Areas whose postcodes begin otherwise now than in the source: nothing is said of them. No area named: all of them."""

RENAMED = {
    "MX": {"D.F.": ("CDMX", "Ciudad de México", "")},  # 2016
    "TW": {"桃園縣": ("桃園市", "", "Taoyuan City")},  # 2014
    "KR": {"강원도": ("강원특별자치도", "", ""), "전라북도": ("전북특별자치도", "", "")},  # 2023, 2024
}
"""Areas that are called otherwise now: the key, one more name, the Latin name; the old ones are still understood."""

ALSO_CALLED = {"AR": {"Capital Federal": ["Ciudad Autónoma de Buenos Aires", "CABA"]}}
NEW_AREAS = {
    "CL": ["Ñuble"],
    "ID": ["Kalimantan Utara", "Papua Barat Daya", "Papua Pegunungan", "Papua Selatan", "Papua Tengah"],
    "IN": ["Dadra and Nagar Haveli and Daman and Diu", "Ladakh", "Telangana"],
    "IT": ["SU"],
    "PH": ["Davao Occidental", "Maguindanao del Norte", "Maguindanao del Sur"],
    "TH": ["บึงกาฬ"],
    "VN": ["Huế"],
}
"""Areas that are younger than the source; of their postcodes nothing is said."""

FORMATS = {"RU": "%N%n%O%n%A%n%C%n%S%n%Z", "UA": "%N%n%O%n%A%n%C%n%S%n%Z", "SI": "%N%n%O%n%A%nSI-%Z %C"}
"""RU and UA have written the addressee first for years, as OpenCage's templates do; the source has the order of before.
Between SI- and the digits there is no space."""

WRITTEN = {"IE": ["??? ????"], "KR": [], "SE": ["999 99"]}
"""How postcodes are written where the source has none, or those of before; ? is a letter or a digit."""

CHANGED = "areas and formats that are younger than the source, see OUTDATED to FORMATS in scripts/rebuild_addresses.py"
RULES = {"address_template", "fallback_template", "replace", "postformat_replace", "use_country", "change_country"}
RULES |= {"add_component"}
LABELS = {
    "CD": ("Democratic Republic of the Congo", "République démocratique du Congo"),
    "CG": ("Republic of the Congo", "République du Congo"),
    "HK": ("Hong Kong", "Hong Kong"),
    "MM": ("Myanmar", "Myanmar"),
    "MO": ("Macao", "Macao"),
    "PS": ("Palestine", "Palestine"),
}
"""English and French names for a label, where CLDR's describe rather than name."""

LANGUAGES = ("en", "fr", "es")
SPOKEN = {
    "CD": ["DR Congo", "Democratic Republic of the Congo"],
    "CI": ["Ivory Coast"],
    "CV": ["Cabo Verde"],
    "CZ": ["Czech Republic"],
    "GB": ["England", "Great Britain", "Northern Ireland", "Scotland", "Wales"],
    "IR": ["Islamic Republic of Iran"],
    "KR": ["Republic of Korea"],
    "MK": ["Macedonia"],
    "NL": ["Holland"],
    "RU": ["Russian Federation"],
    "SZ": ["Swaziland"],
    "US": ["America", "United States of America"],
}
"""What people also write for a country, beside what CLDR calls it."""


def refuse(where: str, what: str) -> NoReturn:
    """Stop: the source has something that this script does not know."""
    sys.exit(f"{where}: {what} is not known to this script")


def rows(folder: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Give (country, language, row) for each country, and once more for each further language of one."""
    for line in (folder / "testdata" / "countryinfo.txt").read_text(encoding="utf-8").splitlines():
        found = COUNTRY.fullmatch(re.sub(r"--[a-z]+(?==)", "", line.strip(), count=1))
        if found is None or found[1] == NOWHERE:
            continue
        language = re.match(r"data/[A-Z]{2}--([a-z]+)=", line)
        row = json.loads(found[2])
        if set(row) - KNOWN:
            refuse(found[1], str(set(row) - KNOWN))
        yield found[1], language[1] if language else "", row


def areas_of(country: str, row: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return a country's areas by their keys: names, Latin name, how their postcodes begin, what they need."""
    keys = row.get("sub_keys", "").split("~") if row.get("sub_keys") else []
    columns = {name: row[name].split("~") for name in LISTS & set(row)}
    areas = {}
    for nth, key in enumerate(keys):
        value = {name: column[nth] for name, column in columns.items()}
        area: dict[str, Any] = {}
        names = [value.get("sub_names", "")]
        area |= {"names": names} if names[0] not in {"", key} else {}
        area |= {"latin": value["sub_lnames"]} if value.get("sub_lnames") else {}
        if value.get("sub_zips") and holds(country, key):
            area["postcode"] = reshaped(value["sub_zips"])
        if value.get("sub_xzips"):
            area["postcode"] = f"(?:{value['sub_xzips']})$"
        area |= {"require": value["sub_xrequires"]} if value.get("sub_xrequires") else {}
        area |= {"iso": value["sub_isoids"]} if value.get("sub_isoids") not in {None, "", key} else {}
        area["names"] = [*area.get("names", []), *ALSO_CALLED.get(country, {}).get(key, [])]
        if key in RENAMED.get(country, {}):
            areas[renamed(area, key, RENAMED[country][key])] = area
            continue
        areas[key] = {name: one for name, one in area.items() if one}
    return areas | {key: {} for key in NEW_AREAS.get(country, []) if keys}


def holds(country: str, area: str) -> bool:
    """Return whether the source's beginnings of an area's postcodes are still right."""
    return country not in OUTDATED or (bool(OUTDATED[country]) and area not in OUTDATED[country])


def renamed(area: dict[str, Any], old: str, now: tuple[str, str, str]) -> str:
    """Give an area the names that it has now, and return its key."""
    key, name, latin = now
    area["names"] = [*area["names"], *([name] if name else []), old]
    if latin:
        area["names"].append(area["latin"])
        area["latin"] = latin
    return key


def written(row: dict[str, str]) -> list[str]:
    """Return the forms in which postcodes are written that have a space or hyphen: 9 for a digit, A for a letter."""
    shapes = {re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", one.strip())) for one in row.get("zipex", "").split(",")}
    apart = sorted(shape for shape in shapes if re.search(r"[ -]", shape))
    bare = [re.sub(r"[ -]", "", shape) for shape in apart]
    return [shape for shape, one in zip(apart, bare, strict=True) if bare.count(one) == 1]


def forms(folder: Path) -> dict[str, Any]:
    """Return the forms of all countries."""
    countries: dict[str, Any] = {}
    for country, language, row in rows(folder):
        if language:
            other_language(countries[country].setdefault("areas", {}), areas_of(country, row))
            continue
        new: dict[str, Any] = {"name": row["name"]}
        new |= {name: row[name] for name in ("fmt", "lfmt", "require", "upper") if row.get(name)}
        new |= {"fmt": FORMATS[country]} if country in FORMATS else {}
        new |= {"prefix": row["postprefix"]} if row.get("postprefix") else {}
        new |= {"postcode_name": row["zip_name_type"]} if row.get("zip_name_type") else {}
        new |= {"area_name": row["state_name_type"]} if row.get("state_name_type") else {}
        shapes = WRITTEN.get(country, written(row))
        new |= {"written": shapes} if shapes else {}
        areas = areas_of(country, row)
        new |= {"areas": areas} if areas else {}
        countries[country] = new
    return countries


def other_language(areas: dict[str, dict[str, Any]], more: dict[str, dict[str, Any]]) -> None:
    """Add the names that areas have in one more language; a key that is new must be a Latin name."""
    latin = {area.get("latin"): key for key, area in areas.items()}
    for key, area in more.items():
        known = areas.get(key)
        if known is None:
            if latin.get(key) is None:
                refuse(key, "an area of one language alone")
            continue
        names = known.setdefault("names", [])
        names += [name for name in area.get("names", []) if name not in names]


def read_yaml(path: Path) -> Any:
    """Return a YAML file with every scalar as text: 'NO' is Norway, and 01 keeps its nought."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def reworded(template: str) -> str:
    """Return a template with {field} for a value and <one|another> for the first of several that is not empty."""
    if set("<>|") & set(re.sub(r"\|\||\{\{#first\}\}|\{\{/first\}\}", "", template)):
        refuse(template, "a character")

    def first(found: re.Match[str]) -> str:
        return "<" + "|".join(one.strip() for one in found[1].split("||")) + ">"

    text = re.sub(r"\{\{#first\}\}(.+?)\{\{/first\}\}", first, template)
    text = re.sub(r"\{\{\{(\w+)\}\}\}", r"{\1}", text)
    if "{{" in text or "}}" in text:
        refuse(template, "a section")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def replacement(pair: list[str]) -> list[str]:
    """Return (pattern, replacement) in Python's words."""
    pattern, to = pair
    re.compile(pattern)
    return [pattern, re.sub(r"\$(\d)", r"\\g<\1>", to)]


def codes(path: Path) -> dict[str, dict[str, list[str]]]:
    """Return country -> code -> names, the default first."""
    table = {}
    for country, mapping in read_yaml(path).items():
        table[country] = {
            code: list(dict.fromkeys([name.get("default", ""), *name.values()])) if isinstance(name, dict) else [name]
            for code, name in mapping.items()
        }
    return table


def templates(folder: Path) -> dict[str, Any]:
    """Return everything that formatting needs."""
    conf = folder / "conf"
    known: dict[str, int] = {}
    countries = {}
    for key, rule in read_yaml(conf / "countries" / "worldwide.yaml").items():
        if not isinstance(rule, dict):
            continue  # a template that is used below by reference
        if set(rule) - RULES:
            refuse(key, str(set(rule) - RULES))
        new: dict[str, Any] = {}
        for name in ("address_template", "fallback_template"):
            if name in rule:
                new[name.removesuffix("_template")] = known.setdefault(reworded(rule[name]), len(known))
        for name in ("replace", "postformat_replace"):
            new |= {name: [replacement(pair) for pair in rule[name]]} if rule.get(name) else {}
        new |= {name: rule[name] for name in ("use_country", "change_country", "add_component") if name in rule}
        countries[key] = new
    kinds = list(yaml.load_all((conf / "components.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader))
    short = {path.stem: read_yaml(path) for path in sorted((conf / "abbreviations").glob("*.yaml"))}
    return {
        "templates": list(known),
        "countries": countries,
        "components": {kind["name"]: kind.get("aliases", []) for kind in kinds},
        "languages": {key: text.split(",") for key, text in read_yaml(conf / "country2lang.yaml").items()},
        "abbreviations": short,
        "state_codes": codes(conf / "state_codes.yaml"),
        "county_codes": codes(conf / "county_codes.yaml"),
    }


def names() -> dict[str, Any]:
    """Return country -> its English, French and Spanish names, then those in its own languages; and other codes."""
    wanted = json.loads((TARGET / "forms.json").read_text(encoding="utf-8"))["countries"]
    called = {}
    for country in sorted(wanted):
        locales = [Locale.parse(one) for one in LANGUAGES]
        for language in get_official_languages(country, de_facto=True):
            try:
                locales.append(Locale.parse(language))
            except UnknownLocaleError:
                continue  # a language that CLDR has no names in
        found = [str(locale.territories.get(country, "")) for locale in locales]
        found = [*LABELS.get(country, found[:2]), *found[2:], *found[: 2 if country in LABELS else 0]]
        called[country] = found[:3] + sorted({*found[3:], *SPOKEN.get(country, ())} - {"", *found[:3]})
    codes = {
        code: known[0]
        for code, known in sorted(get_global("territory_aliases").items())
        if len(known) == 1 and known[0] in wanted and (re.fullmatch(r"[A-Z]{3}", code) or code == "UK")
    }
    return {"codes": codes, "countries": called}


def write(target: Path, origin: dict[str, str], tables: dict[str, Any]) -> None:
    """Write the tables, one entry a line, so that a later one can be compared."""
    parts = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in origin.items()]
    for name, table in tables.items():
        entries = (
            [f" {json.dumps(one, ensure_ascii=False)}" for one in table]
            if isinstance(table, list)
            else [f" {json.dumps(key)}: {json.dumps(one, ensure_ascii=False)}" for key, one in table.items()]
        )
        opened, closed = ("[", "]") if isinstance(table, list) else ("{", "}")
        parts.append(f"{json.dumps(name)}: {opened}\n" + ",\n".join(entries) + f"\n{closed}")
    target.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")
    json.loads(target.read_text(encoding="utf-8"))


def main() -> None:
    """Write the table that was asked for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("table", choices=["forms", "templates", "names"])
    arguments.add_argument("folder", type=Path, nargs="?")
    arguments.add_argument("--commit", default="")
    arguments.add_argument("--date", default="")
    arguments.add_argument("--to", type=Path)
    given = arguments.parse_args()
    target = given.to or TARGET / f"{given.table}.json"
    if given.table == "names":
        source = f"https://cldr.unicode.org, {get_cldr_version()}, as in babel {babel_version}"
        return write(target, {"source": source, "licence": "Unicode-3.0, see names.LICENSE.txt"}, names())
    origin = {"source": "", "commit": given.commit, "date": given.date, "licence": ""}
    if given.table == "forms":
        origin |= {"source": "https://github.com/google/libaddressinput"}
        origin |= {"licence": "Apache-2.0, see ../postcodes.LICENSE.txt", "changed": CHANGED}
        return write(target, origin, {"countries": forms(given.folder)})
    origin |= {"source": "https://github.com/OpenCageData/address-formatting"}
    origin |= {"licence": "MIT, see templates.LICENSE.txt"}
    return write(target, origin, templates(given.folder))


if __name__ == "__main__":
    main()
