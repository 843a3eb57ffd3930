"""Where verifiable-credential wallets would come in: a port without an implementation.

A wallet (OpenID for Verifiable Presentations with SD-JWT VC or mdoc, as in the EU Digital Identity Wallet) could give
level 3 without a counter. What is needed for it and not here: a list of trusted issuers that somebody keeps, status
lists, and a presentation flow. Until an operator has these, `Method.CREDENTIAL` is in no row, and nothing calls this.

Whoever implements it answers only for the cryptography and the issuer. That the name and the address presented are
those in the vault under `token` is compared by the door that has both in clear, as at the counter; the evidence is then
recorded by an action of this room that asks `Task.PROVE_SELF` and takes the verifier as an argument.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from parcelward.base.vault import Personal


@dataclass(frozen=True, slots=True)
class Presented:
    """What a wallet's owner chose to show, and until when its issuer stands by it."""

    claims: Mapping[str, Personal]
    until: dt.datetime


class CredentialVerifier(Protocol):
    """Verifies presentations. Raises Invalid for one that does not hold, was not made for `nonce`, or is revoked."""

    def verify(self, presentation: bytes, *, nonce: bytes, now: dt.datetime) -> Presented:
        """Return what was presented; the next line runs only if all of it is true."""
        ...
