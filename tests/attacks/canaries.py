"""Values that stand nowhere else, and the search for them in all that an installation keeps, writes and says."""

from __future__ import annotations

import base64
import itertools
import secrets
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import connections

PACKED_BYTES_MAX = 8_000_000


def canary(what: str) -> str:
    """Return a word that no other test writes; `what` says in which field it was planted."""
    return f"cnry{what}{secrets.token_hex(8)}"


def forms(word: str) -> list[bytes]:
    """Return how a word can look: as it is, in hex, and the parts of it that its base64 has in every position."""
    raw = word.encode()
    turned = [raw, raw.upper(), raw[::-1], raw.hex().encode(), raw.hex().upper().encode(), word.encode("utf-16-le")]
    for before in range(3):
        padded = bytes(before) + raw
        whole = len(padded) // 3 * 3
        inside = base64.b64encode(padded[:whole])[4 if before else 0 :]
        turned += [inside, base64.urlsafe_b64encode(padded[:whole])[4 if before else 0 :]]
    return turned


def holds(content: bytes, word: str) -> bool:
    """Return whether bytes hold a word, in any form, or packed."""
    looked = [content, *unpacked(content)]
    return any(form in each for each in looked for form in forms(word))


def unpacked(content: bytes) -> Iterator[bytes]:
    """Yield what bytes unpack to, where they are gzip or zlib from their beginning."""
    if content[:2] == b"\x1f\x8b" or content[:1] == b"\x78":
        try:
            yield zlib.decompressobj(wbits=47).decompress(content, PACKED_BYTES_MAX)
        except zlib.error:
            return


def in_tables(words: Iterable[str], database: str) -> set[tuple[str, str]]:
    """Return (table.column, word) of everything that a database holds in the clear."""
    found, wanted = set(), list(words)
    with connections[database].cursor() as cur:
        cur.execute(
            "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c "
            "JOIN information_schema.tables t USING (table_schema, table_name) "
            "WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type IN "
            "('bytea', 'text', 'character varying', 'json', 'jsonb', 'ARRAY', 'inet', 'character')"
        )
        for table, column, kind in cur.fetchall():
            as_bytes = f'"{column}"' if kind == "bytea" else f"convert_to(\"{column}\"::text, 'UTF8')"
            cur.execute(f'SELECT {as_bytes} FROM "{table}" WHERE "{column}" IS NOT NULL')
            while rows := cur.fetchmany(2_000):
                contents = [bytes(row[0]) for row in rows]
                together = b"\0".join(itertools.chain(contents, *(unpacked(one) for one in contents)))
                found |= {(f"{table}.{column}", word) for word in wanted if holds(together, word)}
    return found


def in_files(words: Iterable[str], files: Iterable[Path]) -> set[tuple[str, str]]:
    """Return (name, word) of the files that hold one."""
    found, wanted = set(), list(words)
    for path in files:
        try:
            content = path.read_bytes()
        except OSError:  # a server's own file that came and went
            continue
        found |= {(path.name, word) for word in wanted if holds(content, word)}
    return found
