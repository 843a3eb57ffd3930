"""`parcelward work`: give entries their place, follow the log, ask witnesses, keep house. Safe to run many."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import gc
import logging
import signal
import threading
import time
from typing import TYPE_CHECKING

import django
import psycopg

from parcelward.doors.console.samples_refused import refuse_samples
from parcelward.doors.console.station_keys import keep_station_keys
from parcelward.doors.console.weak_refused import refuse_weak

if TYPE_CHECKING:
    from parcelward.custody.actions import Sequencer
    from parcelward.custody.errors import LogDiverged

log = logging.getLogger("parcelward.work")

TICK_S = 0.1
FOLLOW_S = 0.25  # between two looks of the followers at what is new in the log
HOUSEKEEPING_S = 600.0
ERASE_AGAIN_S = 86_400.0  # between two nightly rounds: what a restored backup brought back, and what goes by age
SEND_S = 1.0  # between two looks for messages that are due
REPORT_S = 6 * 3600.0  # between two readings of the provider's report
PAY_S = 0.5  # between two looks for payments that are due
LEARN_S = 3600.0  # between two looks whether a model is to be learnt, which is once in a week
SAY_WAITING_S = 3600.0  # between two lines about messages that cannot be sent
CAME_AGAIN_S = 5.0  # between two looks for quarantined events that came again
WITNESS_S = 10.0
TIMESTAMP_S = 60.0  # between two looks for a day without a timestamp
TIMESTAMP_AGAIN_S = (60.0, 300.0, 900.0, 3600.0)  # pauses while the authority does not give one; the last one repeats
TAKE_OVER_S = 1.0  # how often a second worker tries to become the sequencer
STANDSTILL_S = (1.0, 5.0, 15.0, 60.0)  # pauses while files and database disagree; the last one repeats
DAYS_AHEAD = 3  # partitions made before they are needed
TABLES = {"default": "custody_logstate", "keys": "custody_itemsecret"}  # one of each database that `install` makes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no options: everything is configuration."""


def run(_options: argparse.Namespace) -> int:
    """Work until asked to stop."""
    django.setup()
    gc.freeze()  # what was loaded lives as long as the process
    from parcelward.base import config
    from parcelward.privacy import queries as privacy

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    refuse_weak(config.get())
    _wait_for_tables(stop)
    refuse_samples(config.get())
    privacy.require_keys()
    held: list[Sequencer] = []  # the sequencer, while this process is it
    others = [
        threading.Thread(target=_follow, args=(stop,), name="follow", daemon=True),
        threading.Thread(target=_ask_witnesses, args=(stop, held), name="witness", daemon=True),
        threading.Thread(target=_timestamp, args=(stop, held), name="timestamp", daemon=True),
        threading.Thread(target=_capture, args=(stop,), name="capture", daemon=True),
        threading.Thread(target=_send, args=(stop,), name="send", daemon=True),
        threading.Thread(target=_pay, args=(stop,), name="pay", daemon=True),
        threading.Thread(target=_tell_senders, args=(stop,), name="webhooks", daemon=True),
        threading.Thread(target=_lists, args=(stop,), name="lists", daemon=True),
        threading.Thread(target=_learn, args=(stop,), name="learn", daemon=True),
    ]
    for other in others:
        other.start()
    _sequence(stop, held)
    stop.set()
    for other in others:
        other.join(5)
    return 0


def _wait_for_tables(stop: threading.Event) -> None:
    """Return when the databases answer. Raises BadSetting when one was never prepared, or could lose a commit."""
    from django.db import connections
    from django.db.utils import OperationalError

    from parcelward.base import config, db
    from parcelward.base.config import BadSetting

    said = False
    for alias in connections:
        while not stop.is_set():
            try:
                db.require_durable(config.get())
                tables = connections[alias].introspection.table_names()
            except (OperationalError, psycopg.OperationalError):
                if not said:
                    log.warning("work waits for the database")
                said = True
                _close()
                stop.wait(TAKE_OVER_S)
                continue
            if TABLES[alias] not in tables:
                raise BadSetting(f"the database `{alias}` has no tables yet: run `parcelward install` once, then this")
            break


def _sequence(stop: threading.Event, held: list[Sequencer]) -> None:
    """Be the sequencer when nobody else is.

    While the log's files and the database disagree nothing gets a place; the process's other work goes on.
    """
    from django.db.utils import Error

    from parcelward.base import config
    from parcelward.base.errors import NotDurable
    from parcelward.custody.actions import Sequencer
    from parcelward.custody.errors import LogDiverged, LogInUse
    from parcelward.parcels.actions import standstill

    settings = config.get()
    sequencer: Sequencer | None = None
    told: Sequencer | None = None  # the one of which it was said that it goes on
    refused = 0  # how many times in a row
    while not stop.is_set():
        try:
            if sequencer is None:
                sequencer = Sequencer(settings)
                held.append(sequencer)
                log.info("sequencing; the log has %d entries", sequencer.files.size)
            # Under load a turn takes all that came in a tick: each turn costs the same handful of flushes.
            began = time.monotonic()
            sequencer.once()
            if sequencer is not told:
                standstill.close_standstill(now=dt.datetime.now(dt.UTC))
                told, refused = sequencer, 0
            stop.wait(max(0.0, TICK_S - (time.monotonic() - began)))
        except LogInUse:
            stop.wait(TAKE_OVER_S)
        except LogDiverged as err:
            _let_go(sequencer, held)
            sequencer = None
            pause_s = STANDSTILL_S[min(refused, len(STANDSTILL_S) - 1)]
            refused += 1
            _say_standstill(err, pause_s)
            stop.wait(pause_s)
        except (Error, psycopg.Error, OSError, NotDurable) as err:
            log.warning("sequencing waits: %s", type(err).__name__)
            _let_go(sequencer, held)
            sequencer = None
            _close()
            stop.wait(TAKE_OVER_S)
    _let_go(sequencer, held)
    _close()


def _let_go(sequencer: Sequencer | None, held: list[Sequencer]) -> None:
    held.clear()
    if sequencer is not None:
        sequencer.close()


def _say_standstill(err: LogDiverged, pause_s: float) -> None:
    """Say what differs in the worker's output, at the desk and in /readyz."""
    from django.db.utils import Error

    from parcelward.parcels.actions import standstill

    log.error(
        "the log stands still: its files and the database disagree (%s): %s Looking again in %g s; all other work "
        "goes on",
        *(err.differs, err, pause_s),
    )
    try:
        standstill.open_standstill(err.differs, str(err), now=dt.datetime.now(dt.UTC))
    except (Error, psycopg.Error):
        _close()


def _close() -> None:
    from django.db import connections

    for connection in connections.all():
        connection.close()


def _ask_witnesses(stop: threading.Event, held: list[Sequencer]) -> None:
    """Ask every witness in its turn, while this process is the sequencer.

    In a thread of its own: a witness that keeps the line open must delay neither notices nor an erasure that is due.
    """
    from parcelward.base import config
    from parcelward.custody import witnessing

    settings = config.get()
    while settings.witnesses and not stop.wait(TICK_S):
        sequencer = held[0] if held else None
        if sequencer is None:
            continue
        try:
            witnessing.ask_all(settings, sequencer.files)
        except Exception:  # whatever it was, the log goes on unwitnessed and is asked for again
            log.exception("asking the witnesses failed; trying again")
        stop.wait(WITNESS_S)


def _timestamp(stop: threading.Event, held: list[Sequencer]) -> None:
    """Ask the timestamping authority for what it has not seen yet, while this process is the sequencer.

    In a thread of its own: an authority that is slow or away must delay neither the log nor its witnesses.
    """
    from parcelward.base import config
    from parcelward.custody import timestamping

    settings = config.get()
    failed = 0  # how many times in a row
    while settings.tsa_url and not stop.wait(TICK_S):
        if not held:
            continue
        try:
            done = timestamping.stamp_days(settings, clock=lambda: dt.datetime.now(dt.UTC))
        except Exception:  # whatever it was, the log goes on without a timestamp and asks again
            log.exception("asking for a timestamp failed; trying again")
            done = False
        failed = 0 if done else failed + 1
        stop.wait(TIMESTAMP_S if done else TIMESTAMP_AGAIN_S[min(failed, len(TIMESTAMP_AGAIN_S)) - 1])


def _follow(stop: threading.Event) -> None:
    """Run every follower and the housekeeping, each at its pace."""
    from parcelward.base import config, partitions, traces
    from parcelward.base.errors import Busy
    from parcelward.doors.console import retention_command
    from parcelward.parcels import follows
    from parcelward.parcels.actions import came_again, erase_again
    from parcelward.privacy import actions as privacy
    from parcelward.risk import work as risk

    kept_house = looked = erased_again = float("-inf")
    after = 0
    while not stop.is_set():
        try:
            now = time.monotonic()
            follows.catch_up()
            risk.learn_of_disputes()
            if now - looked > CAME_AGAIN_S:
                looked = now
                after = came_again.settle_some(after, now=dt.datetime.now(dt.UTC))
            if now - kept_house > HOUSEKEEPING_S:
                kept_house = now
                today = dt.datetime.now(dt.UTC).date()
                for ahead in range(-1, DAYS_AHEAD):
                    for table in ("parcels_scan_event", "custody_batch"):
                        with contextlib.suppress(Busy):  # the next round makes it, long before it is needed
                            partitions.ensure(table, today + dt.timedelta(days=ahead))
                follows.keep_house(dt.datetime.now(dt.UTC))
                privacy.shred_due(dt.datetime.now(dt.UTC))
                privacy.finish_erasures(dt.datetime.now(dt.UTC))
                privacy.forget_expired(dt.datetime.now(dt.UTC))
                keep_station_keys(dt.datetime.now(dt.UTC))
                if now - erased_again > ERASE_AGAIN_S:
                    erase_again()
                    privacy.delete_again()
                    retention_command.forget(dt.datetime.now(dt.UTC))
                    if traces.is_due(config.get()):  # beside this, which must not wait while many keys are written
                        threading.Thread(target=traces.remove, args=(config.get(),), name="traces", daemon=True).start()
                    erased_again = now
        except Exception:  # a follower that fails is tried again from its cursor; nothing is skipped
            log.exception("following failed; trying again")
            _close()
            stop.wait(TAKE_OVER_S)
        stop.wait(FOLLOW_S)
    _close()


def _capture(stop: threading.Event) -> None:
    """Capture EPCIS documents that were received; in a thread of its own, so that a large one delays no follower."""
    from parcelward.parcels.actions import capture_jobs

    while not stop.is_set():
        try:
            done = capture_jobs.capture_jobs_once()
        except Exception:  # a job that fails is tried again, and given up after a few tries
            log.exception("capturing failed; trying again")
            _close()
            done = 0
            stop.wait(TAKE_OVER_S)
        if not done:
            stop.wait(TICK_S * 5)


def _send(stop: threading.Event) -> None:
    """Send messages that are due; in a thread of its own, so that a slow mail server delays nothing else."""
    from parcelward.base import config
    from parcelward.privacy import actions, queries

    settings = config.get()
    said = float("-inf")
    while not stop.is_set():
        sent = 0
        try:
            sent = actions.deliver_messages(dt.datetime.now(dt.UTC))
            if settings.production and not settings.smtp_url and time.monotonic() - said > SAY_WAITING_S:
                waiting = queries.messages_waiting()
                if waiting:
                    said = time.monotonic()
                    log.warning("%d messages wait: set PARCELWARD_SMTP_URL to a mail server", waiting)
        except Exception:  # what is due stays due, and is tried again
            log.exception("sending messages failed; trying again")
            _close()
            stop.wait(TAKE_OVER_S)
        if not sent:
            stop.wait(SEND_S)
    _close()


def _pay(stop: threading.Event) -> None:
    """Go on with payments and orders; in a thread of its own, so that a slow provider delays nothing else."""
    from parcelward.payments import work
    from parcelward.payments.errors import NoProvider
    from parcelward.shipping import work as orders

    reported = float("-inf")
    while not stop.is_set():
        try:
            done = work.once() + orders.once()
            if time.monotonic() - reported > REPORT_S:
                reported = time.monotonic()
                work.reconcile(dt.datetime.now(dt.UTC))
        except NoProvider:
            break
        except Exception:  # what is due stays due, and is tried again
            log.exception("going on with payments failed; trying again")
            _close()
            done = 0
            stop.wait(TAKE_OVER_S)
        if not done:
            stop.wait(PAY_S)
    _close()


def _tell_senders(stop: threading.Event) -> None:
    """Follow the log for senders and send them webhooks; in a thread of its own, with those that send."""
    from parcelward.shipping.webhooks.delivering import Outbox
    from parcelward.shipping.webhooks.work import run

    outbox = Outbox()
    while not stop.is_set():
        try:
            run(stop, outbox)
        except Exception:  # what is due stays due, and is tried again from the cursor and after its lease
            log.exception("telling senders failed; trying again")
            _close()
            stop.wait(TAKE_OVER_S)
    outbox.close()
    _close()


def _lists(stop: threading.Event) -> None:
    """Look at the rows of lists and make orders of them; in a thread of its own, so that a long one delays nothing."""
    from parcelward.shipping import work

    while not stop.is_set():
        try:
            done = work.lists_once()
        except Exception:  # what is due stays due, and is tried again
            log.exception("going on with lists failed; trying again")
            _close()
            done = 0
            stop.wait(TAKE_OVER_S)
        if not done:
            stop.wait(PAY_S)
    _close()


def _learn(stop: threading.Event) -> None:
    """Learn a model now and then; in a thread of its own, for it takes minutes.

    At no lower priority: it would hold the interpreter while it waits for its turn, and all other threads with it.
    """
    from parcelward.risk import work

    looked = float("-inf")
    while not stop.is_set():
        try:
            work.learn_a_model(dt.datetime.now(dt.UTC))
            if time.monotonic() - looked > ERASE_AGAIN_S:
                looked = time.monotonic()
                work.look_at_drift(dt.datetime.now(dt.UTC))
            work.pick_to_look_at(dt.datetime.now(dt.UTC))
        except Exception:  # what was not learnt is learnt in the next round
            log.exception("learning a model failed; trying again")
        _close()
        stop.wait(LEARN_S)
