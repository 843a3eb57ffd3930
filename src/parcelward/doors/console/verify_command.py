"""`parcelward verify`: check a bundle, a proof, an answer about a receipt, a tlog-proof or a log copy, offline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and whom to trust."""
    parser.add_argument(
        "bundle",
        type=Path,
        help="a bundle (.zip), a saved proof or answer about a receipt (.json), a .tlog-proof, or a log copy's folder",
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
        options.key = offline.known_keys(options.key)
    except ParcelwardError as err:
        sys.stderr.write(f"parcelward: --key takes what a log's /log/vkey says, and this is none: {err}\n")
        return 2
    try:
        if options.bundle.is_dir():
            return _log_copy(options)
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


def _log_copy(options: argparse.Namespace) -> int:
    from parcelward.custody import log_copy
    from parcelward.doors.console.progress import Bar

    with Bar(quiet=False, unit=" entries") as bar:
        report = log_copy.verify_with(options.bundle, options.key, tell=lambda n: bar.tell("hashing", n))
    print("It holds.")
    print(f"  {report.size:,} entries give every tile and the roots of all {report.checkpoints} copied checkpoints.")
    print(f"  The newest checkpoint is signed by {', '.join(report.signers)}.")
    if not options.key:
        print("  You gave no --key, so whose log it is rests on the keys that came with the copy.")
    if report.forks:
        print(f"  {report.forks} other histories were shown and refused: the files fork-* beside it prove that.")
        return 1
    return 0
