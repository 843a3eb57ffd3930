"""What the names in one document mean: the prefixes that its JSON-LD `@context` declares.

Nothing is ever fetched: GS1's own context is known here by its prefixes; beside it only what a document itself declares
counts.
Source: EPCIS 2.0 section 10.2 (JSON-LD binding); W3C JSON-LD 1.1 section 4.1.2 (compact IRIs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from parcelward.base.standards.epcis import vocabulary

DECLARATIONS_MAX: Final = 200  # entries in one document's @context; the largest official example has five


NAMESPACE_CHARS_MAX: Final = 256  # names are expanded: a long namespace would multiply a small message


@dataclass(frozen=True, slots=True)
class Context:
    """A document's `@context` as received, and the prefixes it declares beside GS1's own."""

    raw: tuple[Any, ...] = field(default=(vocabulary.CONTEXT_URL,), hash=False)
    prefixes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def namespace(self, prefix: str) -> str | None:
        """Return what a prefix stands for, or None when nobody declared it. GS1's own prefixes cannot be redefined."""
        return vocabulary.PREFIXES.get(prefix) or self.prefixes.get(prefix)

    def expand(self, name: str) -> str:
        """Return a compact name such as `example:seal` as a full URI; anything else comes back as it is."""
        prefix, colon, local = name.partition(":")
        if not colon or local.startswith("//"):
            return name
        namespace = self.namespace(prefix)
        return name if namespace is None else namespace + local

    def split(self, name: str) -> tuple[str, str]:
        """Return a name as (namespace, local name); an undeclared prefix stays in the namespace as it is written."""
        prefix, colon, local = name.partition(":")
        namespace = self.namespace(prefix) if colon and not local.startswith("//") else None
        if namespace is not None:
            return namespace, local
        cut = max(name.rfind("/"), name.rfind("#"), name.rfind(":")) + 1
        return name[:cut], name[cut:]

    def and_event(self, raw: Any) -> Context:
        """Return this context with what an event declares for itself (`@context` on the event) added."""
        return self if raw is None else of(list(self.raw) + (raw if isinstance(raw, list) else [raw]))


def parts(raw: Any) -> tuple[Any, ...]:
    """Return a `@context` value as a flat tuple of what it lists."""
    return tuple(raw) if isinstance(raw, list) else (raw,)


def of(raw: Any) -> Context:
    """Read a `@context` value that has been checked for its shape."""
    return Context(raw=parts(raw), prefixes=dict(_declared(parts(raw))))


def _declared(entries: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        for name, meaning in entry.items():
            namespace = meaning.get("@id") if isinstance(meaning, dict) else meaning
            # A term such as "rail:axles": {"@type": ...} says how to read a value; it declares no prefix.
            if isinstance(namespace, str) and ":" not in name and not name.startswith("@"):
                yield name, namespace


GS1_ONLY: Final = Context()
"""The context of a document that declares nothing of its own."""
