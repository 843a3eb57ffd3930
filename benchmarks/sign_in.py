"""How long does a sign-in take while 32 people sign in at once, and what do those who follow a parcel notice of it?

A sign-in is what a browser does: the page, a challenge, the passkey's answer; each person from an address of their own.
There are no passphrases, so nothing slow is hashed: what bounds a sign-in is the database. The page is read by a
process of its own, so that it waits for the installation and not for the 32 browsers that this process pretends to be.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from benchmarks.installation import report, running
from tests.passkey import Browser, Passkey

PEOPLE = 32
PAGE_EVERY_S = 0.1
FOUND = 302


def _p(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000


def _joined(url: str) -> list[Passkey]:
    """Let the people join, each with a passkey."""
    from parcelward.people import actions
    from parcelward.people.models import Organisation
    from parcelward.people.wire import Role

    operator = Organisation.objects.get(kind="operator").id
    found = []
    for _ in range(PEOPLE):
        _id, code = actions.invite(operator, Role.SORTER, by=actions.installer())
        browser = Browser(url)
        if browser.join(f"{url}/accounts/join#code={code}").status_code != FOUND:
            raise SystemExit("somebody could not join")
        browser.http.close()
        found.append(browser.passkey)
    return found


def _sign_in(url: str, passkey: Passkey) -> tuple[float, float]:
    """Return the seconds of one whole sign-in and of its last request."""
    browser = Browser(url)
    browser.passkey = passkey
    began = time.perf_counter()
    asked = browser.passkey.get(browser.options())
    token = browser.token("/accounts/sign-in")
    answered = time.perf_counter()
    sent = {"csrfmiddlewaretoken": token, "credential": json.dumps(asked)}
    answer = browser.http.post("/accounts/sign-in/passkey", data=sent, headers={"Referer": url})
    ended = time.perf_counter()
    browser.http.close()
    if answer.status_code != FOUND:
        raise SystemExit(f"not signed in: {answer.status_code}")
    return ended - began, ended - answered


def _read_pages(url: str, seconds: float) -> None:
    """Read a page again and again, as somebody who follows a parcel, and print how long each took."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        with urllib.request.urlopen(f"{url}/", timeout=30) as answer:
            answer.read()
        sys.stdout.write(f"{time.perf_counter() - began}\n")
        time.sleep(PAGE_EVERY_S)


def _reader(url: str, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.sign_in", "--read", url, "--seconds", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _took(reader: subprocess.Popen[str]) -> list[float]:
    said, _ = reader.communicate(timeout=120)
    if reader.returncode:
        raise SystemExit("the page could not be read")
    return [float(line) for line in said.split()]


def _measure(url: str, seconds: float) -> list[tuple[str, float, str]]:
    people = _joined(url)
    quiet = _took(_reader(url, min(5.0, seconds / 2)))
    reader = _reader(url, seconds)
    until = time.monotonic() + seconds

    def one(passkey: Passkey) -> list[tuple[float, float]]:
        found = []
        while time.monotonic() < until:
            found.append(_sign_in(url, passkey))
        return found

    with ThreadPoolExecutor(PEOPLE) as pool:
        all_of_them = [each for found in pool.map(one, people) for each in found]
    busy = _took(reader)
    whole, last = [a for a, _ in all_of_them], [b for _, b in all_of_them]
    return [
        ("people_at_once", PEOPLE, ""),
        ("sign_ins", len(whole), ""),
        ("sign_ins_per_second", len(whole) / seconds, "1/s"),
        ("sign_in_p50_ms", statistics.median(whole) * 1000, "ms"),
        ("sign_in_p95_ms", _p(whole, 0.95), "ms"),
        ("last_request_p95_ms", _p(last, 0.95), "ms"),
        ("page_p95_alone_ms", _p(quiet, 0.95), "ms"),
        ("page_p95_beside_ms", _p(busy, 0.95), "ms"),
    ]


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="sign_in")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.read:
        _read_pages(asked.read, asked.seconds)
        return
    seconds = asked.seconds
    with running() as installation:
        os.environ |= {
            "PARCELWARD_HOME": str(installation.home),
            "PARCELWARD_PORT": installation.url.rsplit(":", 1)[1],
            "DJANGO_SETTINGS_MODULE": "parcelward.doors.settings",
        }
        import django

        django.setup()
        # A passkey belongs to the public address, which is not spelt in numbers.
        rows = _measure(installation.url.replace("127.0.0.1", "localhost"), seconds)
    report("sign_in", rows)


if __name__ == "__main__":
    main()
