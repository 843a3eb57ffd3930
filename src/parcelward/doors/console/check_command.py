"""`parcelward check --production`: look for weak settings, and say how to mend each. Exits 1 while one is refused."""

from __future__ import annotations

import argparse
import dataclasses
import json

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to judge by, and how to say it."""
    parser.add_argument("--production", action="store_true", required=True, help="judge as where real parcels travel")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Look, judge, and say what is wrong."""
    django.setup()
    from django.utils import timezone

    from parcelward.base import config
    from parcelward.doors.production import checks, front, looking

    settings, now = config.get(), timezone.now()
    faults = front.faults(settings.public_url, now_s=now.timestamp())
    found = checks.judge(dataclasses.replace(looking.observe(settings, now=now), front=faults))
    refused = [each for each in found if each.severity == checks.Severity.REFUSE]
    for each in found:
        if options.json:
            print(json.dumps(dataclasses.asdict(each)))
        else:
            print(f"{each.severity.upper():<6}  {each.name}: {each.words}.\n        {each.mend}")
    if not options.json:
        total, warned = len(checks.CHECKS), len(found) - len(refused)
        print(f"\n{total} checks: {len(refused)} refuse production, {warned} warn, {total - len(found)} hold.")
    return 1 if refused else 0
