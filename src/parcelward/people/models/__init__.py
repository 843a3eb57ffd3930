"""Who acts: people, organisations, devices and keys. Each that acts is a *source* with a small number."""

from parcelward.people.models.accounts import Source, User
from parcelward.people.models.answers import GivenAnswer
from parcelward.people.models.devices import Device, Enrolment, LastSeen
from parcelward.people.models.keys import ApiKey, BannedAddress, SpendGrant, Spending
from parcelward.people.models.organisations import Invitation, Membership, Organisation

__all__ = [
    "ApiKey",
    "BannedAddress",
    "Device",
    "Enrolment",
    "GivenAnswer",
    "Invitation",
    "LastSeen",
    "Membership",
    "Organisation",
    "Source",
    "SpendGrant",
    "Spending",
    "User",
]
