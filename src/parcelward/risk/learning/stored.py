"""A model as one text: its trees as LightGBM writes them, its features, its calibration, and what it was learnt from.

JSON and no pickle, so reading it runs nothing. Its trees are read by C++ that trusts them, so a text is read only under
the digest that whoever approved the model wrote down, and only if it asks for features that there are.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from typing import Final

import lightgbm
import msgspec

from parcelward.risk.learning.calibration import Sigmoid
from parcelward.risk.learning.model import Learnt, Model
from parcelward.risk.learning.rows import Columns, Ratio

FORMAT: Final = "parcelward-risk-model-1"
BYTES_MAX: Final = 32 * 1024 * 1024


class BadModel(ValueError):
    """A text that is no model of ours, is not the one that was meant, or asks for features that there are not."""


class _Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    made_by: str
    given: tuple[str, ...]
    ratios: tuple[Ratio, ...]
    sigmoid: Sigmoid
    learnt: Learnt
    trees: str


def written(model: Model) -> bytes:
    """Return a model as a text. The same model is always the same text."""
    columns = model.columns
    trees = model.booster.model_to_string()
    made_by = f"lightgbm {lightgbm.__version__}"
    text = _Text(FORMAT, made_by, columns.given, columns.ratios, model.sigmoid, model.learnt, trees)
    return msgspec.json.format(msgspec.json.encode(text, order="sorted"), indent=1)


def digest(text: bytes) -> str:
    """Return the SHA-256 by which a text is approved and asked for."""
    return hashlib.sha256(text).hexdigest()


def read(text: bytes, *, expected: str, features: Collection[str]) -> Model:
    """Return the model of a text. Raises BadModel unless it has the expected digest, and all it asks for is there."""
    if len(text) > BYTES_MAX or not hmac.compare_digest(digest(text), expected):
        raise BadModel("this is not the model that was approved: its digest is another")
    try:
        found = msgspec.json.decode(text, type=_Text)
    except msgspec.DecodeError as error:
        raise BadModel(f"this is no model: {error}") from None
    if found.format != FORMAT:
        raise BadModel(f"this is a model of the form {found.format[:40]!r}, not {FORMAT!r}")
    absent = sorted(set(found.given) - set(features))
    if absent:
        raise BadModel(f"the model asks for features that there are not: {', '.join(absent)}")
    try:
        booster = lightgbm.Booster(model_str=found.trees)
        return Model(booster, Columns(found.given, found.ratios), found.sigmoid, found.learnt)
    except (ValueError, lightgbm.basic.LightGBMError) as error:
        raise BadModel(f"the model's parts do not belong together: {error}") from None
