"""The supervisor: parts come up in order, come back when killed, and none outlives it."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from parcelward.base import processes

PROCESS_BACK_S_MAX = 5.0
DATABASE_BACK_S_MAX = 15.0
PLAY_S_MAX = 60.0

PLAY = """
import os, sys
from pathlib import Path
from parcelward.base.postgres import KEYS, Cluster
from parcelward.base import supervisor
from parcelward.base.supervisor import Program, Service, Supervisor, say
home = Path(sys.argv[1])
kinds = sys.argv[2:]
SLEEPER = "import os, time; print('up', os.getpid(), flush=True); time.sleep(600)"
WITH_WORKER = (
    "import os, subprocess, sys, time; "
    "worker = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print('worker', worker.pid, flush=True); time.sleep(600)"
)
STUBBORN = (
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', os.getpid(), flush=True); time.sleep(600)"
)
REFUSING = "import sys; print('tree and checkpoint disagree', flush=True); sys.exit(1)"
RECOVERING = (
    "import os, sys, time; from pathlib import Path; here = Path(sys.argv[1]); tries = len(here.read_text()) if "
    "here.exists() else 0; here.write_text('x' * (tries + 1)); print('try', tries + 1, flush=True); "
    "sys.exit(1) if tries < 6 else time.sleep(600)"
)
FAILING = "import sys; print('no room on the disk'); sys.exit(3)"
parts = []
for kind in kinds:
    if kind == "database":
        cluster = Cluster(home / "main", settings=KEYS)
        def start(cluster=cluster):
            cluster.start()
            say(f"server {cluster.pid}")
        parts.append(Service("database", start, cluster.stop, cluster.alive))
    elif kind == "once":
        parts.append(Program("once", [sys.executable, "-c", "print('prepared')"], once=True))
    elif kind == "talking":
        code = "print(*range(5000), sep=chr(10))"
        parts.append(Program("talking", [sys.executable, "-c", code], once=True))
    elif kind == "bad":
        parts.append(Program("bad", [sys.executable, "-c", FAILING], once=True))
    elif kind in {"refusing", "recovering"}:
        supervisor.RESTART_AFTER_S, supervisor.STEADY_AFTER_S = (0.05, 0.1, 0.2), 5.0
        code = {"refusing": REFUSING, "recovering": RECOVERING}[kind]
        parts.append(Program(kind, [sys.executable, "-c", code, str(home / "tries")]))
    else:
        code = {"web": SLEEPER, "work": SLEEPER, "master": WITH_WORKER, "stubborn": STUBBORN}[kind]
        parts.append(Program(kind, [sys.executable, "-c", code], stop_wait_s=1.0))
sys.exit(Supervisor(parts, lock=home / "up.lock").run(on_ready=lambda: say("all ready")))
"""


class Play:
    """A supervisor in a process of its own, and what it said."""

    def __init__(self, home, *kinds):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PLAY, home, *kinds], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.watch = threading.Timer(PLAY_S_MAX, self.process.kill)  # a line that never comes ends the wait, too
        self.watch.start()
        self.said: list[str] = []
        self.waiting: list[str] = []

    def until(self, pattern):
        """Wait for a line that holds `pattern` and was not waited for before; return its last group."""
        for heard in itertools.chain(tuple(self.waiting), self._listen()):
            if found := re.search(pattern, heard):
                self.waiting.remove(heard)
                return found[found.lastindex or 0]
        raise AssertionError(f"never said {pattern!r}, but: {self.said}")

    def _listen(self):
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            self.waiting.append(line.rstrip())
            yield line.rstrip()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        rest, _ = self.process.communicate(timeout=30)
        self.watch.cancel()
        self.said += rest.splitlines()
        return self.process.returncode


@pytest.fixture
def play(tmp_path):
    plays = []

    def begin(*kinds):
        plays.append(Play(tmp_path, *kinds))
        return plays[-1]

    yield begin
    for one in plays:
        one.end()


def _gone(pid, within_s=10.0):
    deadline = time.monotonic() + within_s
    while processes.born(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes.born(pid)


def test_parts_start_in_order_and_stop_in_reverse(play):
    up = play("once", "web", "work")
    up.until("all ready")
    assert up.end() == 0
    story = [line for line in up.said if re.search(r"ready|done|stopp|prepared", line)]
    assert [re.sub(r" in .*| +", " ", line).strip() for line in story] == [
        "once | prepared",
        "once | done",
        "web | ready",
        "work | ready",
        "all ready",
        "parcelward | stopping",
        "work | stopped",
        "web | stopped",
    ]


def test_a_program_that_runs_once_has_said_all_before_it_is_said_to_be_done(play):
    up = play("talking")
    up.until("all ready")
    said = [line.split("|")[1].strip() for line in up.said if line.startswith("talking")]
    assert said[4999] == "4999"
    assert said[5000].startswith("done in")


def test_a_killed_process_is_back_within_five_seconds(play):
    up = play("web")
    first = int(up.until(r"up (\d+)"))
    up.until("all ready")  # who is killed before has never started, and then the whole does not
    began = time.monotonic()
    os.kill(first, signal.SIGKILL)
    up.until("was ended by SIGKILL; starting it again")
    second = int(up.until(r"up (\d+)"))
    took_s = time.monotonic() - began
    print(f"process back after {took_s:.2f} s")
    assert second != first
    assert took_s < PROCESS_BACK_S_MAX


def test_a_killed_database_is_back_within_fifteen_seconds(play):
    up = play("database", "web")
    pid = int(up.until(r"server (\d+)"))
    up.until("all ready")
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    up.until("database.*starting it again")
    assert int(up.until(r"server (\d+)")) != pid
    took_s = time.monotonic() - began
    print(f"database back after {took_s:.2f} s")
    assert took_s < DATABASE_BACK_S_MAX


def test_what_keeps_ending_is_tried_less_and_less_often_and_that_is_said_once(play):
    up = play("refusing")
    for pause in ("0.05", "0.1"):
        up.until(rf"ended with exit code 1; starting it again in {pause} s")
    told = up.until(r"keeps ending \(ended with exit code 1\); tried once in 0.2 s from now on. It said: (.*)")
    assert told == "tree and checkpoint disagree"
    assert not [line for line in up.said if "started again" in line], "one line of ours an attempt"
    assert sum("starting it again" in line for line in up.said) == 2
    tries = len(up.said)
    for _ in range(4):
        up.until("refusing +. tree and checkpoint disagree")
    assert up.end() == 0
    later = [line for line in up.said[tries:] if "stopp" not in line]
    assert {line.split("|")[1].strip() for line in later} == {"tree and checkpoint disagree"}, "it is said once"


def test_what_stays_up_after_it_kept_ending_is_told(play):
    up = play("recovering")
    up.until("keeps ending")
    up.until("stays up again")
    assert up.said[-1].startswith("recoveri")
    assert sum("keeps ending" in line for line in up.said) == 1


def test_the_pauses_rise_to_a_minute_and_what_was_killed_does_not_wait_that_long():
    from parcelward.base import supervisor

    assert list(supervisor.RESTART_AFTER_S) == sorted(supervisor.RESTART_AFTER_S)
    assert supervisor.RESTART_AFTER_S[-1] == 60
    assert supervisor.KILLED_RESTART_AFTER_S_MAX < PROCESS_BACK_S_MAX


def test_the_workers_of_a_killed_master_are_ended_before_it_starts_again(play):
    up = play("master")
    worker = int(up.until(r"worker (\d+)"))
    with open(f"/proc/{worker}/stat") as stat:  # noqa: PTH123 - one line of the kernel's
        master = int(stat.read().rpartition(")")[2].split()[1])
    os.kill(master, signal.SIGKILL)
    up.until(r"worker (\d+)")
    assert _gone(worker)


def test_nothing_outlives_a_killed_supervisor(play):
    up = play("database", "web")
    server = int(up.until(r"server (\d+)"))
    web = int(up.until(r"up (\d+)"))
    up.process.kill()
    assert _gone(web)
    assert _gone(server)


def test_the_next_run_ends_what_ignored_the_end_of_a_killed_one(play):
    first = play("database", "stubborn")
    server = int(first.until(r"server (\d+)"))
    stubborn = int(first.until(r"up (\d+)"))
    first.process.kill()
    first.process.wait()
    second = play("database", "stubborn")
    second.until(f"ending process {stubborn}, left by a run that was killed")
    second.until("all ready")
    assert _gone(stubborn, within_s=0.5)
    assert _gone(server, within_s=0.5)
    assert second.end() == 0


def test_a_second_run_on_the_same_home_says_so_and_ends(play):
    up = play("web")
    up.until("all ready")
    second = play("web")
    assert second.process.wait(timeout=20) == 1
    assert second.end() == 1
    assert len(second.said) == 1
    assert f"already running on {second.process.args[3]} as process {up.process.pid}" in second.said[0]
    assert up.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_way_of_asking_stops_cleanly(play, number):
    up = play("web")
    web = int(up.until(r"up (\d+)"))
    up.until("all ready")
    up.process.send_signal(number)
    assert up.process.wait(timeout=20) == 0
    assert _gone(web, within_s=0.5)


def test_a_program_that_will_not_stop_is_killed_after_its_time(play):
    up = play("stubborn")
    pid = int(up.until(r"up (\d+)"))
    up.until("all ready")
    began = time.monotonic()
    assert up.end() == 0
    assert time.monotonic() - began < 5
    assert _gone(pid, within_s=0.5)


def test_a_part_that_cannot_start_ends_the_run_with_its_last_words(play):
    up = play("web", "bad", "work")
    assert up.process.wait(timeout=20) == 1
    up.end()
    # On a busy machine the whole run may be over before the first part has said a word.
    web = next((int(found[1]) for line in up.said if (found := re.search(r"up (\d+)", line))), None)
    assert "parcelward | bad ended with exit code 3: no room on the disk; stopping" in up.said
    assert not any("work" in line for line in up.said)
    assert web is None or _gone(web, within_s=0.5)
