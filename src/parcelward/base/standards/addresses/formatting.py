"""An address as people read it, from components that a geocoder names, by OpenCage's templates (MIT).

The table is `templates.json` (source, commit, date and licence stand in it; `scripts/rebuild_addresses.py` makes it).
Its authors publish cases of what must come out; all of them do, byte for byte (tests/conformance/test_addresses.py).
No library is used: `addressformatting` is no longer maintained, and a general template engine would do the smaller
part. The templates have but two things, a value and the first of several (`_rendered`); what is long here are the rules
around them, which no library for Python has that is kept. They do as the authors' own processor does.

This is for screens. What stands on a label is `labels.label_lines`, by the forms that posts ask for.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from parcelward.base.standards.addresses import tables
from parcelward.base.standards.errors import BadAddress

COMPONENTS_MAX: Final = 60
COMPONENT_LENGTH_MAX: Final = 300

_KEY = re.compile(r"[a-z0-9_]+")
_PART = re.compile(r"\{(\w+)\}|<([^>]*)>|([^{<]+)")
_WIDE = r"[ \t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]"  # blanks within a line
_POSTCODE_LENGTH_MAX = 20
_LOCAL_DISTRICTS = frozenset({"BR", "CR", "ES", "NI", "PY", "RO", "TG", "TM", "XK"})
"""Where OpenStreetMap means part of a town by `district`; elsewhere it is part of a state."""

_OF_THE_NETHERLANDS = {"curaçao": ("CW", "Curaçao"), "sint maarten": ("SX", "Sint Maarten"), "aruba": ("AW", "Aruba")}
_TWICE = "new york"  # the one name that a city shares with its state and is said twice

_CLEANINGS: Final = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"[},\s]+\Z", ""),
        (r"\A[,\s]+", ""),
        (r"\A- ", ""),
        (r",\s*,", ", "),
        (_WIDE + "+," + _WIDE + "+", ", "),
        (_WIDE + _WIDE + "+", " "),
        (_WIDE + r"\n", "\n"),
        (r"\n,", "\n"),
        (r",,+", ","),
        (r",\n", "\n"),
        (r"\n" + _WIDE + "+", "\n"),
        (r"\n\n+", "\n"),
    )
)

Components = dict[str, str]


def format_lines(components: Mapping[str, str], *, country: str = "", abbreviate: bool = False) -> tuple[str, ...]:
    """Return an address as lines, from components such as `road`, `house_number`, `postcode`, `city`, `country_code`.

    `country` (ISO 3166-1, two letters) says whose form it takes, else the component `country_code` does; a country
    that is not known takes the common one. A component that no template knows stands first. Raises BadAddress where
    there are too many components or one is too long.
    """
    if len(components) > COMPONENTS_MAX or any(len(one) > COMPONENT_LENGTH_MAX for one in components.values()):
        raise BadAddress(
            f"An address has at most {COMPONENTS_MAX} components of at most {COMPONENT_LENGTH_MAX} characters"
        )
    parts = {name: re.sub(r"[\r\n]+", " ", value) for name, value in components.items() if _KEY.fullmatch(name)}
    code = country.upper() or _country_of(parts)
    if code:
        parts["country_code"] = code
    _without_nonsense(parts)
    _fill_kinds(parts, code)
    rule = tables.templates().countries.get(code) or tables.templates().countries["default"]
    template = _template(rule, parts)
    if "state" in parts and re.fullmatch(r"[\d.]+", parts.get("country", "")):
        parts["country"] = parts.pop("state")
    _replace(parts, rule.get("replace", ()))
    for kind in ("state", "county"):
        _add_code(parts, kind)
    unknown = sorted(set(parts) - tables.templates().kinds.keys())
    if unknown:
        parts["attention"] = ", ".join(parts[name] for name in unknown)
    if abbreviate:
        _abbreviate(parts)
    text = _clean("".join(_rendered(part, parts) for part in _parsed(template)))
    text = _clean(_postformat(text, rule.get("postformat_replace", ())))
    return tuple(text.split("\n")) if text else ()


def _country_of(parts: Components) -> str:
    """Return the country whose form is used; territories may take another's, and then name themselves otherwise."""
    code = parts.get("country_code", "").upper()
    if len(code) != 2:  # noqa: PLR2004 -- ISO 3166-1 alpha-2
        return ""
    if code == "UK":
        return "GB"
    rule = tables.templates().countries.get(code, {})
    if "use_country" in rule:
        code = rule["use_country"]
        if "change_country" in rule:
            parts["country"] = re.sub(r"\$(\w+)", lambda found: parts.get(found[1], ""), rule["change_country"])
        name, _, value = rule.get("add_component", "").partition("=")
        if name == "state":
            parts[name] = value
    if code == "NL":
        for beginning, (own, name) in _OF_THE_NETHERLANDS.items():
            if parts.get("state", "").lower().startswith(beginning):
                parts["country"] = name
                return own
    return code


def _without_nonsense(parts: Components) -> None:
    postcode = parts.get("postcode", "")
    if len(postcode) > _POSTCODE_LENGTH_MAX or re.search(r"\d;\d", postcode):
        del parts["postcode"]
    elif found := re.match(r"(\d{5}),\d{5}", postcode):
        parts["postcode"] = found[1]
    for name in [name for name, value in parts.items() if not re.search(r"\w", value) or re.search("https?://", value)]:
        del parts[name]


def _fill_kinds(parts: Components, code: str) -> None:
    """Give a kind of component that is missing the value of its first alias: a `town` is the `city`."""
    district = "neighbourhood" if code in _LOCAL_DISTRICTS else "state_district"
    given = set(parts)
    for kind, aliases in tables.templates().components.items():
        if kind in given:
            continue
        own = [one for one in aliases if one != "district" or not code]
        if code and kind == district:
            own.append("district")
        for alias in own:
            if alias in given:
                parts[kind] = parts[alias]
                break


def _template(rule: Mapping[str, Any], parts: Components) -> str:
    """Return the country's template; without road and postcode the one for such few."""
    table = tables.templates()
    default = table.countries["default"]
    which = "address" if "road" in parts or "postcode" in parts else "fallback"
    nth: int = rule.get(which, default[which])
    return table.templates[nth]


def _replace(parts: Components, rules: Sequence[Sequence[str]]) -> None:
    for pattern, to in rules:
        found = re.match(r"(\w+)=(.+)", pattern)
        for name in parts:
            if name in {"country_code", "house_number"}:
                continue
            if found is None:
                parts[name] = re.sub(pattern, to, parts[name], count=1, flags=re.IGNORECASE)
            elif found[1] == name:
                if parts[name] == found[2]:
                    parts[name] = to
                else:
                    parts[name] = re.sub(found[2], to, parts[name], count=1, flags=re.IGNORECASE)


def _add_code(parts: Components, kind: str) -> None:
    """Add the code of a state or county by its name, or its name where the code was given."""
    name, country = parts.get(kind), parts.get("country_code", "").upper()
    if not name or not country or parts.get(f"{kind}_code", name) != name:
        return
    table = tables.templates().codes(kind, country)
    code = table.by_name.get(name.upper())
    if code:
        parts[f"{kind}_code"] = code
        if name.upper() == code and table.names.get(code):
            parts[kind] = table.names[code]
    if country == "US" and kind == "state" and "state_code" not in parts:
        code = table.by_name.get(re.sub(r"^UNITED STATES", "US", name.upper()))
        if code:
            parts["state_code"] = code
        if re.match(r"washington,? d\.?c\.?", name, re.IGNORECASE):
            parts |= {"state_code": "DC", "state": "District of Columbia", "city": "Washington"}


def _abbreviate(parts: Components) -> None:
    table = tables.templates()
    for language in table.languages.get(parts.get("country_code", "").upper(), ()):
        for name, pairs in table.abbreviations.get(language, {}).items():
            for long, short in pairs.items():
                if name in parts:
                    pattern = rf"(^|\s){re.escape(long)}\b"
                    parts[name] = re.sub(pattern, rf"\g<1>{short}", parts[name], count=1)


@functools.cache
def _parsed(template: str) -> tuple[tuple[str, ...], ...]:
    """Return a template's parts: (literal), ("", field), or ("", "", alternative, ...)."""
    parts: list[tuple[str, ...]] = []
    for field, alternatives, literal in _PART.findall(template):
        parts.append(("", field) if field else (literal,) if literal else ("", "", *alternatives.split("|")))
    return tuple(parts)


def _rendered(part: tuple[str, ...], parts: Components) -> str:
    if len(part) == 1:
        return part[0]
    if part[1]:
        return parts.get(part[1], "")
    for alternative in part[2:]:
        text = "".join(_rendered(one, parts) for one in _parsed(alternative)).strip()
        if text:
            return text
    return ""


def _postformat(text: str, rules: Sequence[Sequence[str]]) -> str:
    """Say nothing twice within what commas part, and put right what the country's rules name."""
    seen: set[str] = set()
    kept = []
    for piece in f"{text}\n".split(", "):
        bare = piece.lstrip()
        if bare.lower() == _TWICE or bare not in seen:
            kept.append(bare)
        seen.add(bare)
    text = ", ".join(kept)
    for pattern, to in rules:
        text = re.sub(pattern, to, text, count=1)
    return text


def _clean(text: str) -> str:
    """Return the text without what missing values leave behind, and without the same twice."""
    for pattern, to in _CLEANINGS:
        text = pattern.sub(to, text)
    lines: list[str] = []
    seen: set[str] = set()
    for line in text.split("\n"):
        bare = line.strip()
        if bare not in seen:
            seen.add(bare)
            lines.append(_said_once(bare))
    return "\n".join(lines).strip()


def _said_once(line: str) -> str:
    words: list[str] = []
    for word in line.rstrip(",").split(","):
        bare = word.strip()
        if bare.lower() == _TWICE or bare not in words:
            words.append(bare)
    return ", ".join(words)
