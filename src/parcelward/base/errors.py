"""Every error a caller can meet: a stable code, an HTTP status, and safe words.

ParcelwardError
  ├─ Invalid          422  the request itself is wrong
  ├─ NotKnown         401  nobody has proven who asks
  ├─ NotAllowed       403  the one who asks may not
  ├─ NotFound         404  nothing here that this caller may see
  ├─ Conflict         409  right request, wrong moment
  ├─ TooLarge         413  more than one request may carry
  ├─ TooMany          429  slow down and retry
  └─ Busy             503  back off and retry
       └─ NotDurable  503  the database could lose what it confirms, so nothing is recorded
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong, and where: `pointer` is a JSON Pointer (RFC 6901) into the request body."""

    pointer: str
    code: str
    message: str
    suggestion: str = ""


class ParcelwardError(Exception):
    """An error with a stable `code` for machines, a sentence for people, and the `problems` that make it up.

    The sentence never carries personal data or what the caller typed, only where it stood and what to do.
    """

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        problems: tuple[Problem, ...] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.problems = problems
        self.retry_after_s = retry_after_s


class Invalid(ParcelwardError):
    """The request itself is wrong; sending it again unchanged cannot help."""

    status = 422
    default_code = "invalid"
    title = "The request is not valid"


class NotKnown(ParcelwardError):
    """Nobody has proven who asks."""

    status = 401
    default_code = "not_known"
    title = "Sign the request or sign in"


class NotAllowed(ParcelwardError):
    """The one who asks may not do this."""

    status = 403
    default_code = "not_allowed"
    title = "Not allowed"


class NotFound(ParcelwardError):
    """Nothing here that this caller may see; unknown and forbidden look alike."""

    status = 404
    default_code = "not_found"
    title = "Not found"


class Conflict(ParcelwardError):
    """The right request at the wrong moment."""

    status = 409
    default_code = "conflict"
    title = "Conflict with the present state"


class TooLarge(ParcelwardError):
    """More than one request may carry."""

    status = 413
    default_code = "too_large"
    title = "The request is too large"


class TooMany(ParcelwardError):
    """The caller asks too often."""

    status = 429
    default_code = "too_many"
    title = "Too many requests"


class Busy(ParcelwardError):
    """We cannot take this now; nothing was stored, so send it again."""

    status = 503
    default_code = "busy"
    title = "Busy: try again shortly"


class NotDurable(Busy):
    """The database runs with a setting that could lose a commit: nothing is recorded until its operator turns it on."""

    default_code = "not_durable"
    title = "The database could lose what is recorded"
