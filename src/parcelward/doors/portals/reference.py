"""The page for programmers: the OpenAPI description as plain HTML, without a script, in the look of every page."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from parcelward.doors.api.v1 import api
from parcelward.doors.portals import assets

FIRST: Final = "/api/v1/scans"  # what most come for
PROBLEM: Final = "ProblemSchema"
LIMITS: Final = {
    "minLength": "length at least {}",
    "maxLength": "length at most {}",
    "minimum": "from {}",
    "maximum": "to {}",
    "minItems": "at least {}",
    "maxItems": "at most {}",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A field, parameter, body or answer: its name, its type in words, and the shape that this leads to."""

    name: str
    type: str
    shape: str  # name of a schema on the same page; empty where the type says it all
    required: bool
    words: str
    place: str = ""  # of a parameter: path, query or header

    @property
    def rest(self) -> str:
        """What is said after the type: `, in the header, optional: RFC 9421`."""
        where = f", in the {self.place}" if self.place else ""
        return where + ("" if self.required else ", optional") + (f": {self.words}" if self.words else "")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one address."""

    key: str
    method: str
    path: str
    summary: str
    words: str
    who: str  # names of the security schemes, any of which will do
    parameters: tuple[Value, ...]
    bodies: tuple[Value, ...]
    answers: tuple[Value, ...]
    refusals: str  # statuses that come as problem documents


@dataclass(frozen=True, slots=True)
class Shape:
    """One named schema with its fields."""

    name: str
    words: str
    fields: tuple[Value, ...]


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """Show every operation and every shape."""
    operations, shapes = _described()
    css = assets.named("parcelward/reference.css")
    context = {"operations": operations, "shapes": shapes, "css": css, "problem": PROBLEM}
    return render(request, "reference.html", context)


@functools.cache
def _described() -> tuple[tuple[Operation, ...], tuple[Shape, ...]]:
    described = api.get_openapi_schema()
    return operations(described["paths"]), shapes(described["components"]["schemas"])


def operations(paths: Mapping[str, Mapping[str, Any]]) -> tuple[Operation, ...]:
    """Return every operation: scans first, then as described."""
    ordered = sorted(paths, key=lambda path: path != FIRST)
    return tuple(_operation(path, method, paths[path][method]) for path in ordered for method in paths[path])


def _operation(path: str, method: str, said: Mapping[str, Any]) -> Operation:
    parameters = tuple(
        _value(p["name"], p["schema"], required=p.get("required", False), words=p.get("description", ""), place=p["in"])
        for p in said.get("parameters", ())
    )
    body = said.get("requestBody", {}).get("content", {})
    good = {status: answer for status, answer in said["responses"].items() if int(status) < 400}  # noqa: PLR2004 -- the HTTP status class
    return Operation(
        key=f"{method}-{path.strip('/').replace('/', '-').translate(str.maketrans('', '', '{}'))}",
        method=method.upper(),
        path=path,
        summary=said.get("summary", ""),
        words=said.get("description", ""),
        who=" or ".join(name for scheme in said.get("security", ()) for name in scheme) or "anyone",
        parameters=parameters,
        bodies=tuple(_value(media, held.get("schema", {}), required=True) for media, held in body.items()),
        answers=tuple(_answer(status, answer) for status, answer in good.items()),
        refusals=", ".join(sorted(str(status) for status in said["responses"].keys() - good.keys())),
    )


def _answer(status: str, answer: Mapping[str, Any]) -> Value:
    schemas = [held["schema"] for held in answer.get("content", {}).values() if "schema" in held]
    schema = schemas[0] if schemas else {}
    return _value(str(status), schema, required=True, words=answer.get("description", ""))


def shapes(schemas: Mapping[str, Mapping[str, Any]]) -> tuple[Shape, ...]:
    """Return every named schema, by name."""
    return tuple(
        Shape(
            name,
            schema.get("description", ""),
            tuple(
                _value(field, held, required=field in schema.get("required", ()))
                for field, held in schema.get("properties", {}).items()
            ),
        )
        for name, schema in sorted(schemas.items())
    )


def _value(name: str, schema: Mapping[str, Any], *, required: bool, words: str = "", place: str = "") -> Value:
    said = ". ".join(part.rstrip(".") for part in (words, schema.get("description", "")) if part)
    return Value(name, _type(schema), _shape(schema), required, said, place)


def _type(schema: Mapping[str, Any]) -> str:
    """Return the type in words, with its limits: `string, at most 40 characters`, `list of ScanIn, at most 2000`."""
    if "$ref" in schema:
        return _shape(schema)
    if "enum" in schema or "const" in schema:
        return " or ".join(f"“{value}”" for value in schema.get("enum", [schema.get("const")]))
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return " or ".join(_type(each) for each in schema[choice])
    kind = schema.get("type", "")
    if kind == "array":
        kind = "list of " + (_type(schema["items"]) if schema.get("items") else "numbers")
    elif schema.get("properties"):
        kind = "object of " + ", ".join(schema["properties"])
    named = schema.get("format") or schema.get("contentMediaType", "")
    limits = [words.format(schema[name]) for name, words in LIMITS.items() if name in schema]
    return ", ".join(part for part in (kind, named, *limits) if part) or "nothing"


def _shape(schema: Mapping[str, Any]) -> str:
    """Return the name of the first schema that this one refers to; empty for none."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    inner = [schema["items"]] if isinstance(schema.get("items"), Mapping) else []
    for choice in ("anyOf", "oneOf", "allOf"):
        inner += schema.get(choice, [])
    return next(filter(None, map(_shape, inner)), "")
