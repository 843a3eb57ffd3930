"""`parcelward provider`: the simulated payment provider, in a process of its own."""

from __future__ import annotations

import argparse
import os
import sys

from parcelward.base import config
from parcelward.base.config import BadSetting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no options: everything is configuration."""


def run(_options: argparse.Namespace) -> int:
    """Become the provider's server; return only when that cannot be."""
    settings = config.get()
    if settings.production:
        raise BadSetting("the simulated payment provider is for test mode: production needs PARCELWARD_STRIPE_KEY")
    return os.execv(  # noqa: S606 -- our own interpreter with our own arguments
        sys.executable,
        [
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--host", settings.bind, "--workers", "1"),
            *("--port", str(settings.provider_port), "--no-ws", "--no-access-log", "--log-level", "error"),
            *("--factory", "parcelward.doors.simulator.provider.server:installed"),
        ],
    )
