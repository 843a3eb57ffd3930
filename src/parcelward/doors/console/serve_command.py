"""`parcelward serve`: the web process. Holds no state that matters: what it remembers is only a guess."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys

import django
import psycopg

from parcelward.base import config, db
from parcelward.doors.console.samples_refused import refuse_samples
from parcelward.doors.console.weak_refused import refuse_weak

BACKLOG = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no options: everything is configuration."""


def run(_options: argparse.Namespace) -> int:
    """Become the HTTP server; return only when that cannot be."""
    settings = config.get()
    # A database that is away is waited for, and the pages say so; whoever records there asks again (db.DURABILITY).
    with contextlib.suppress(psycopg.OperationalError):
        db.require_durable(settings)
    if settings.production:
        django.setup()
        refuse_samples(settings)
        refuse_weak(settings)
    if not _free(settings.bind, settings.port):
        sys.stderr.write(f"Port {settings.port} is in use. Stop what uses it, or set PARCELWARD_PORT to another.\n")
        return 1
    return os.execv(  # noqa: S606 -- our own interpreter with our own arguments
        sys.executable,
        [
            *(sys.executable, "-m", "granian", "--interface", "asginl", "--host", settings.bind),
            *("--port", str(settings.port), "--workers", str(settings.web_workers)),
            *("--backlog", str(BACKLOG), "--http", "1", "--no-ws", "--no-access-log"),
            *("--workers-kill-timeout", "10", "--respawn-failed-workers", "--log-level", "error"),
            "parcelward.doors.asgi:application",
        ],
    )


def _free(bind: str, port: int) -> bool:
    """Return whether the port can be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError:
            return False
    return True
