"""What an event's row says beside its columns, from what was sent and who sent it (`rules.Mark`)."""

from __future__ import annotations

from parcelward.base.standards.steps import Step
from parcelward.parcels import rules
from parcelward.parcels.rules import Mark
from parcelward.parcels.wire import ScanIn

_HELD, _RELEASED = int(Step.HELD), int(Step.RELEASED)
_SEAL, _HANDOVER, _AUTHORISED, _UNKNOWN = (
    int(mark) for mark in (Mark.SEAL, Mark.HANDOVER, Mark.AUTHORISED, Mark.UNKNOWN_STEP)
)


def of(scan: ScanIn, step: int, authorised: int, *, at_the_desk: bool) -> int:
    """Return the marks of an event; `authorised` is the mark of a sender who may correct anybody's, or 0.

    A key, in the hands of whoever has copied it, lets nothing go: neither by a release nor by taking a hold back. A
    hold for security has the mark whoever placed it, so that two people release it (`agree_to_release`), and so has
    one for dangerous goods, which somebody with the certificate releases (`desk.release`).
    """
    takes_back = scan.corrects is not None
    lets_go = step == _RELEASED or (step == _HELD and takes_back)
    flags = authorised if at_the_desk or not lets_go else 0
    if step == _HELD and not takes_back:
        reason = scan.reason or ""
        if rules.for_security(reason) or rules.for_goods(reason):
            flags |= _AUTHORISED
    if not step:
        flags |= _UNKNOWN
    if scan.seal is not None:
        flags |= _SEAL
    if scan.handover is not None:
        flags |= _HANDOVER
    return flags
