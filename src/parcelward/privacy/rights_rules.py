"""What follows from a request about one's own data. No framework, no clock, no database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final

from parcelward.people.wire import Level
from parcelward.privacy.wire import Purpose, Reason, RequestState, Right, Subject

ANSWER_WITHIN: Final = dt.timedelta(days=30)  # GDPR article 12(3): one month; thirty days are never more
EXTENDED_BY: Final = dt.timedelta(days=60)  # the same: two further months, once, with the reason

OPEN: Final = frozenset({RequestState.OPEN, RequestState.WAITING, RequestState.IN_FORCE})
WHILE_RESTRICTED: Final = frozenset({Purpose.OWN_DATA, Purpose.SIGN_IN, Purpose.SECURITY, Purpose.INVESTIGATION})
"""What goes on while somebody's data is restricted (article 18(2)): what they themselves ask for by coming here, and
legal claims and the protection of others."""

_CLOSES: Final[Mapping[Subject, frozenset[Purpose]]] = {
    Subject.NONE: frozenset(Purpose) - WHILE_RESTRICTED,
    Subject.NOTICES: frozenset({Purpose.NOTICE}),
    Subject.CONTACT: frozenset({Purpose.CONTACT}),
    Subject.INVESTIGATION: frozenset({Purpose.INVESTIGATION}),
}
assert _CLOSES.keys() == set(Subject), "every subject closes something"  # noqa: S101 -- a hole must stop the start

REFUSES: Final[Mapping[Right, tuple[Reason, ...]]] = {
    Right.ERASE: (
        *(Reason.LEGAL_HOLD, Reason.LEGAL_DUTY, Reason.DELIVERY_RUNNING, Reason.CLAIM_RUNNING),
        *(Reason.IDENTITY_IN_DOUBT, Reason.UNFOUNDED),
    ),
    Right.OBJECT: (
        *(Reason.COMPELLING_GROUNDS, Reason.CLAIM_RUNNING, Reason.LEGAL_DUTY),
        *(Reason.IDENTITY_IN_DOUBT, Reason.UNFOUNDED),
    ),
}
"""What is answered by somebody here -> the reasons for which it may be refused."""
EXTENDS: Final = (Reason.DELIVERY_RUNNING, Reason.CLAIM_RUNNING, Reason.LEGAL_HOLD, Reason.MANY_REQUESTS)


def closed(in_force: Iterable[tuple[Right, Subject]]) -> frozenset[Purpose]:
    """Return the purposes that are closed by somebody's restriction and upheld objections."""
    return frozenset().union(
        *(_CLOSES[subject] for right, subject in in_force if right in {Right.RESTRICT, Right.OBJECT})
    )


def strong_enough(level: Level, *, strong: bool) -> bool:
    """Return whether a proof does for an export or an erasure.

    Who has proven an address or an identity has more to lose than whoever reads their mail should be able to take:
    a code by e-mail alone is not enough there.
    """
    return strong or level < Level.ADDRESS
