"""How well does the fraud model find fraud, on data that others have published results for?

The simulated card transactions of the Fraud Detection Handbook (Le Borgne, Siblini, Lebichot, Bontempi), which are no
part of the project: CONTRIBUTING.md says where they lie. Their protocol: a model is learnt from what was known at the
beginning of the test week, seven days being the delay after which a fraud is known; from the test week go the cards
that were known as compromised, each day as of then. A terminal stands for a device, a card for an account. Features and
settings were chosen on test weeks before 25 July; the week of 8 August is what is reported.

With `--hidden`, then the same with the labels of one kind of fraud hidden from model and features, as if nobody had
ever reported it: how much of it do 100 alerts a day find, with and without places kept for what is only unusual?
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow.parquet as pq
from benchmarks.installation import SEED, report
from numpy.typing import NDArray

from parcelward.risk.features.table import DAY, MONTH, NO_DELAY, WEEK, Feature, What
from parcelward.risk.learning import anomaly, measuring
from parcelward.risk.learning.alerts import UNUSUAL_SHARE, Candidate, chosen
from parcelward.risk.learning.model import Model
from parcelward.risk.learning.replay import replayed
from parcelward.risk.learning.rows import Columns, Numbers, Ratio
from parcelward.risk.learning.training import NEVER, Examples, Settings, learn
from parcelward.risk.wire import Key, Kind, Observation, Outcome, micros

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
FILE = "fraud/fdh_raw_to_2018-08-14.parquet"
FIRST_DAY = dt.datetime(2018, 4, 1, tzinfo=dt.UTC)
TEST_WEEK = dt.date(2018, 8, 8)
KNOWN_AFTER = dt.timedelta(days=7)
ALERTS = 100
DRAWS = 200
SEEDS = 5
PUBLISHED = {"auc": 0.879, "average_precision": 0.687, "card_precision_100": 0.305}
CARD, TERMINAL = Key.ACCOUNT, Key.DEVICE
Whole = NDArray[np.int64]


class Window(Feature):
    """A feature of a window that the product's table has no word for."""

    @property
    def name(self) -> str:
        return f"{self.key}_{self.what}_{self.window.days}d_after_{self.delay.days}d"


def _windows(key: Key, what: What, delay: dt.timedelta, *days: int) -> Iterator[Window]:
    for n in days:
        yield Window(Kind.ORDER, key, what, DAY * n, None, delay)


FEATURES = (
    *_windows(CARD, What.COUNT, NO_DELAY, 1, 7, 30),
    *_windows(CARD, What.MEAN, NO_DELAY, 1, 7, 30),
    *_windows(CARD, What.MEAN, WEEK, 30),
    *_windows(TERMINAL, What.COUNT, NO_DELAY, 1, 7),
    *_windows(TERMINAL, What.MEAN, NO_DELAY, 1, 7, 30),
    *_windows(TERMINAL, What.COUNT, WEEK, 1, 7, 21, 30),
    *_windows(TERMINAL, What.RISK, WEEK, 1, 3, 7, 14, 21, 28, 30),
    *_windows(TERMINAL, What.COUNT, DAY * 28, 7),
    *_windows(TERMINAL, What.RISK, DAY * 28, 7),
)
RISKS = tuple(one for one in FEATURES if one.what is What.RISK)
USUAL_MONTH = f"{CARD}_mean_30d_after_0d"
COLUMNS = Columns(
    ("amount", *(one.name for one in FEATURES)),
    (
        Ratio("amount_to_month", "amount", USUAL_MONTH),
        Ratio("amount_to_week", "amount", f"{CARD}_mean_7d_after_0d"),
        Ratio("day_to_month", f"{CARD}_mean_1d_after_0d", USUAL_MONTH),
        Ratio("week_to_month", f"{CARD}_mean_7d_after_0d", USUAL_MONTH),
        Ratio("amount_to_before", "amount", f"{CARD}_mean_30d_after_7d"),
        Ratio("week_to_before", f"{CARD}_mean_7d_after_0d", f"{CARD}_mean_30d_after_7d"),
        Ratio("day_to_before", f"{CARD}_mean_1d_after_0d", f"{CARD}_mean_30d_after_7d"),
        Ratio("terminal_week_to_month", f"{TERMINAL}_mean_7d_after_0d", f"{TERMINAL}_mean_30d_after_0d"),
    ),
)
WATCHED = ("amount", "amount_to_month")


@dataclass(frozen=True)
class Past:
    """The transactions in order of time; `kind` is 0, or which of the three kinds of fraud."""

    at: list[dt.datetime]
    day: Whole
    card: Whole
    terminal: Whole
    cents: Whole
    kind: Whole

    @property
    def fraud(self) -> NDArray[np.bool_]:
        return self.kind > 0


def past(path: Path, until: dt.date) -> Past:
    """Read the transactions before a day."""
    names = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD_SCENARIO")
    table = pq.read_table(path, columns=list(names))
    rows = sorted(zip(*(table[name].to_pylist() for name in names), strict=True), key=lambda row: (row[1], row[0]))
    rows = [row for row in rows if row[1].date() < until]
    at = [row[1].replace(tzinfo=dt.UTC) for row in rows]
    return Past(
        at,
        np.array([(one - FIRST_DAY).days for one in at]),
        np.array([row[2] for row in rows]),
        np.array([row[3] for row in rows]),
        np.array([round(row[4] * 100) for row in rows]),
        np.array([row[5] for row in rows]),
    )


def values(of: Past, features: tuple[Feature, ...], known: NDArray[np.bool_], first: int, kept: Path | None) -> Numbers:
    """Return the features of every transaction as it was decided, where `known` frauds are found out after a week.

    Those before the day `first` are not read, and unknown. `kept` is a file that spares the replay the next time.
    """
    if kept is not None and kept.exists():
        found: Numbers = np.load(kept)
        return found
    seen = [
        Observation(
            UUID(int=nth),
            Kind.ORDER,
            at,
            {CARD: card.to_bytes(8) + bytes(8), TERMINAL: terminal.to_bytes(8) + bytes(8)},
            cents,
        )
        for nth, (at, card, terminal, cents) in enumerate(
            zip(of.at, of.card.tolist(), of.terminal.tolist(), of.cents.tolist(), strict=True)
        )
    ]
    learnt = (
        (Outcome(seen[nth].id, seen[nth].id, seen[nth].at + KNOWN_AFTER, fraud=True), seen[nth])
        for nth in np.flatnonzero(known).tolist()
    )
    found = np.full((len(seen), len(features)), np.nan)
    for one, read in replayed(seen, learnt, features, FIRST_DAY + DAY * first):
        found[one.id.int] = [np.nan if value is None else value for value in read.values()]
    if kept is not None:
        np.save(kept, found)
    return found


def tested(of: Past, start: int) -> Whole:
    """Return the transactions of the test week that begins on a day, without the cards known as compromised by then."""
    known = set(of.card[(of.day >= start - 14) & (of.day < start - 7) & of.fraud].tolist())
    rows = []
    for nth in range(7):
        known |= set(of.card[(of.day == start - 8 + nth) & of.fraud].tolist())
        today = np.flatnonzero(of.day == start + nth)
        rows.append(today[~np.isin(of.card[today], list(known))])
    return np.concatenate(rows)


def card_precision(day: Whole, card: Whole, fraud: NDArray[np.bool_], scores: Numbers) -> float:
    """Return which share of the 100 most suspicious cards of a day is compromised; one that was found is out of it."""
    found: set[int] = set()
    shares = []
    for today in np.unique(day):
        rows = np.flatnonzero(day == today)
        rows = rows[~np.isin(card[rows], list(found))]
        order = rows[np.argsort(-scores[rows], kind="stable")]
        _, firsts = np.unique(card[order], return_index=True)
        top = card[order[np.sort(firsts)[:ALERTS]]]
        compromised = np.intersect1d(top, card[rows[fraud[rows]]])
        shares.append(len(compromised) / ALERTS)
        found |= set(compromised.tolist())
    return statistics.mean(shares)


def measured(of: Past, rows: Whole, scores: Numbers) -> dict[str, float]:
    """Return the three published measures."""
    fraud = of.fraud[rows]
    return {
        "auc": measuring.auc(fraud, scores),
        "average_precision": measuring.average_precision(fraud, scores),
        "card_precision_100": card_precision(of.day[rows], of.card[rows], fraud, scores),
    }


def intervals(of: Past, rows: Whole, scores: Numbers) -> dict[str, tuple[float, float]]:
    """Return between what each measure lies in 95 of 100 draws of as many cards."""
    draw = np.random.default_rng(SEED)
    cards, at = np.unique(of.card[rows], return_inverse=True)
    order = np.argsort(at, kind="stable")
    starts = np.searchsorted(at[order], np.arange(len(cards) + 1))
    found: dict[str, list[float]] = {name: [] for name in PUBLISHED}
    for _ in range(DRAWS):
        parts = [order[starts[one] : starts[one + 1]] for one in draw.integers(0, len(cards), len(cards))]
        some = np.concatenate(parts)
        fraud = of.fraud[rows[some]]
        card = np.repeat(np.arange(len(parts)), [len(part) for part in parts])  # one drawn twice is two
        found["auc"].append(measuring.auc(fraud, scores[some]))
        found["average_precision"].append(measuring.average_precision(fraud, scores[some]))
        found["card_precision_100"].append(card_precision(of.day[rows[some]], card, fraud, scores[some]))
    return {name: (float(np.quantile(some, 0.025)), float(np.quantile(some, 0.975))) for name, some in found.items()}


def recall(of: Past, rows: Whole, margins: Numbers, surprises: Numbers, share: float, kind: int) -> tuple[float, float]:
    """Return which share of the cards hit by a kind of fraud 100 alerts a day find, and of those hit by the others."""
    found: dict[int, set[int]] = {one: set() for one in (1, 2, 3)}
    hit = {one: set(of.card[rows[of.kind[rows] == one]].tolist()) for one in found}
    gone: set[int] = set()
    for today in np.unique(of.day[rows]):
        strongest: dict[int, tuple[float, float]] = {}
        why: dict[int, set[int]] = {}
        for at in np.flatnonzero(of.day[rows] == today).tolist():
            card, what = int(of.card[rows[at]]), int(of.kind[rows[at]])
            if card not in gone:
                margin, surprise = strongest.get(card, (-np.inf, 0.0))
                strongest[card] = max(margin, float(margins[at])), max(surprise, float(surprises[at]))
                why.setdefault(card, set()).add(what)
        candidates = (Candidate(f"{card:06}", *both) for card, both in strongest.items())
        for card in (int(one) for one, _ in chosen(candidates, ALERTS, share)):
            for what in why[card] - {0}:
                found[what].add(card)
                gone.add(card)
    others = [one for one in found if one != kind]
    return (
        len(found[kind] & hit[kind]) / len(hit[kind]),
        sum(len(found[one]) for one in others) / sum(len(hit[one]) for one in others),
    )


@dataclass(frozen=True)
class Ready:
    """A past with its features, and the week that is tested."""

    of: Past
    values: Numbers
    start: int
    rows: Whole
    kept: Path | None

    def learnt(self, known: NDArray[np.bool_], settings: Settings, seed: int) -> Model:
        """Return the model as of the beginning of the test week, with these frauds known."""
        at = np.array([micros(one) for one in self.of.at])
        late = KNOWN_AFTER // dt.timedelta(microseconds=1)
        examples = Examples(COLUMNS.given, self.values, at, np.where(known, at + late, NEVER))
        return learn(examples, COLUMNS, FIRST_DAY + DAY * self.start, settings, seed=seed)

    def surprises(self) -> Numbers:
        """Return how unusual the tested transactions are, as was usual in the month before."""
        places = [COLUMNS.names.index(name) for name in WATCHED]
        before = (self.of.day >= self.start - MONTH.days) & (self.of.day < self.start)
        usual = anomaly.learn(WATCHED, COLUMNS.widened(self.values[before])[:, places])
        return usual.surprises(COLUMNS.widened(self.values[self.rows])[:, places])


def ready(path: Path, week: dt.date, kept: Path | None) -> Ready:
    """Read the past up to the end of a test week, and make its features."""
    of = past(path, week + WEEK)
    start = (week - FIRST_DAY.date()).days
    file = None if kept is None else kept / f"{week}.npy"
    made = np.column_stack([of.cents.astype(np.float64), values(of, FEATURES, of.fraud, _first(start), file)])
    return Ready(of, made, start, tested(of, start), kept)


def _first(start: int) -> int:
    """Return the first day of which transactions are learnt from."""
    settings = Settings()
    return start - (settings.history + settings.delay).days


def whole(one: Ready, settings: Settings, seeds: int) -> list[tuple[str, float, str]]:
    """Learn with all labels: one model is measured, others say how much of it is the seed's luck."""
    of, fraud = one.of, one.of.fraud[one.rows]
    began = time.process_time()
    models = [one.learnt(of.fraud, settings, seed) for seed in range(1, seeds + 1)]
    learning = (time.process_time() - began) / seeds
    margins = [model.margins(one.values[one.rows]) for model in models]
    found = [measured(of, one.rows, some) for some in margins]
    between = intervals(of, one.rows, margins[0])
    lines = []
    for name, published in PUBLISHED.items():
        low, high = between[name]
        lines += [
            (f"{name}", found[0][name], f"published {published}, 95 %: {low:.3f} to {high:.3f}"),
            (f"  of {seeds} seeds: lowest", min(some[name] for some in found), ""),
            (f"  of {seeds} seeds: highest", max(some[name] for some in found), ""),
        ]
    said = np.array([models[0].sigmoid.of(margin) for margin in margins[0].tolist()])
    perfect = card_precision(of.day[one.rows], of.card[one.rows], fraud, fraud.astype(np.float64))
    return [
        ("transactions tested", float(len(one.rows)), ""),
        ("  of which fraud", float(fraud.sum()), ""),
        ("transactions learnt from", float(models[0].learnt.rows), ""),
        ("  of which fraud", float(models[0].learnt.frauds), ""),
        *lines,
        ("card_precision_100 of whoever knew it all", perfect, ""),
        ("calibration: said on average", said.mean() * 100, "%"),
        ("  and happened", fraud.mean() * 100, "%"),
        ("  mean gap, in tenths", measuring.calibration_error(fraud, said) * 100, "%"),
        ("CPU to learn, with its rehearsal", learning, "s"),
    ]


def hidden(one: Ready, settings: Settings) -> list[tuple[str, float, str]]:
    """Hide one kind of fraud after the other."""
    lines = []
    surprises = one.surprises()
    risks = [1 + FEATURES.index(risk) for risk in RISKS]
    for kind in (1, 2, 3):
        known = one.of.fraud & (one.of.kind != kind)
        some = one.values.copy()
        file = None if one.kept is None else one.kept / f"{one.start}-without-{kind}.npy"
        some[:, risks] = values(one.of, RISKS, known, _first(one.start), file)
        blind = Ready(one.of, some, one.start, one.rows, None)
        margins = blind.learnt(known, settings, 1).margins(some[one.rows])
        for share in (0.0, UNUSUAL_SHARE):
            of_it, of_others = recall(one.of, one.rows, margins, surprises, share, kind)
            words = f"kind {kind} hidden, {share:.0%} kept"
            lines += [(f"{words}: found of it", of_it * 100, "%"), ("  and of the others", of_others * 100, "%")]
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="fraud")
    parser.add_argument("--seconds", type=float, default=0, help="accepted for all benchmarks")
    parser.add_argument("--week", type=dt.date.fromisoformat, default=TEST_WEEK, help="first day of the test week")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--hidden", action="store_true", help="also with one kind of fraud hidden")
    parser.add_argument("--kept", type=Path, help="folder in which the replayed features are kept for the next time")
    options = parser.parse_args()
    path = Path(os.environ.get("PARCELWARD_TEST_DATA") or BESIDE) / FILE
    if not path.exists():
        print(f"\nfraud   not measured: no data in {path}; PARCELWARD_TEST_DATA names the folder (CONTRIBUTING.md)")
        return
    one = ready(path, options.week, options.kept)
    settings = Settings()
    lines = whole(one, settings, options.seeds)
    report("fraud", [*lines, *(hidden(one, settings) if options.hidden else [])], week=options.week.isoformat())


if __name__ == "__main__":
    main()
