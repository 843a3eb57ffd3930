"""What can go wrong when a delivery is sold.

Invalid
  ├─ BadTariff        422  a tariff that cannot be sold by, with every place where it is wrong
  ├─ BadOrder         422  an order that cannot be sold, with everything that is wrong with it
  ├─ BadCustoms       422  customs data that are not complete, with everything that is missing
  └─ BadEndpoint      422  an endpoint of webhooks that cannot be as described
Conflict
  ├─ NoTariff         409  nothing is sold here yet
  ├─ NotNow           409  the order does not stand as this needs it
  ├─ QuoteOver        409  the quote's prices hold no longer, or it is of another parcel
  └─ EndpointChanged  412  somebody else changed the endpoint meanwhile
"""

from __future__ import annotations

from typing import ClassVar

from parcelward.base.errors import Conflict, Invalid


class BadTariff(Invalid):
    """The tariff cannot be used: `problems` says where, and what to write instead. The one before it stays."""

    default_code: ClassVar[str] = "bad_tariff"
    title: ClassVar[str] = "This tariff cannot be used"


class BadOrder(Invalid):
    """The order cannot be sold: `problems` says what to mend. Nothing was bought, and nothing is kept of it."""

    default_code: ClassVar[str] = "bad_order"
    title: ClassVar[str] = "This order cannot be sold as it is"


class BadCustoms(Invalid):
    """What was declared to customs is not complete: `problems` says what is missing. Nothing was changed."""

    default_code: ClassVar[str] = "bad_customs"
    title: ClassVar[str] = "Customs needs more than this"


class BadFile(Invalid):
    """The file cannot be read as a list of orders; nothing of it was kept."""

    default_code: ClassVar[str] = "bad_file"
    title: ClassVar[str] = "This file cannot be read"


class NoTariff(Conflict):
    """Nothing is sold here yet: the operator has to say what, and for how much."""

    default_code: ClassVar[str] = "no_tariff"
    title: ClassVar[str] = "Nothing is sold here yet"


class NotNow(Conflict):
    """The order does not stand as this needs it; nothing was changed."""

    default_code: ClassVar[str] = "not_now"
    title: ClassVar[str] = "This order does not stand so"


class QuoteOver(Conflict):
    """The quote's prices hold no longer, or it is of another parcel: ask for a new one."""

    default_code: ClassVar[str] = "quote_over"
    title: ClassVar[str] = "This quote holds no longer"


class BadEndpoint(Invalid):
    """An endpoint that cannot be as described: `problems` says which part."""

    default_code: ClassVar[str] = "bad_endpoint"
    title: ClassVar[str] = "This endpoint cannot be used"


class EndpointChanged(Conflict):
    """The endpoint is not as the caller has read it (If-Match, RFC 9110 section 13.1.1)."""

    status: ClassVar[int] = 412
    default_code: ClassVar[str] = "changed"
    title: ClassVar[str] = "Changed meanwhile"
