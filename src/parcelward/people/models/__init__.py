"""Who acts: people, organisations, devices and keys. Each that acts is a *source* with a small number."""

from parcelward.people.models.accounts import Source, User
from parcelward.people.models.answers import GivenAnswer
from parcelward.people.models.codes import Code
from parcelward.people.models.devices import Device
from parcelward.people.models.keys import ApiKey
from parcelward.people.models.organisations import Invitation, Membership, Organisation
from parcelward.people.models.proofing import CounterProof, Evidence, Letter, ProofNotice

__all__ = [
    "ApiKey",
    "Code",
    "CounterProof",
    "Device",
    "Evidence",
    "GivenAnswer",
    "Invitation",
    "Letter",
    "Membership",
    "Organisation",
    "ProofNotice",
    "Source",
    "User",
]
