"""Personal data, sealed; the keys that open it, in a database of their own; and the trail of who looked."""

from parcelward.privacy.models.contact import Contact, ContactEnd, ContactMail
from parcelward.privacy.models.keys import BodyKey, PersonKey
from parcelward.privacy.models.messages import Message
from parcelward.privacy.models.persons import BlindIndex, KeptPerson
from parcelward.privacy.models.rights import RightsRequest
from parcelward.privacy.models.shredding import PersonHold, PersonTombstone, ShredRequest
from parcelward.privacy.models.stations import Loan, StationKey
from parcelward.privacy.models.trail import Disclosure

__all__ = [
    "BlindIndex",
    "BodyKey",
    "Contact",
    "ContactEnd",
    "ContactMail",
    "Disclosure",
    "KeptPerson",
    "Loan",
    "Message",
    "PersonHold",
    "PersonKey",
    "PersonTombstone",
    "RightsRequest",
    "ShredRequest",
    "StationKey",
]
