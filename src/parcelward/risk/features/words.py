"""What each feature is in words, with its value in them: English, translated for their reader (risk/rule_words.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from parcelward.risk.features.table import TABLE


def _(text: str) -> str:
    """Mark a text to be translated."""
    return text


WORDS: Final[Mapping[str, str]] = {
    "account_order_count_1h": _("%(value)s orders of this account in 1 h"),
    "account_order_count_1d": _("%(value)s orders of this account in 1 d"),
    "account_order_count_7d": _("%(value)s orders of this account in 7 d"),
    "account_order_count_30d": _("%(value)s orders of this account in 30 d"),
    "account_order_sum_1d": _("%(value)s in orders of this account in 1 d"),
    "account_order_sum_7d": _("%(value)s in orders of this account in 7 d"),
    "account_order_mean_1d": _("%(value)s on average for orders of this account in 1 d"),
    "account_order_mean_7d": _("%(value)s on average for orders of this account in 7 d"),
    "account_order_mean_30d": _("%(value)s on average for orders of this account in 30 d"),
    "account_order_distinct_addressee_1d": _("%(value)s different addressees in orders of this account in 1 d"),
    "account_order_distinct_addressee_7d": _("%(value)s different addressees in orders of this account in 7 d"),
    "account_order_distinct_card_1d": _("%(value)s different cards in orders of this account in 1 d"),
    "account_order_distinct_card_7d": _("%(value)s different cards in orders of this account in 7 d"),
    "account_order_distinct_device_7d": _("%(value)s different devices in orders of this account in 7 d"),
    "account_order_risk_30d": _("a share of %(value)s of orders of this account in 30 d known as fraud"),
    "card_order_count_1h": _("%(value)s orders with this card in 1 h"),
    "card_order_count_1d": _("%(value)s orders with this card in 1 d"),
    "card_order_count_7d": _("%(value)s orders with this card in 7 d"),
    "card_order_sum_1d": _("%(value)s in orders with this card in 1 d"),
    "card_order_distinct_account_7d": _("%(value)s different accounts in orders with this card in 7 d"),
    "card_order_risk_30d": _("a share of %(value)s of orders with this card in 30 d known as fraud"),
    "device_order_count_1h": _("%(value)s orders from this device in 1 h"),
    "device_order_count_1d": _("%(value)s orders from this device in 1 d"),
    "device_order_distinct_account_7d": _("%(value)s different accounts in orders from this device in 7 d"),
    "device_order_distinct_card_7d": _("%(value)s different cards in orders from this device in 7 d"),
    "device_order_risk_30d": _("a share of %(value)s of orders from this device in 30 d known as fraud"),
    "address_order_count_1d": _("%(value)s orders to this address in 1 d"),
    "address_order_count_7d": _("%(value)s orders to this address in 7 d"),
    "address_order_distinct_account_7d": _("%(value)s different accounts in orders to this address in 7 d"),
    "address_order_risk_1d": _("a share of %(value)s of orders to this address in 1 d known as fraud"),
    "address_order_risk_7d": _("a share of %(value)s of orders to this address in 7 d known as fraud"),
    "address_order_risk_30d": _("a share of %(value)s of orders to this address in 30 d known as fraud"),
    "addressee_order_count_1d": _("%(value)s orders to this addressee in 1 d"),
    "addressee_order_count_7d": _("%(value)s orders to this addressee in 7 d"),
    "addressee_order_sum_7d": _("%(value)s in orders to this addressee in 7 d"),
    "addressee_order_distinct_account_7d": _("%(value)s different accounts in orders to this addressee in 7 d"),
    "addressee_order_risk_30d": _("a share of %(value)s of orders to this addressee in 30 d known as fraud"),
    "network_order_count_1h": _("%(value)s orders from this network in 1 h"),
    "network_order_count_1d": _("%(value)s orders from this network in 1 d"),
    "network_order_distinct_account_1d": _("%(value)s different accounts in orders from this network in 1 d"),
    "network_order_risk_7d": _("a share of %(value)s of orders from this network in 7 d known as fraud"),
    "account_declined_count_1h": _("%(value)s declined payments of this account in 1 h"),
    "account_declined_count_1d": _("%(value)s declined payments of this account in 1 d"),
    "device_declined_count_1h": _("%(value)s declined payments from this device in 1 h"),
    "device_declined_count_1d": _("%(value)s declined payments from this device in 1 d"),
    "network_declined_count_1h": _("%(value)s declined payments from this network in 1 h"),
    "network_declined_distinct_card_1d": _("%(value)s different cards in declined payments from this network in 1 d"),
    "printer_label_count_1h": _("%(value)s labels from this printer in 1 h"),
    "printer_label_count_1d": _("%(value)s labels from this printer in 1 d"),
    "printer_label_distinct_account_7d": _("%(value)s different accounts in labels from this printer in 7 d"),
    "account_order_distinct_card_1h": _("%(value)s different cards in orders of this account in 1 h"),
    "device_order_distinct_card_1h": _("%(value)s different cards in orders from this device in 1 h"),
    "network_order_distinct_card_1h": _("%(value)s different cards in orders from this network in 1 h"),
    "device_declined_distinct_card_1h": _("%(value)s different cards in declined payments from this device in 1 h"),
    "account_refund_count_1d": _("%(value)s refunds of this account in 1 d"),
    "account_refund_count_30d": _("%(value)s refunds of this account in 30 d"),
}
assert list(WORDS) == [feature.name for feature in TABLE], "each feature has its words, in the order of the table"  # noqa: S101 -- a hole must stop the start
