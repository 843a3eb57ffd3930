"""What others may read of what is sold and what was ordered, as frozen values."""

from parcelward.shipping.order_check import check_orders
from parcelward.shipping.queries.addressbook import address, addresses, find_addresses
from parcelward.shipping.queries.orders import order, orders
from parcelward.shipping.queries.remembered import memories, memories_by_id, memories_by_mark, memory
from parcelward.shipping.queries.reviews import Waiting, in_review, to_review
from parcelward.shipping.queries.sending import held_parcels, looked_at, spent_by_day, standing
from parcelward.shipping.queries.tariffs import tariff, tariff_document, tariff_in_force, tariff_now
from parcelward.shipping.queries.uploads import orders_of, upload, upload_row, upload_rows_of, uploads

__all__ = [
    "Waiting",
    "address",
    "addresses",
    "check_orders",
    "find_addresses",
    "held_parcels",
    "in_review",
    "looked_at",
    "memories",
    "memories_by_id",
    "memories_by_mark",
    "memory",
    "order",
    "orders",
    "orders_of",
    "spent_by_day",
    "standing",
    "tariff",
    "tariff_document",
    "tariff_in_force",
    "tariff_now",
    "to_review",
    "upload",
    "upload_row",
    "upload_rows_of",
    "uploads",
]
