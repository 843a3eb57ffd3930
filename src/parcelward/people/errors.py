"""What can go wrong when somebody says who they are.

NotKnown
  ├─ BadSignature   401  the request's signature, key or sequence header does not hold
  └─ BadProof       401  a passkey or code does not prove who it is
NotAllowed
  └─ MayNot         403  the table of roles says no
Invalid
  └─ BadCode        422  a short code is wrong, used, or too old: never said which
TooMany
  └─ TooManyCodes   429  codes were asked for too often
"""

from __future__ import annotations

from parcelward.base.errors import Invalid, NotAllowed, NotKnown, TooMany


class BadSignature(NotKnown):
    """The request's signature does not hold; the code says which part."""

    default_code = "bad_signature"


class MayNot(NotAllowed):
    """The table of roles says no."""

    default_code = "may_not"


class BadProof(NotKnown):
    """What was shown does not prove who it is; the code says why."""

    default_code = "bad_proof"


class BadCode(Invalid):
    """A code is wrong, used, too old or was never sent; nobody learns which."""

    default_code = "bad_code"


class TooManyCodes(TooMany):
    """Codes were asked for too often; `retry_after_s` says when the next may be."""

    default_code = "too_many_codes"
