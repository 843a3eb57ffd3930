"""`parcelward restore`: bring an installation back from its backups, and prove what came back."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from parcelward.base.backups.recipients import PrivateKey
    from parcelward.base.backups.sets import Kind
    from parcelward.doors.backups.looking import Seen
    from parcelward.doors.backups.restoring import Source
    from parcelward.doors.console.progress import Bar

URLS = {"main": "PARCELWARD_DATABASE_URL", "keys": "PARCELWARD_KEYS_URL"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to restore from and where to."""
    parser.add_argument("folder", type=Path, help="backups of the main database: the newest there, or one of them")
    parser.add_argument("--keys", type=Path, required=True, metavar="FOLDER", help="backups of the keys database")
    parser.add_argument("--secrets", type=Path, required=True, metavar="FOLDER", help="backups of the secrets")
    parser.add_argument("--into", type=Path, metavar="HOME", help="the new home; without it, backups are only verified")
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="private half of a backup key; repeatable",
    )
    parser.add_argument(
        "--log-key", action="append", default=[], metavar="VKEY", help="the log's key as you know it from elsewhere"
    )
    parser.add_argument(
        "--without-log-key", action="store_true", help="believe whoever made the backups; nothing proves who that was"
    )
    parser.add_argument("--log-copy", type=Path, metavar="FOLDER", help="a copy of the log: does it have more entries?")
    parser.add_argument("--without-wal", action="store_true", help="only the base backups, not what was written since")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(options: argparse.Namespace) -> int:
    """Verify, restore, look, and say in words what came back."""
    from parcelward.base.backups.recipients import parse_private
    from parcelward.doors.backups import restoring
    from parcelward.doors.console.progress import Bar

    _require_log_key(options)
    try:
        keys = [parse_private(path.read_text()) for path in options.key]
    except OSError as err:
        sys.stderr.write(f"parcelward: cannot read {err.filename}: {err.strerror}\n")
        return 1
    places: dict[Kind, Path] = {"main": options.folder, "keys": options.keys, "secrets": options.secrets}
    places = {kind: place.resolve() for kind, place in places.items()}
    with Bar(quiet=options.quiet) as bar:
        sources = {kind: restoring.read(place, kind, vkeys=options.log_key) for kind, place in places.items()}
        restoring.require_one_house(sources)
        restoring.require_files(sources, bar.tell)
        restoring.require_openable(sources, keys)
        bar.clear()
        _say_sources(sources)
        if options.into is None:
            print("\nThe backups are whole and the keys at hand open them. Nothing was restored: give --into for that.")
            return 0
        _require_fitting(sources)
        target = options.into.resolve()
        try:
            with restoring.beside(target) as home:
                seen = _restore(options, sources, keys, home, bar)
        except OSError as err:
            sys.stderr.write(f"parcelward: restoring stopped, and nothing is left of it: {err.strerror or err}\n")
            return 1
    _say_seen(sources, seen, target, compared=options.log_copy is not None)
    return 1 if seen.contradicted else 0


def _restore(
    options: argparse.Namespace, sources: Mapping[Kind, Source], keys: list[PrivateKey], home: Path, bar: Bar
) -> Seen:
    """Bring everything into `home`, which nobody else knows yet, and look at it."""
    from parcelward.base import config
    from parcelward.doors.backups import restoring

    restoring.unpack_files(sources, keys, home, bar.tell)
    os.environ["PARCELWARD_HOME"] = str(home)
    config.get.cache_clear()
    urls = {kind: os.environ.get(name, "") for kind, name in URLS.items()}
    wal_in: dict[Kind, Path] = {} if options.without_wal else {"main": options.folder.resolve()}
    if not options.without_wal:
        wal_in["keys"] = options.keys.resolve()
    with contextlib.ExitStack() as stack:
        stack.enter_context(restoring.running(sources, keys, home, wal_in=wal_in, vkeys=options.log_key, tell=bar.tell))
        stack.enter_context(restoring.loaded(sources, keys, home, urls=urls))
        django.setup()
        stack.callback(_close_connections)
        from parcelward.doors.backups import looking

        counted = 0

        def tell(what: str, done: int, _total: int) -> None:
            nonlocal counted
            bar.tell(f"verifying {what}", max(0, done - counted))
            counted = done

        seen = looking.look(config.get(), sources["main"].manifest, log_copy=options.log_copy, tell=tell)
        bar.clear()
        return seen


def _require_log_key(options: argparse.Namespace) -> None:
    """Raise BadSetting unless it was said by whom the backups must be signed, or that nobody can say."""
    from parcelward.base.config import BadSetting

    if bool(options.log_key) == options.without_log_key:
        raise BadSetting(
            "give the log's key as a witness, a printed page or an old bundle knows it, with --log-key VKEY: anybody "
            "can make a backup, and its signature alone tells yours from a thief's. Where nobody knows the key any "
            "more, --without-log-key instead takes what is there, and proves nothing of who made it"
        )


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()


def _require_fitting(sources: Mapping[Kind, Source]) -> None:
    from parcelward.base.config import BadSetting

    for kind, name in URLS.items():
        if os.environ.get(name) and sources[kind].manifest.database == "base":  # type: ignore[index]  # URLS has kinds
            raise BadSetting(
                f"{name} is set, and the backup of {kind} is one of an embedded server, which cannot be put into a "
                "server of yours: unset it"
            )


def _say_sources(sources: Mapping[Kind, Source]) -> None:
    print("The backups:")
    for kind, each in sources.items():
        print(f"  {kind:<8} {each.folder}, begun {each.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")
    main = sources["main"]
    print(f"  log      {main.manifest.origin}, {main.manifest.log_size:,} entries when the backup began")
    for kind, each in sources.items():
        if not each.signers:
            print(
                f"  NOT PROVEN: nobody vouches for {kind}; it says it is signed by {', '.join(each.claimed)}, and you "
                "asked to go on\n  without the log's key."
            )
    if sources["keys"].manifest.made_at < main.manifest.made_at:
        print(
            "  The keys database was copied before the main one: items that were new in between cannot be opened, "
            "unless\n  its WAL goes on."
        )


def _say_seen(sources: Mapping[Kind, Source], seen: Seen, target: Path, *, compared: bool) -> None:
    manifest = sources["main"].manifest
    print(f"\nRestored into {target}:")
    more = seen.entries - manifest.log_size
    print(f"  * {seen.entries:,} entries of the log, {more:,} more than when the backup began.")
    if seen.waiting:
        print(f"  * {seen.waiting:,} more entries were recorded and have no place yet: the worker gives them one.")
    until = (
        "nothing was ever recorded"
        if seen.last is None
        else f"the newest was recorded {seen.last:%Y-%m-%d %H:%M:%S} UTC"
    )
    print(f"  * {seen.events:,} scan events can be opened, {seen.closed:,} are of erased items and cannot; {until}.")
    print(f"  * The record and the log agree; {seen.statuses:,} item statuses follow from their events.")
    if seen.erased_again:
        print(f"  * Secrets of {seen.erased_again} erased items were in the backup and were destroyed again.")
    if seen.shredded_again:
        print(f"  * Keys of {seen.shredded_again} shredded people were in the backup and were destroyed again.")
    if seen.contradicted:
        print(
            f"  * THE LOG STANDS STILL, on purpose: {seen.contradicted}. Entries that were published are lost. It must "
            "not go on under\n    its name, for there would be two histories: look for a newer backup first."
        )
        return
    print("What was recorded later than that is not here. Before it runs:")
    if compared:
        print("  * The copy of the log that you gave knows no more than this, so the log goes on where it was.")
    else:
        print("  * Ask a witness, or your copy of the log, how many entries it knows: if more, do NOT start this one,")
        print("    for then there would be two histories. With --log-copy FOLDER this command looks for you.")
    print(f"  * Then start it with PARCELWARD_HOME={target}, and make a new backup.")
