"""What is stored of selling a delivery."""

from parcelward.shipping.models.orders import Order, OrderItem, Quote, SenderAddress
from parcelward.shipping.models.tariffs import TariffVersion

__all__ = ["Order", "OrderItem", "Quote", "SenderAddress", "TariffVersion"]
