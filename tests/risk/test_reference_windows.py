"""The windows of the Fraud Detection Handbook, reproduced over a whole week: its data is at hand for tests only."""

from __future__ import annotations

import datetime as dt
import struct
from uuid import UUID

import pyarrow.parquet as pq
import pytest
from tests.shared_data import path

from parcelward.risk.features.store import Store
from parcelward.risk.features.table import DAY, MONTH, NO_DELAY, OUTCOMES_AFTER, WEEK, Feature, What
from parcelward.risk.wire import Key, Kind, Observation, Outcome

CUSTOMER, TERMINAL = Key.ACCOUNT, Key.DEVICE
COLUMNS = {DAY: "1DAY", WEEK: "7DAY", MONTH: "30DAY"}
WANTED = {
    f"{table}_{word}_{column}_WINDOW": Feature(Kind.ORDER, key, what, window, delay=delay)
    for table, key, word, what, delay in (
        ("CUSTOMER_ID", CUSTOMER, "NB_TX", What.COUNT, NO_DELAY),
        ("CUSTOMER_ID", CUSTOMER, "AVG_AMOUNT", What.MEAN, NO_DELAY),
        ("TERMINAL_ID", TERMINAL, "NB_TX", What.COUNT, OUTCOMES_AFTER),
        ("TERMINAL_ID", TERMINAL, "RISK", What.RISK, OUTCOMES_AFTER),
    )
    for window, column in COLUMNS.items()
}
RAW = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD")


def single(value: float) -> float:
    """Return a number as 32 bits hold it."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def seen(nth: int, row: tuple[int, dt.datetime, int, int, float, int]) -> tuple[Observation, bool]:
    """Return a transaction as an observation, in the order of the file, and whether it was fraud."""
    _, at, customer, terminal, amount, fraud = row
    keys = {CUSTOMER: customer.to_bytes(8) + bytes(8), TERMINAL: terminal.to_bytes(8) + bytes(8)}
    at = at.replace(tzinfo=dt.UTC)
    return Observation(UUID(int=nth), Kind.ORDER, at, keys, round(amount * 100)), bool(fraud)


@pytest.mark.shared
@pytest.mark.slow
def test_the_reference_windows_are_reproduced():
    raw = pq.read_table(path("fraud/fdh_raw_to_2018-08-14.parquet"), columns=list(RAW))
    reference = pq.read_table(path("fraud/fdh_reference_windows_2018-08-08_to_14.parquet"))
    ids = reference["TRANSACTION_ID"].to_pylist()
    expected = dict(zip(ids, zip(*(reference[name].to_pylist() for name in WANTED), strict=True), strict=True))
    assert len(expected) == 67_080
    store = Store(tuple(WANTED.values()))
    differing: list[tuple[int, str, float | None, float]] = []
    compared = 0
    rows = list(zip(*(raw[name].to_pylist() for name in RAW), strict=True))
    # The reference sorts by time alone, and not stably: of its two pairs of one customer in one second, one stands the
    # other way round. Which of a pair came first is taken from its count; all else is ours.
    rows.sort(key=lambda row: (row[1], expected[row[0]][0] if row[0] in expected else 0))
    since = min(row[1] for row in rows if row[0] in expected) - MONTH - OUTCOMES_AFTER - DAY
    for nth, row in enumerate(rows):
        if row[1] < since:
            continue
        one, fraud = seen(nth, row)
        store.observe(one)
        if fraud:
            store.learn(Outcome(UUID(int=nth), one.id, one.at, fraud=True), one)
        if row[0] not in expected:
            continue
        compared += 1
        values = store.read_for(one)
        for (name, feature), wanted in zip(WANTED.items(), expected[row[0]], strict=True):
            found = values[feature.name]
            assert found is not None
            if feature.what is What.MEAN:
                found = found / 100
            if single(found) != wanted:
                differing.append((row[0], name, found, wanted))
    assert compared == len(expected)
    assert differing == []
