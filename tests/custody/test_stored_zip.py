"""The archive of an evidence bundle: one form, and whatever is not of it is refused."""

from __future__ import annotations

import io
import zipfile

import pytest

from parcelward.custody import stored_zip
from parcelward.custody.errors import ProofFailed


def test_odd_archives_are_refused() -> None:
    good = stored_zip.write({"a.txt": b"A", "b.txt": b"B"})
    assert stored_zip.read(good) == {"a.txt": b"A", "b.txt": b"B"}

    def zipped(names: tuple[str, ...], how: int = zipfile.ZIP_STORED) -> bytes:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", how) as archive:
            for name in names:
                archive.writestr(zipfile.ZipInfo(name), b"0" * 100_000, how)
        return held.getvalue()

    bomb, times = zipped(("a.txt",), zipfile.ZIP_DEFLATED), zipped(("a.txt",))
    doubled = good[:36] + good[:36] + good[36:]
    hidden = good[:36] + good[72:]  # a file that only the central directory knows
    odd = [b"", b"PK\x03\x04", good[:-1], good + b"\0", b"\0" + good, bomb, times, doubled, hidden, good[36:]]
    for data in odd:
        with pytest.raises(ProofFailed):
            stored_zip.read(data)


@pytest.mark.parametrize(
    "path", ["../a", "/a", "a/../b", "a//b", "a\\b", ".a", "a/.b", "é", "", "a" * 201, "a/b/c/d/e"]
)
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(ProofFailed):
        stored_zip.write({path: b""})
    name = path.encode()
    local = b"PK\x03\x04" + bytes(22) + len(name).to_bytes(2, "little") + bytes(2) + name
    with pytest.raises(ProofFailed):
        stored_zip.read(local)


def test_a_size_that_overruns_the_archive_is_refused() -> None:
    good = bytearray(stored_zip.write({"a.txt": b"A"}))
    good[18:26] = b"\xff" * 8
    with pytest.raises(ProofFailed):
        stored_zip.read(bytes(good))
