"""How the public half of a backup key is handed to `parcelward backup-key trust`."""

from __future__ import annotations

from pathlib import Path

from parcelward.doors.console.backup_key_command import _text


def test_a_line_that_is_longer_than_a_files_name_may_be_is_taken_as_it_is():
    line = "parcelward-backup-key+82fd51d8f2298a87+" + "A" * 1_600  # no slash in it, as base64 may have none
    assert _text(line) == line


def test_a_file_that_holds_it_is_read(tmp_path: Path):
    (tmp_path / "key.pub").write_text("the line")
    assert _text(str(tmp_path / "key.pub")) == "the line"
