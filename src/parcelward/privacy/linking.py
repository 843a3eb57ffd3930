"""Keyed hashes that tell that two values are the same, and nothing else: for what is counted, and kept once.

    home/keys/linking    the versions of the secret that they are keyed by; the newest one is used

A lost file makes other hashes: what was counted before no longer meets what is counted now. Nothing is opened by it.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import unicodedata
from typing import Final

from parcelward.base import config
from parcelward.privacy.keyfiles import KeyFile

LINKING_FILE: Final = "linking"
MARK_BYTES: Final = 16


@functools.cache
def _file(settings: config.Config) -> KeyFile:
    return KeyFile(settings.home / "keys" / LINKING_FILE, in_use=lambda: False)


def link_mark(what: str, *texts: str) -> bytes:
    """Return 16 bytes that stand for texts of one kind (`what`), the same however letters and spaces are written."""
    versions = _file(config.get()).versions()
    folded = ["".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts]
    said = "\0".join((what, *folded)).encode()
    return hmac.digest(versions[max(versions)].secret, said, hashlib.sha256)[:MARK_BYTES]
