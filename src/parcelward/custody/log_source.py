"""Copy a log from its address: for a machine that has nothing else to do with the operator's. No database here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from parcelward.base import egress
from parcelward.base.errors import Busy, Invalid
from parcelward.custody import keys, log_copy, notes, succession
from parcelward.custody.errors import NotInLog
from parcelward.custody.keys import Verifier
from parcelward.custody.tiles import TileAddress

_OK: Final = 200
_GONE: Final = 404


@dataclass(frozen=True, slots=True)
class There:
    """A log behind an address that ends in its prefix, such as https://post.example/log."""

    url: str

    def checkpoint(self) -> bytes:
        """Return the newest signed checkpoint."""
        return self.get("checkpoint")

    def tile(self, address: TileAddress) -> bytes:
        """Return an entry bundle."""
        return self.get(address.path)

    def get(self, path: str) -> bytes:
        """Return a file of the log. Raises NotInLog when it has none, Busy when nobody answers."""
        try:
            answer = egress.get(f"{self.url}/{path}")
        except egress.NotReached as err:
            raise Busy(f"{self.url} does not answer: {err}", code="log_away") from None
        if answer.status == _GONE:
            raise NotInLog(f"{self.url} has no {path}.")
        if answer.status != _OK:
            raise Busy(f"{self.url}/{path} answers {answer.status}.", code="log_away")
        return answer.body


def copy_from(url: str, folder: Path, *, vkeys: Sequence[str], tell: log_copy.Tell) -> log_copy.Copied:
    """Bring a copy up to date over HTTP; `vkeys` are believed, or those that the copy was begun with.

    A key that followed a believed one by an entry of the log is believed, too (docs/log.md).
    """
    source = There(url)
    trusted = [keys.parse_vkey(each) for each in (*vkeys, *log_copy.kept_keys(folder))]
    if not trusted:
        raise Invalid(
            "Whose log is it? Give its key with --key the first time, as you got it by another way than this address",
            code="no_key",
        )
    logs, links = _followed(source, trusted)
    note = source.checkpoint()
    signed = notes.open_checkpoint(note, logs=logs)
    succession.require_current(signed.checkpoint.size, [each.verifier for each in signed.note.verified], links)
    return log_copy.copy(folder, _Fixed(source, note), logs, tell=tell)


@dataclass(frozen=True, slots=True)
class _Fixed:
    """The same log as of one checkpoint, which was looked at."""

    there: There
    note: bytes

    def checkpoint(self) -> bytes:
        return self.note

    def tile(self, address: TileAddress) -> bytes:
        return self.there.tile(address)


def _followed(source: There, trusted: list[Verifier]) -> tuple[list[Verifier], Sequence[succession.Link]]:
    """Return the keys that one may believe, and how they follow each other."""
    try:
        links = succession.read(source.get("succession"))
    except NotInLog:
        return list(dict.fromkeys(trusted)), ()
    return list(dict.fromkeys(succession.trusted_through(trusted, links))), links
