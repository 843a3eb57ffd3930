"""Compare models with their entries: part of `verify-log`. Whoever could turn one would let any order score low."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from parcelward.custody.queries import Findings, told
from parcelward.risk.models import LearntModel, Stated

LEARNT: Final = "risk.model_learnt"
MOVED: Final = "risk.model_moved"
STATED: Final = "risk.costs_stated"


def check_models(findings: Findings) -> None:
    """Note every model that is not what the log's entries say."""
    said: dict[str, tuple[str, str, str, int | None]] = {}
    for kind, entry, _ in told(LEARNT, MOVED):
        model = entry["model"]
        if kind == LEARNT:
            said[model] = entry["digest"], entry["card_sha256"], "challenger", None
        elif model in said:
            said[model] = *said[model][:2], entry["stage"], entry["by"]
    for row in LearntModel.objects.all():
        card = hashlib.sha256(row.card.encode()).hexdigest()
        is_so = hashlib.sha256(bytes(row.text)).hexdigest(), card, row.stage, row.moved_by
        if said.pop(str(row.id), None) != is_so:
            findings.note(f"Model {row.id} is not what the log's entries say.", differs="model")
    for model in said:
        findings.note(f"Model {model} was learnt and is gone.", differs="model")
    stated = {entry["stated"]: (entry["costs"], entry["looks_a_day"], entry["by"]) for _, entry, _ in told(STATED)}
    for one in Stated.objects.all():
        body = json.loads(one.body)
        if stated.pop(one.id, None) != (body["costs"], body["looks_a_day"], one.by):
            findings.note(f"What was stated under {one.id} is not what the log's entries say.", differs="model")
    for gone in stated:
        findings.note(f"What was stated under {gone} is gone.", differs="model")
