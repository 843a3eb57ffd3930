"""What can be done to items; each is one transaction and safe to repeat."""

from parcelward.custody.bundling import Made
from parcelward.parcels.actions.bundles import make_bundle
from parcelward.parcels.actions.contacts import open_contact
from parcelward.parcels.actions.customs_holds import customs_given_within, hold_for_customs_within
from parcelward.parcels.actions.desk import (
    agree_to_release,
    ask_release,
    close_alert,
    correct,
    dismiss,
    hold,
    release,
    resubmit,
)
from parcelward.parcels.actions.erasure import (
    approve_erasure,
    erase,
    erase_again,
    erase_due,
    lift_legal_hold,
    place_legal_hold,
    request_erasure,
    withdraw_erasure,
)
from parcelward.parcels.actions.imports import import_scans
from parcelward.parcels.actions.labels import issue_labels_within, reprint_label, void_label
from parcelward.parcels.actions.links import make_link
from parcelward.parcels.actions.manifests import ITEMS_MAX as MANIFEST_ITEMS_MAX
from parcelward.parcels.actions.manifests import accept_manifest
from parcelward.parcels.actions.record import record_scans
from parcelward.parcels.actions.ruled_ids import agree_to_hazmat_rule, ask_for_hazmat_rule
from parcelward.parcels.actions.sold import SoldWanted, cancel_sold_within, inspect_sold_within, make_sold_within
from parcelward.parcels.actions.statuses import rebuild

__all__ = [
    "MANIFEST_ITEMS_MAX",
    "Made",
    "SoldWanted",
    "accept_manifest",
    "agree_to_hazmat_rule",
    "agree_to_release",
    "approve_erasure",
    "ask_for_hazmat_rule",
    "ask_release",
    "cancel_sold_within",
    "close_alert",
    "correct",
    "customs_given_within",
    "dismiss",
    "erase",
    "erase_again",
    "erase_due",
    "hold",
    "hold_for_customs_within",
    "import_scans",
    "inspect_sold_within",
    "issue_labels_within",
    "lift_legal_hold",
    "make_bundle",
    "make_link",
    "make_sold_within",
    "open_contact",
    "place_legal_hold",
    "rebuild",
    "record_scans",
    "release",
    "reprint_label",
    "request_erasure",
    "resubmit",
    "void_label",
    "withdraw_erasure",
]
