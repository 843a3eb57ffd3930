"""What is stored of selling a delivery."""

from parcelward.shipping.models.addressbook import AddressEntry
from parcelward.shipping.models.customs import CustomsData
from parcelward.shipping.models.easypost import Remembered
from parcelward.shipping.models.orders import Order, OrderItem, Quote, SenderAddress
from parcelward.shipping.models.tariffs import TariffVersion
from parcelward.shipping.models.uploads import ColumnsKnown, Upload, UploadRow
from parcelward.shipping.models.webhooks import (
    SenderItem,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
    WebhookSecret,
)

__all__ = [
    "AddressEntry",
    "ColumnsKnown",
    "CustomsData",
    "Order",
    "OrderItem",
    "Quote",
    "Remembered",
    "SenderAddress",
    "SenderItem",
    "TariffVersion",
    "Upload",
    "UploadRow",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMessage",
    "WebhookSecret",
]
