"""Who acts: people, organisations, devices and keys. Each that acts is a *source* with a small number."""

from parcelward.people.models.accounts import Source, User
from parcelward.people.models.answers import GivenAnswer
from parcelward.people.models.devices import Device, Enrolment, LastSeen
from parcelward.people.models.keys import ApiKey, BannedAddress, SpendGrant, Spending
from parcelward.people.models.organisations import Invitation, Membership, Organisation
from parcelward.people.models.signing_in import Challenge, KnownBrowser, Passkey, SecurityEvent, SignedIn

__all__ = [
    "ApiKey",
    "BannedAddress",
    "Challenge",
    "Device",
    "Enrolment",
    "GivenAnswer",
    "Invitation",
    "KnownBrowser",
    "LastSeen",
    "Membership",
    "Organisation",
    "Passkey",
    "SecurityEvent",
    "SignedIn",
    "Source",
    "SpendGrant",
    "Spending",
    "User",
]
