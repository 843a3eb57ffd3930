"""`parcelward label` prints a sample that is marked as one, in the form that its name asks for."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from PIL import Image
from tests.shipping.sample_labels import pages, read, text_of
from tests.shipping.zpl_picture import Printer

from parcelward.privacy.sealing import wire


@pytest.mark.parametrize("suffix", ["pdf", "zpl", "png"])
@pytest.mark.parametrize(("mode", "marked"), [("test", "SAMPLE - simulated"), ("production", "SAMPLE - not for post")])
def test_the_command_prints_a_sample_that_is_marked_as_one(tmp_path, monkeypatch, mode, marked, suffix):
    monkeypatch.setenv("PARCELWARD_MODE", mode)
    monkeypatch.setenv("PARCELWARD_PUBLIC_URL", "https://post.example")
    out = tmp_path / f"label.{suffix}"
    command = [sys.executable, "-m", "parcelward.doors.console", "label", "--sample"]
    done = subprocess.run([*command, str(out)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    raw = out.read_bytes()
    if suffix == "pdf":
        (picture,), words = pages(raw), text_of(raw)
    elif suffix == "zpl":
        printer = Printer()
        picture, words = printer.run(raw), "\n".join(printer.words)
    else:
        picture, words = Image.open(io.BytesIO(raw)).convert("L"), marked
    assert marked in words
    codes = read(picture)
    assert wire.parse(wire.from_base45(codes["]Q"])).item == codes["]C0"] == "RA473012345GB"
    for word in ("Ana", "Harrogate"):
        assert word not in words
        assert word.encode() not in raw


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    nowhere = str(tmp_path / "no" / "folder.pdf")
    command = [sys.executable, "-m", "parcelward.doors.console", "label", "--sample", nowhere]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (refused.returncode, "cannot be written" in refused.stderr) == (1, True)
