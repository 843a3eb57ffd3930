"""What others may read of what is sold and what was ordered, as frozen values."""

from parcelward.shipping.order_check import check_orders
from parcelward.shipping.queries.orders import order, orders
from parcelward.shipping.queries.remembered import memories, memories_by_id, memories_by_mark, memory
from parcelward.shipping.queries.reviews import Waiting, in_review, to_review
from parcelward.shipping.queries.sending import held_parcels, looked_at, spent_by_day, standing
from parcelward.shipping.queries.tariffs import tariff, tariff_document, tariff_in_force

__all__ = [
    "Waiting",
    "check_orders",
    "held_parcels",
    "in_review",
    "looked_at",
    "memories",
    "memories_by_id",
    "memories_by_mark",
    "memory",
    "order",
    "orders",
    "spent_by_day",
    "standing",
    "tariff",
    "tariff_document",
    "tariff_in_force",
    "to_review",
]
