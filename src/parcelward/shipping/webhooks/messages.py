"""What a message says: JSON with ids of ours, statuses and times; no name and no address of anybody. Pure."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final
from uuid import UUID

from parcelward.base.standards import identify
from parcelward.parcels.wire import Told, ToldAfter
from parcelward.shipping.webhooks import rules

MESSAGE_PREFIX: Final = "msg_"
ENDPOINT_PREFIX: Final = "whe_"
EVENT_PREFIX: Final = "evt_"


def message_id(message: UUID) -> str:
    """Return the `webhook-id`: the same however often a message is sent."""
    return f"{MESSAGE_PREFIX}{message.hex}"


def item_status(message: UUID, after: ToldAfter, *, sequence: int, mode: str, now: dt.datetime) -> bytes:
    """Return the message that an item stands otherwise than its sender was told before."""
    data = {
        "object": "item",
        "id": identify.item_id(after.item),
        "number": after.number,
        "simulated": after.simulated,
        "sequence": sequence,
        **told(after.told),
        "event": {
            "object": "event",
            "id": f"{EVENT_PREFIX}{after.event_id.hex}",
            "step": after.step.word,
            "event_time": _time(after.event_time),
            "corrects": None if after.corrects is None else f"{EVENT_PREFIX}{after.corrects.hex}",
        },
    }
    return _written(message, rules.ITEM_STATUS, data, mode=mode, now=now)


def test(message: UUID, endpoint: UUID, *, mode: str, now: dt.datetime) -> bytes:
    """Return a message that says nothing but that messages arrive."""
    data = {"object": "webhook_endpoint", "id": f"{ENDPOINT_PREFIX}{endpoint.hex}"}
    return _written(message, rules.TEST, data, mode=mode, now=now)


def told(of: Told) -> dict[str, Any]:
    """Return how an item stands, as JSON has it: what is compared with what its sender was told before."""
    action = of.action_required
    return {
        "status": of.status,
        "status_detail": of.status_detail,
        "reason": of.reason,
        "action_required": None
        if action is None
        else {"who": action.who, "what": action.what, "by": None if action.by is None else _time(action.by)},
    }


def _written(message: UUID, kind: str, data: dict[str, Any], *, mode: str, now: dt.datetime) -> bytes:
    said = {"id": message_id(message), "type": kind, "timestamp": _time(now), "mode": mode, "data": data}
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
