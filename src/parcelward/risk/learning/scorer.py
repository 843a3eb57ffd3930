"""A stored model as the room's scorer: what `risk.scoring.use` takes."""

from __future__ import annotations

from typing import Final

from parcelward.risk.features.store import Values
from parcelward.risk.features.table import TABLE
from parcelward.risk.learning import stored
from parcelward.risk.wire import Score

FEATURES: Final = frozenset(one.name for one in TABLE)


class StoredScorer:
    """Scores an order by its features alone. For any number of threads."""

    def __init__(self, text: bytes, *, expected: str) -> None:
        """Raise BadModel unless it is the model that was approved, and the table has all that it asks for."""
        self._model = stored.read(text, expected=expected, features=FEATURES)
        self.name: Final = f"{stored.FORMAT} {expected[:12]}"
        _ = self._model.effects  # made ready now, and not by the first order

    def score(self, features: Values) -> Score:
        """Return how probably an order is fraud, and which features said so."""
        found = self._model.score(features)
        return Score(found.probability, tuple(why.feature for why in found.reasons))
