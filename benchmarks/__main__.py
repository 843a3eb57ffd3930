"""`make bench`: run all benchmarks, or one by name."""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    *("ingest", "single", "where", "proof", "pages", "vault", "authorisation", "sign_in", "addresses", "rules"),
    *("features", "decide", "labels", "screening", "orders", "uploads", "fraud", "scoring"),
)


def main() -> None:
    """Run what was asked for, each in a process of its own."""
    words = sys.argv[1:]
    name = words[0] if words and not words[0].startswith("-") else ""
    if name and name not in NAMES:
        raise SystemExit(f"no benchmark is called {name}; there are: {', '.join(NAMES)}")
    for one in [name] if name else NAMES:
        more = words[1:] if name else words
        code = subprocess.run([sys.executable, "-m", f"benchmarks.{one}", *more], check=False).returncode
        if code:
            raise SystemExit(code)


main()
