"""Who acts: people, organisations, devices and keys. Each that acts is a *source* with a small number."""

from parcelward.people.models.accounts import Source, User
from parcelward.people.models.answers import GivenAnswer
from parcelward.people.models.certificates import Certificate
from parcelward.people.models.devices import Device
from parcelward.people.models.keys import ApiKey
from parcelward.people.models.organisations import Invitation, Membership, Organisation
from parcelward.people.models.signing_in import Challenge, KnownBrowser, Passkey, SecurityEvent, SignedIn
from parcelward.people.models.two import TwoPeople

__all__ = [
    "ApiKey",
    "Certificate",
    "Challenge",
    "Device",
    "GivenAnswer",
    "Invitation",
    "KnownBrowser",
    "Membership",
    "Organisation",
    "Passkey",
    "SecurityEvent",
    "SignedIn",
    "Source",
    "TwoPeople",
    "User",
]
