"""A model as a text comes back as it was, and nothing else is read as one."""

from __future__ import annotations

import json

import pytest
from tests.risk.learning.past import NAMES, model, row

from parcelward.risk.learning.stored import BadModel, digest, read, written

TEXT = written(model())


def changed(**parts: object) -> bytes:
    return json.dumps(json.loads(TEXT) | parts).encode()


def test_what_is_read_scores_as_what_was_written() -> None:
    again = read(TEXT, expected=digest(TEXT), features=[*NAMES, "another"])
    assert [again.score(row(nth)) for nth in range(0, 6_000, 97)] == [
        model().score(row(nth)) for nth in range(0, 6_000, 97)
    ]
    assert again.learnt == model().learnt
    assert written(again) == TEXT


def test_another_text_than_the_approved_one_is_refused() -> None:
    with pytest.raises(BadModel, match="digest"):
        read(TEXT.replace(b'"slope": ', b'"slope": 1'), expected=digest(TEXT), features=NAMES)


def test_a_feature_that_there_is_not_is_named() -> None:
    with pytest.raises(BadModel, match="cards_1h, noise"):
        read(TEXT, expected=digest(TEXT), features=NAMES[:3])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        changed(format="parcelward-risk-model-2"),
        changed(more=1),
        changed(sigmoid={"slope": -1.0, "intercept": 0.0}),
        changed(given=list(reversed(NAMES))),
        changed(ratios=[]),
        changed(ratios=[{"name": "x", "of": "nothing", "to": "noise"}]),
        changed(trees="tree\nversion=v4\n"),
        changed(trees=""),
    ],
)
def test_what_is_no_model_is_refused(text: bytes) -> None:
    with pytest.raises(BadModel):
        read(text, expected=digest(text), features=NAMES)
