"""A real installation for all tests of a process: embedded databases, web, worker, over real HTTP, in its own folder.

In-process tests share its database. `make test` shares the files out among two processes, each with its installation.
Nothing is rolled back: each test works on numbers of its own (`numbers`).
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import psutil
import pytest


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


HOME = Path(tempfile.mkdtemp(prefix="pw-test-"))
PORT, PROVIDER_PORT = _free_port(), _free_port()
for name in [n for n in os.environ if n.startswith("PARCELWARD_") and not n.startswith("PARCELWARD_TEST_")]:
    del os.environ[name]
os.environ.update(
    DJANGO_SETTINGS_MODULE="parcelward.doors.settings",
    PARCELWARD_HOME=str(HOME),
    PARCELWARD_PORT=str(PORT),
    PARCELWARD_PROVIDER_PORT=str(PROVIDER_PORT),
    PARCELWARD_LOG_ORIGIN="test.parcelward.example/log",
    PARCELWARD_RELAY_DOMAIN="relay.post.example",  # so that the screens of contacts are there
    PARCELWARD_WEB_WORKERS="1",  # what is recorded in this process is remembered (parcels/actions/kept.py)
)

import django  # noqa: E402 -- the environment comes first

django.setup()

from tests.passkey import Browser  # noqa: E402 -- the environment comes first
from tests.scanner import SEED, Scanner, new_number  # noqa: E402 -- the environment comes first

os.environ["PARCELWARD_TEST_SEED"] = str(SEED)  # the processes that share a run's files have one seed

hypothesis.settings.register_profile(
    "here",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],  # two processes share the machine: slow is no finding
)
hypothesis.settings.load_profile("here")
START_WAIT_S = 180.0  # a busy machine starts slowly


def pytest_report_header() -> str:
    return f"seed {SEED} (PARCELWARD_TEST_SEED repeats it); installation in {HOME}, or for each process in its own"


def pytest_sessionfinish() -> None:
    if not os.environ.get("PARCELWARD_TEST_KEEP"):
        shutil.rmtree(HOME, ignore_errors=True)


@dataclasses.dataclass(frozen=True)
class Installation:
    """A running Parcelward."""

    url: str
    home: Path
    api_key: str
    device_id: str
    key_id: str
    private_key: bytes
    people: dict[str, list[str]]  # role -> the links that let somebody in
    process: subprocess.Popen[bytes]

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the administrator's API key."""
        return {"Authorization": f"Bearer {self.api_key}"}

    def worker(self) -> psutil.Process:
        """Return the process that sequences. One that ends meanwhile, such as a server's backend, is passed over."""
        running = psutil.process_iter(["cmdline"])
        works = [each for each in running if (each.info["cmdline"] or [])[-1:] == ["work"]]
        return next(each for each in works if self.process.pid in {parent.pid for parent in each.parents()})


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Start everything once, without the sample town."""
    with (HOME / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "parcelward.doors.console", "up", "--empty"],
            env={**os.environ, "PARCELWARD_WEB_WORKERS": "2"},  # one alone would throttle this one address that asks
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _when_ready(process)
    finally:
        from django.db import connections

        from parcelward.risk import here

        here.stop()  # or its thread would say, after the last test, that the database is gone
        for connection in connections.all():
            connection.close()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def _when_ready(process: subprocess.Popen[bytes]) -> Installation:
    url = f"http://localhost:{PORT}"
    deadline = time.monotonic() + START_WAIT_S
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail("the installation did not start:\n" + (HOME / "up.log").read_text()[-3000:])
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                break
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    samples = json.loads((HOME / "samples.json").read_text())
    return Installation(
        url=url,
        home=HOME,
        api_key=samples["api_key"],
        device_id=samples["device"]["device_id"],
        key_id=samples["device"]["key_id"],
        private_key=base64.b64decode(samples["device"]["private_key_ed25519_base64"]),
        people=_by_role(samples["people"]),
        process=process,
    )


def _by_role(people: list[dict[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for person in people:
        found.setdefault(person["role"], []).append(person["sign_in"])
    return found


@pytest.fixture
def browser(installation: Installation) -> Iterator[Callable[[], Browser]]:
    """Return what opens a browser with a passkey of its own; all are closed after the test."""
    opened: list[Browser] = []

    def open_one() -> Browser:
        opened.append(Browser(installation.url))
        return opened[-1]

    yield open_one
    for one in opened:
        one.http.close()


@pytest.fixture
def link(installation: Installation) -> Iterator[Callable[..., str]]:
    """Return what makes a new invitation's link, as at the console: of the operator, or of an organisation."""

    def make(role: str = "clerk", organisation: Any = None) -> str:
        from django.db import connection

        from parcelward.people import actions
        from parcelward.people.models import Organisation
        from parcelward.people.wire import Role

        try:
            of = organisation or Organisation.objects.get(kind="operator").id
            _id, code = actions.invite(of, Role(role), by=actions.installer())
        finally:
            connection.close()
        return f"{installation.url}/accounts/join#code={code}"

    # Where a browser is driven, an event loop runs in the test's own thread, and none may ask the database.
    with ThreadPoolExecutor(1) as apart:
        yield lambda *asked: apart.submit(make, *asked).result(60)


@pytest.fixture(scope="session")
def staff(installation: Installation) -> Iterator[Callable[[str], Browser]]:
    """Return a browser that is signed in with a role's sample passkey; one for each role, joined when first asked."""
    joined: dict[str, Browser] = {}

    def signed_in(role: str) -> Browser:
        if role not in joined:
            browser = Browser(installation.url)
            assert browser.join(installation.people[role].pop()).status_code == 302
            joined[role] = browser
        if not joined[role].signed_in():
            joined[role].sign_in()
        return joined[role]

    yield signed_in
    for one in joined.values():
        one.http.close()


@pytest.fixture(scope="session")
def live_url(installation: Installation) -> str:
    return installation.url


@pytest.fixture
def number() -> str:
    """Return an item number that no other test uses."""
    return new_number()


@pytest.fixture(scope="session")
def facilities(installation: Installation) -> tuple[str, ...]:
    """Describe a few places and return their codes."""
    codes = ("TEST-A", "TEST-B", "TEST-HUB")
    for code in codes:
        body = {
            "name": f"{code} office",
            "kind": "hub" if code.endswith("HUB") else "office",
            "country": "US",
            "time_zone": "America/Chicago",
            "coarse_place": "Springfield, IL",
            "position": [-89.65, 39.78],
            "simulated": True,
        }
        httpx.put(
            f"{installation.url}/api/v1/facilities/{code}", json=body, headers=installation.headers, timeout=30
        ).raise_for_status()
    return codes


@pytest.fixture(scope="module")
def scanner(installation: Installation, facilities: tuple[str, ...]) -> Scanner:
    """Enrol a device for the tests of one file."""
    return Scanner(installation)
