"""What is stored of selling a delivery."""

from parcelward.shipping.models.easypost import Remembered
from parcelward.shipping.models.orders import Order, OrderItem, Quote, SenderAddress
from parcelward.shipping.models.tariffs import TariffVersion
from parcelward.shipping.models.webhooks import (
    SenderItem,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
    WebhookSecret,
)

__all__ = [
    "Order",
    "OrderItem",
    "Quote",
    "Remembered",
    "SenderAddress",
    "SenderItem",
    "TariffVersion",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMessage",
    "WebhookSecret",
]
