"""Who acts: people, organisations, devices and keys. Each that acts is a *source* with a small number."""

from parcelward.people.models.accounts import Source, User
from parcelward.people.models.answers import GivenAnswer
from parcelward.people.models.certificates import Certificate
from parcelward.people.models.codes import Code
from parcelward.people.models.devices import Device, Enrolment, LastSeen
from parcelward.people.models.keys import ApiKey, BannedAddress, SpendGrant, Spending, SpentDay
from parcelward.people.models.organisations import FacilityGrant, Invitation, Membership, Organisation
from parcelward.people.models.proofing import CounterProof, Evidence, Letter, ProofNotice
from parcelward.people.models.signing_in import Challenge, KnownBrowser, Passkey, SecurityEvent, SignedIn
from parcelward.people.models.two import TwoPeople

__all__ = [
    "ApiKey",
    "BannedAddress",
    "Certificate",
    "Challenge",
    "Code",
    "CounterProof",
    "Device",
    "Enrolment",
    "Evidence",
    "FacilityGrant",
    "GivenAnswer",
    "Invitation",
    "KnownBrowser",
    "LastSeen",
    "Letter",
    "Membership",
    "Organisation",
    "Passkey",
    "ProofNotice",
    "SecurityEvent",
    "SignedIn",
    "Source",
    "SpendGrant",
    "Spending",
    "SpentDay",
    "TwoPeople",
    "User",
]
