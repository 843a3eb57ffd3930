"""The model that scores in this process: taken up when a person has let one, put down when it is taken away.

LightGBM is loaded only where there is a model: without one a process has rules alone, and is none the larger.
"""

from __future__ import annotations

import logging
from typing import Final

from parcelward.base import db
from parcelward.risk import scoring

log = logging.getLogger("parcelward.risk")

_WHICH: Final = "SELECT digest FROM risk_learntmodel WHERE stage = 'champion'"
_TEXT: Final = "SELECT text FROM risk_learntmodel WHERE digest = %s"

_taken: str = ""
"""The digest of the model that was taken up last, or of one that could not be: it is not tried again and again."""


def take_up() -> None:
    """Let the champion of now score in this process. Safe to run any number of times, by one thread."""
    global _taken  # noqa: PLW0603 -- one model for a process
    with db.cursor() as cur:
        row = cur.execute(_WHICH).fetchone()
        digest = "" if row is None else row[0]
        if digest == _taken:
            return
        text = b"" if not digest else bytes(cur.execute(_TEXT, (digest,)).fetchall()[0][0])
    _taken = digest
    if not digest:
        scoring.use(None)
        return
    try:
        from parcelward.risk.learning.scorer import StoredScorer  # noqa: PLC0415 -- only where there is a model

        scoring.use(StoredScorer(text, expected=digest))
    except (ValueError, ImportError, OSError) as bad:  # no model of ours, or LightGBM's library is not there
        scoring.use(None)
        log.error("the model %s cannot be used: %s", digest[:12], bad)  # noqa: TRY400 -- the sentence says it
