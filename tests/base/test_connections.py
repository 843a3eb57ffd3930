"""A database server that vanishes without a word: its connections end by themselves, and soon."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from parcelward.base import config, db
from parcelward.base.postgres import KEYS, Cluster

SO_ATTACH_FILTER = 26  # socket(7), Linux
SHORT = "?keepalives_idle=1&keepalives_interval=1&keepalives_count=2&tcp_user_timeout=2000"


class Line:
    """A TCP port of this machine that leads to a Unix socket, until it is cut."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._ends: list[socket.socket] = []
        self._port = socket.create_server(("127.0.0.1", 0))
        self.port = self._port.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._port.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._path)
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)

    def cut(self) -> None:
        """Let whatever comes be dropped before TCP sees it: nothing is acknowledged, and no end is announced."""
        nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # one BPF instruction: keep 0 bytes
        for end in self._ends[::2]:
            program = struct.pack("HP", 1, ctypes.addressof(nothing))
            try:
                end.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
            except PermissionError:
                pytest.skip("this kernel lets only root drop what arrives at a socket")

    def close(self) -> None:
        for end in (self._port, *self._ends):
            end.close()


@pytest.fixture
def line(tmp_path) -> Iterator[Line]:
    """A way over TCP to a server on a Unix socket."""
    cluster = Cluster(tmp_path / "theirs", settings=KEYS)
    cluster.start()
    cluster.ensure_database("app")
    made = Line(next(Path(str(psycopg.conninfo.conninfo_to_dict(cluster.url("app"))["host"])).glob(".s.PGSQL.*[0-9]")))
    yield made
    made.close()
    cluster.stop()


def connect(line: Line, more: str = "") -> psycopg.Connection:
    made = db.django_database(f"postgresql://parcelward@127.0.0.1:{line.port}/app{more}")
    assert made["PORT"] == str(line.port)
    names = {"host": made["HOST"], "port": made["PORT"], "user": made["USER"], "dbname": made["NAME"]}
    return psycopg.connect(**names, **made["OPTIONS"], autocommit=True)


def test_every_connection_has_limits_to_its_patience(line):
    with connect(line) as made, socket.fromfd(made.fileno(), socket.AF_INET, socket.SOCK_STREAM) as end:
        set_to = {
            name: end.getsockopt(socket.IPPROTO_TCP, getattr(socket, f"TCP_{name}"))
            for name in ("KEEPIDLE", "KEEPINTVL", "KEEPCNT", "USER_TIMEOUT")
        }
        assert set_to == {"KEEPIDLE": 10, "KEEPINTVL": 5, "KEEPCNT": 4, "USER_TIMEOUT": 30_000}
        assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.parametrize("waiting", [True, False], ids=["while an answer is waited for", "before it is asked"])
def test_a_server_that_vanished_is_given_up(line, waiting):
    """The address may say other limits; here they are shorter, so that the test is."""
    with contextlib.closing(connect(line, SHORT)) as made:
        assert made.execute("SELECT 1").fetchone() == (1,)
        outcome: list[str] = []

        def ask() -> None:
            try:
                made.execute("SELECT pg_sleep(60)" if waiting else "SELECT 1")
            except psycopg.OperationalError as err:
                outcome.append(str(err))

        asking = threading.Thread(target=ask, daemon=True)
        if waiting:
            asking.start()
            time.sleep(0.5)
        line.cut()
        if not waiting:
            asking.start()
        asking.join(15)
        assert outcome, "it would be waited for without end"


def test_the_check_of_a_server_of_ones_own_is_no_more_patient(line, monkeypatch):
    used = {}
    really = psycopg.connect
    monkeypatch.setattr(psycopg, "connect", lambda *args, **names: used.update(names) or really(*args, **names))
    address = f"postgresql://parcelward@127.0.0.1:{line.port}/app?tcp_user_timeout=5000"
    db.require_durable(dataclasses.replace(config.get(), database_url=address, keys_url=""))
    assert used["keepalives_idle"] == db.CONNECTION["keepalives_idle"]
    assert int(used["tcp_user_timeout"]) == 5000
