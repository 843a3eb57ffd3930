"""Who asks, in what role, for which task: the values that every action takes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID


class OrganisationKind(enum.StrEnum):
    """What kind of tenant an organisation is; it says which roles its people may have."""

    OPERATOR = "operator"
    SENDER = "sender"
    PARTNER = "partner"  # another post
    CONTRACTOR = "contractor"  # carries for the operator
    LAW_ENFORCEMENT = "law_enforcement"


class Role(enum.StrEnum):
    """What somebody or something is here for."""

    ADDRESSEE = "addressee"  # anybody who signs in and acts for nobody else
    SENDER_MEMBER = "sender_member"
    SENDER_ADMIN = "sender_admin"
    CLERK = "clerk"
    SORTER = "sorter"
    COURIER = "courier"
    HUB_AGENT = "hub_agent"
    INSPECTOR = "inspector"
    PLANNER = "planner"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    PARTNER = "partner"  # another post's people and systems
    OFFICER = "officer"  # of law enforcement: sees what was disclosed to them
    DEVICE = "device"
    MACHINERY = "machinery"  # the house's own work: sending, forgetting, turning keys


class Task(enum.StrEnum):
    """One thing that can be done; every action names the one it needs."""

    SCAN = "scan"
    ACCEPT_HAZMAT = "accept_hazmat"  # needs a valid certificate
    CAPTURE = "capture"  # EPCIS documents and manifests
    READ_EVENTS = "read_events"  # EPCIS queries
    HOLD = "hold"
    RELEASE = "release"
    RELEASE_SECURITY = "release_security"  # a hold for security; needs two people
    CORRECT = "correct"  # anybody's event; one's own may always be corrected
    READ_DESK = "read_desk"
    REPAIR = "repair"  # quarantine and alerts
    EDIT_NETWORK = "edit_network"
    ENROL_DEVICE = "enrol_device"
    MANAGE_KEYS = "manage_keys"  # of one's own organisation; the operator's people: of any
    GRANT_SPENDING = "grant_spending"  # let a key cost money, up to a cap
    MANAGE_PEOPLE = "manage_people"  # lock, unlock
    MANAGE_MEMBERS = "manage_members"  # of one's own organisation: invite, end, hand over
    MANAGE_ORGANISATIONS = "manage_organisations"  # make, suspend, let go on
    CHANGE_ROLES = "change_roles"  # of the operator's people; needs two
    RE_ENROL = "re_enrol"  # a lost passkey of staff, at a counter; needs two people
    CERTIFY = "certify"  # note that somebody passed a training
    REPLACE_LOG_KEY = "replace_log_key"
    BACK_UP = "back_up"  # write what is here elsewhere, encrypted; say for whom
    TURN_SECRETS = "turn_secrets"  # replace what this house signs its own cookies with
    SHRED = "shred"  # needs two people
    IMPORT = "import"
    MAKE_BUNDLE = "make_bundle"  # evidence for somebody outside
    MAKE_LINK = "make_link"  # for the addressee, who then sees more than the public journey
    PROVE_SELF = "prove_self"  # ask to have one's own identity or address proven
    PROVE_OTHERS = "prove_others"  # check somebody's document at the counter
    REVIEW_PROOFS = "review_proofs"  # those in fraud review
    KEEP_PERSONAL = "keep_personal"  # put somebody's data into the vault
    REVEAL = "reveal"  # with a purpose that the role may have (privacy)
    FIND_PERSON = "find_person"
    READ_TRAIL = "read_trail"  # who looked at whose data
    OWN_DATA = "own_data"  # see, correct, export, restrict, erase what is held of oneself
    ANSWER_RIGHTS = "answer_rights"  # decide on what people ask of their data
    SHRED_PERSON = "shred_person"  # needs two people
    DISCLOSE = "disclose"  # hand data to an authority; needs two people
    KEEP_RETENTION = "keep_retention"  # see what the nightly round would forget, and run it
    TURN_KEYS = "turn_keys"  # rotate what encrypts personal data
    SEAL_LABEL = "seal_label"
    RELABEL = "relabel"  # an item that was handed in: by a new label it may go elsewhere
    LEND_KEYS = "lend_keys"  # an office's epoch key to a courier's device, for a round
    OPEN_LABEL = "open_label"  # one's own hop's part
    READ_BALANCE = "read_balance"  # one's own, and one's own payments
    READ_MONEY = "read_money"  # anybody's payments, and what differs from the provider's report
    PAY_IN = "pay_in"  # into one's own postage balance
    GIVE_BACK = "give_back"  # a part of a payment, or all
    ANSWER_DISPUTE = "answer_dispute"
    RECONCILE = "reconcile"  # close what differs between our ledger and a provider's report
    ORDER = "order"  # quote, buy and cancel deliveries for whom one acts for
    READ_ORDERS = "read_orders"  # one's own organisation's
    REVIEW_ORDER = "review_order"  # let an order that stopped go on, or refuse it
    EDIT_TARIFF = "edit_tariff"  # what is sold, for how much
    PHOTOGRAPH = "photograph"  # a parcel that is handed in: marks on it are read, the photo is not kept
    WRITE_HAZMAT_RULES = "write_hazmat_rules"  # for ids that the law's table does not have; needs two people
    READ_DECISIONS = "read_decisions"  # of risk: anybody's, with all that they were made by
    REVIEW_DECISION = "review_decision"  # let an order go on that risk stopped, or refuse it
    WRITE_RULES = "write_rules"  # and try them, in shadow; take them back
    ACTIVATE_RULE = "activate_rule"  # let a rule decide; needs two people
    SNOOZE_RULE = "snooze_rule"  # for one customer, for a time
    LEARN_OUTCOME = "learn_outcome"  # say that an order was fraud, or was not
    CHOOSE_MODEL = "choose_model"  # let a model score orders, which rules may ask about; take it away
    APPEAL = "appeal"  # see what risk said of one's own orders, and contest it
    MANAGE_WEBHOOKS = "manage_webhooks"  # of one's own organisation: where its systems are told, and how it went
    CONTACT = "contact"  # open and close a masked contact of an item


TWO_PEOPLE = frozenset(
    {
        *(Task.SHRED, Task.SHRED_PERSON, Task.DISCLOSE, Task.RELEASE_SECURITY, Task.CHANGE_ROLES, Task.RE_ENROL),
        *(Task.ACTIVATE_RULE, Task.WRITE_HAZMAT_RULES),
    }
)
"""What one person asks for and another agrees to."""
CERTIFIED = {Task.ACCEPT_HAZMAT: "dangerous_goods"}
"""What needs a training certificate that is valid on the day, and the training's name."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: a person, a device or a key. `source` is the number that events carry."""

    id: UUID
    role: Role
    source: int
    name: str  # opaque staff id, device or key name
    simulated: bool = False
    organisation: UUID | None = None  # whom they act for; None: themselves, or the house's own console
    scopes: frozenset[Task] | None = None  # what an API key was limited to; None: all that the role may do


class Level(enum.IntEnum):
    """How much somebody has proven of who they are. Each holds what the ones below it do."""

    NOTHING = 0
    MESSAGE = 1  # a code that was sent by e-mail or to a phone
    ADDRESS = 2  # a code that was sent by letter
    IDENTITY = 3  # a document that a clerk saw


class Method(enum.StrEnum):
    """How it was proven."""

    EMAIL_CODE = "email_code"
    PHONE_CODE = "phone_code"
    LETTER = "letter"
    COUNTER = "counter"
    CREDENTIAL = "credential"  # from a wallet; nothing makes one yet (people/proofing/wallets.py)


class LetterKind(enum.StrEnum):
    """What a letter is for."""

    CODE = "code"
    NOTICE = "notice"  # to somebody's other proven address: a letter was asked for in their name


class LetterState(enum.StrEnum):
    """Where a letter with a code stands."""

    REQUESTED = "requested"
    PRINTED = "printed"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"  # its time, or its tries
    CANCELLED = "cancelled"


class CounterState(enum.StrEnum):
    """Where a check at the counter stands."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    IN_FRAUD_REVIEW = "in_fraud_review"


class Document(enum.StrEnum):
    """Which kind of document a clerk saw; its number is never noted."""

    PASSPORT = "passport"
    IDENTITY_CARD = "identity_card"
    DRIVING_LICENCE = "driving_licence"
    RESIDENCE_PERMIT = "residence_permit"


class Once(NamedTuple):
    """A request that is done once: under which key, of which source, what stands for it, and what it will answer."""

    source: int
    key: str
    digest: bytes
    answer: bytes
