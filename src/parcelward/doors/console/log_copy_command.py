"""`parcelward log-copy`: keep a plain copy of the log elsewhere, verified, that only grows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from parcelward.custody.log_copy import Copied
    from parcelward.doors.console.progress import Bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to, and where from when it is not this machine."""
    parser.add_argument("folder", type=Path, help="for the copy: files as any web server can serve them")
    parser.add_argument(
        "--from",
        dest="log",
        metavar="URL",
        help="the log's address, such as https://post.example/log: run it elsewhere",
    )
    parser.add_argument(
        "--key", action="append", default=[], metavar="VKEY", help="with --from, the first time: the log's key"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(options: argparse.Namespace) -> int:
    """Copy, and say how far the copy goes."""
    from parcelward.doors.console.progress import Bar

    try:
        with Bar(quiet=options.quiet, unit=" entries") as bar:
            said = _from_afar(options, bar) if options.log else _from_here(options.folder, bar)
    except OSError as err:
        sys.stderr.write(f"parcelward: the copy stopped and can be gone on with: {err.strerror or err}\n")
        return 1
    print(f"{options.folder} has {said.size:,} entries of the log, {said.size - said.before:,} of them new.")
    print(f"To hash all of it again: `parcelward verify {options.folder} --key VKEY`.")
    return 0


def _from_here(folder: Path, bar: Bar) -> Copied:
    """Copy this machine's log."""
    django.setup()
    from parcelward.base import config
    from parcelward.custody import log_copy, queries

    settings = config.get()
    known = [each.vkey for each in queries.log_keys(settings).keys]
    return log_copy.copy_here(settings.log_folder, folder, vkeys=known, tell=lambda n: bar.tell("copying", n))


def _from_afar(options: argparse.Namespace, bar: Bar) -> Copied:
    """Copy a log over HTTP, on a machine that has nothing else to do with it."""
    from parcelward.custody import log_source

    return log_source.copy_from(
        options.log.rstrip("/"), options.folder, vkeys=options.key, tell=lambda n: bar.tell("copying", n)
    )
