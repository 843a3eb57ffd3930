"""The secrets of the simulated provider, made by whoever needs them first. They open nothing but play money."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple


class Secrets(NamedTuple):
    """What calls and notices are known by."""

    api_key: str
    webhook_secret: str


def secrets_of(home: Path) -> Secrets:
    """Return the secrets of the provider that belongs to this home."""
    path = home / "provider" / "secrets.json"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Secrets(f"sk_test_simulated_{secrets.token_hex(16)}", f"whsec_simulated_{secrets.token_hex(16)}")
        mine = path.with_suffix(f".{os.getpid()}")
        mine.touch(mode=0o600)
        mine.write_text(json.dumps(made._asdict()))
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)  # whole, and only if nobody was faster
        mine.unlink()
    return Secrets(**json.loads(path.read_text()))
