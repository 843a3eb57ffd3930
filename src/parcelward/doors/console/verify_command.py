"""`parcelward verify`: check a bundle, a saved proof, an answer about a receipt or a tlog-proof, offline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and whom to trust."""
    parser.add_argument(
        "bundle", type=Path, help="a bundle (.zip), a saved proof or answer about a receipt (.json) or a .tlog-proof"
    )
    parser.add_argument(
        "--key", action="append", default=[], metavar="VKEY", help="a verifier key that you trust; may be repeated"
    )
    parser.add_argument(
        "--succession",
        type=Path,
        metavar="FILE",
        help="what the log's /log/succession answered: the key you know then vouches for those before and after it",
    )
    parser.add_argument(
        "--tsa-root",
        type=Path,
        metavar="FILE",
        help="root certificate (PEM) of a timestamping authority that you trust, to check a bundle's timestamp with",
    )


def run(options: argparse.Namespace) -> int:
    """Check, and say what was checked or what does not hold."""
    from parcelward.base.errors import ParcelwardError
    from parcelward.custody import offline

    try:
        report = offline.verify_file(
            options.bundle, vkeys=options.key, successions=options.succession, tsa_root=options.tsa_root
        )
    except OSError as err:
        sys.stderr.write(f"parcelward: cannot read {err.filename}: {err.strerror}\n")
        return 1
    except ParcelwardError as err:
        print(f"It does not hold: {err}")
        return 1
    print("It holds.")
    for line in report.words:
        print(f"  {line}")
    return 0
