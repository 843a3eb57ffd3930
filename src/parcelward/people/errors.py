"""What can go wrong when somebody says who they are.

NotKnown
  ├─ BadSignature   401  the request's signature, key or sequence header does not hold
  └─ BadProof       401  a passkey or code does not prove who it is
NotAllowed
  └─ MayNot         403  the table of roles says no
"""

from __future__ import annotations

from parcelward.base.errors import NotAllowed, NotKnown


class BadSignature(NotKnown):
    """The request's signature does not hold; the code says which part."""

    default_code = "bad_signature"


class MayNot(NotAllowed):
    """The table of roles says no."""

    default_code = "may_not"


class BadProof(NotKnown):
    """What was shown does not prove who it is; the code says why."""

    default_code = "bad_proof"
