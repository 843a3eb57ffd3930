"""The files that browsers load: versioned by content, with integrity hashes, compressed once per process.

No build step and no copy stand between the source and what is served: the address carries the content's hash
(`/static/parcelward/site.css?v=1f0c...`), so it may be kept for a year, and a changed file has a new address.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import mimetypes
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

FOLDER: Final = Path(__file__).resolve().parent.parent / "static"
PREFIX: Final = "/static/"
KEEP_S: Final = 365 * 24 * 3600
COMPRESS_BYTES_MIN: Final = 600  # below this the gzip header and the CPU cost more than they save
FILE_BYTES_MAX: Final = 4_000_000  # nothing larger is ours; what is held in memory stays bounded
FILES_HELD_MAX: Final = 128
LOOK_EVERY_S: Final = 1.0  # for changed files that pages name

TYPES: Final = {
    ".mjs": "text/javascript",  # browsers run a module only under a JavaScript type
    ".js": "text/javascript",
    ".geojson": "application/geo+json",
    ".json": "application/json",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}
COMPRESSIBLE: Final = frozenset(TYPES.values())

NAMES: Final = MappingProxyType(
    {
        "govuk_css": "vendor/govuk.css",
        "tokens_css": "parcelward/tokens.css",
        "site_css": "parcelward/site.css",
        "track_css": "parcelward/track.css",
        "people_css": "parcelward/people.css",
        "desk_css": "parcelward/desk.css",
        "proofing_css": "parcelward/proofing.css",
        "held_css": "parcelward/held.css",
        "mydata_css": "parcelward/mydata.css",
        "orders_css": "parcelward/orders.css",
        "orders_js": "parcelward/orders.js",
        "photo_js": "parcelward/photo.js",
        "webhooks_css": "parcelward/webhooks.css",
        "uploads_css": "parcelward/uploads.css",
        "rules_css": "parcelward/rules.css",
        "enrol_js": "parcelward/enrol.js",
        "htmx": "vendor/htmx.min.js",
        "site_js": "parcelward/site.js",
        "session_js": "parcelward/session.js",
        "passkey_js": "parcelward/passkey.js",
        "track_js": "parcelward/track.js",
        "desk_js": "parcelward/desk.js",
        "icon": "parcelward/icon.svg",
        "map_css": "map/map.css",
        "map_js": "map/map.mjs",
        "maplibre": "vendor/maplibre-gl.mjs",
        "maplibre_worker": "vendor/maplibre-gl-worker.mjs",
        "base_map": "vendor/base-map.json",
        "base_map_names": "vendor/base-map-names.json",
    }
)
"""What templates call each file. A vendored one is absent until the front end is vendored; pages do without it."""


@dataclass(frozen=True, slots=True)
class Held:
    """One file as served."""

    body: bytes
    zipped: bytes | None  # None where compressing does not pay
    content_type: str
    digest: bytes  # SHA-384 of the body

    @property
    def version(self) -> str:
        """Enough of the hash to tell two versions apart."""
        return self.digest[:8].hex()


@dataclass(frozen=True, slots=True)
class Asset:
    """What a template needs to name a file."""

    url: str
    integrity: str


_seen: tuple[float, Mapping[str, Asset | None]] = (float("-inf"), MappingProxyType({}))


@functools.lru_cache(maxsize=FILES_HELD_MAX)
def _read(path: Path, _changed_ns: int) -> Held:
    """Return the file's bytes, both plain and compressed; the time of change is part of the key, so an edit is seen."""
    body = path.read_bytes()
    content_type = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    zipped = None
    if content_type in COMPRESSIBLE and len(body) >= COMPRESS_BYTES_MIN:
        zipped = gzip.compress(body, compresslevel=9, mtime=0)
    if content_type.startswith("text/"):
        content_type += "; charset=utf-8"  # as every text of ours is
    return Held(body, zipped, content_type, hashlib.sha384(body).digest())


def _held(name: str) -> Held | None:
    """Return the file of that name inside our folder, or None: also for whatever points outside it."""
    if "\0" in name:
        return None
    path = (FOLDER / name).resolve()
    if not path.is_relative_to(FOLDER) or not path.is_file():
        return None
    stat = path.stat()
    if stat.st_size > FILE_BYTES_MAX:
        return None
    return _read(path, stat.st_mtime_ns)


def named(name: str) -> Asset | None:
    """Return address and integrity of the file at `name` inside the static folder; None where it is absent."""
    held = _held(name)
    if held is None:
        return None
    integrity = "sha384-" + base64.b64encode(held.digest).decode("ascii")
    return Asset(f"{PREFIX}{name}?v={held.version}", integrity)


def all_named() -> Mapping[str, Asset | None]:
    """Return every file that templates name, as it was a second ago at most: to look each time costs too much."""
    global _seen  # noqa: PLW0603 -- one process-wide observation, replaced whole
    looked_at, found = _seen
    now = time.monotonic()
    if now - looked_at > LOOK_EVERY_S:
        found = MappingProxyType({word: named(path) for word, path in NAMES.items()})
        _seen = (now, found)
    return found


@require_safe
def serve(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with one file; raise Http404 for what is absent, outside the folder or larger than any of ours."""
    held = _held(name)
    if held is None:
        raise Http404("no such file")
    gzipped = held.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", "")
    etag = f'"{held.version}{"-gz" if gzipped else ""}"'
    current = request.GET.get("v") == held.version
    response: HttpResponse
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponseNotModified()
    else:
        body = held.zipped if gzipped and held.zipped is not None else held.body
        response = HttpResponse(body, content_type=held.content_type)
        response["Content-Length"] = str(len(body))
        if gzipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = f"public, max-age={KEEP_S}, immutable" if current else "public, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response
