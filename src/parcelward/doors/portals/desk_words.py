"""The desk's words for kinds of exception, for steps and for roles, translated where they are shown."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from parcelward.base.standards.steps import Step
from parcelward.people.wire import Role


def kind_name(kind: str) -> str:
    """Return the words for a kind of alert or a reason of quarantine; an unknown one is shown as it is written."""
    said = {
        "quarantine": _("Quarantine"),
        "short": _("Missing at handover"),
        "over": _("Too many at handover"),
        "unexpected": _("Not expected here"),
        "one_hand": _("Both sides signed by one"),
        "seal_mismatch": _("Seal does not match"),
        "label_mismatch": _("Label does not match"),
        "unknown_step": _("Unknown step"),
        "unknown_facility": _("Unknown place"),
        "after_delivery": _("Seen after delivery"),
        "log_stands_still": _("Log stands still"),
        "model_drift": _("Orders unlike before"),
        "stuck": _("Not moving"),
        "release_refused": _("Release refused"),
        "idle_correction": _("Idle correction"),
        "containment_cycle": _("Inside each other"),
        "not_a_receptacle": _("Not a container"),
        "event_id_reused": _("Event id used twice"),
        "too_many_events": _("Too many events of one item"),
        "clock_ahead": _("Clock ahead"),
        "too_old": _("Clock far behind"),
        "check_digit_wrong": _("Check digit wrong"),
        "bad_item_number": _("Not a number that we know"),
        "empty": _("No number"),
        "too_long": _("Number too long"),
        "one_number": _("One number, not two or none"),
        "no_receptacle": _("Container not named"),
        "inside_itself": _("Inside itself"),
        "wrong_kind": _("Item and container mixed up"),
        "unknown_item": _("Unknown item"),
        "shredded": _("Record erased"),
        "bad_character": _("Forbidden character"),
        "bad_event": _("A field does not fit"),
        "not_json": _("Not readable"),
        "too_deep": _("Nested too deep"),
        "sensors_too_large": _("Sensor readings too large"),
    }
    return said.get(kind) or kind.replace("_", " ").capitalize()


def step_name(step: Step) -> str:
    """Return the glossary's word for a step."""
    said = {
        Step.UNKNOWN: _("unknown"),
        Step.ACCEPTED: _("accepted"),
        Step.LEFT_SORTING: _("left sorting"),
        Step.ARRIVED_OUTWARD_OFFICE: _("arrived outward office"),
        Step.LEFT_OUTWARD_OFFICE: _("left outward office"),
        Step.ARRIVED_INWARD_OFFICE: _("arrived inward office"),
        Step.PRESENTED_TO_CUSTOMS: _("presented to customs"),
        Step.HELD_BY_CUSTOMS: _("held by customs"),
        Step.LEFT_INWARD_OFFICE: _("left inward office"),
        Step.AT_DELIVERY_OFFICE: _("at delivery office"),
        Step.OUT_FOR_DELIVERY: _("out for delivery"),
        Step.DELIVERY_FAILED: _("delivery failed"),
        Step.AT_COLLECTION_POINT: _("at collection point"),
        Step.DELIVERED: _("delivered"),
        Step.LOADED: _("loaded"),
        Step.UNLOADED: _("unloaded"),
        Step.HANDED_OVER: _("handed over"),
        Step.SEALED: _("sealed"),
        Step.HELD: _("held"),
        Step.RELEASED: _("released"),
        Step.RETURNING: _("returning"),
        Step.RETURNED: _("returned"),
        Step.CANCELLED: _("cancelled"),
        Step.LOST: _("lost"),
        Step.DAMAGED: _("damaged"),
    }
    return said[step]


def role_name(role: Role) -> str:
    """Return what a role is called."""
    said = {
        Role.ADDRESSEE: _("addressee"),
        Role.SENDER_MEMBER: _("sender's member"),
        Role.SENDER_ADMIN: _("sender's administrator"),
        Role.CLERK: _("clerk"),
        Role.SORTER: _("sorter"),
        Role.COURIER: _("courier"),
        Role.HUB_AGENT: _("hub agent"),
        Role.INSPECTOR: _("inspector"),
        Role.PLANNER: _("planner"),
        Role.AUDITOR: _("auditor"),
        Role.ADMINISTRATOR: _("administrator"),
        Role.PARTNER: _("partner"),
        Role.OFFICER: _("officer"),
        Role.DEVICE: _("device"),
        Role.MACHINERY: _("the house's own work"),
    }
    return said[role]


def role_says(role: Role) -> str:
    """Return what a role is for, in a sentence."""
    said = {
        Role.ADDRESSEE: _("Follows their own parcels, and decides about their own data."),
        Role.SENDER_MEMBER: _("Sends for an organisation."),
        Role.SENDER_ADMIN: _("Sends for an organisation, and manages its people and keys."),
        Role.CLERK: _("Accepts parcels at the counter and checks who somebody is."),
        Role.SORTER: _("Sorts parcels, and opens the hub's part of a sealed label."),
        Role.COURIER: _("Delivers, and opens the courier's part of a sealed label."),
        Role.HUB_AGENT: _("Runs a hub: its devices, and the keys lent to couriers for a round."),
        Role.INSPECTOR: _("Looks into what went wrong, holds and releases parcels."),
        Role.PLANNER: _("Keeps the network: places, lanes, calendars."),
        Role.AUDITOR: _("Reads who did and who looked at what; changes nothing."),
        Role.ADMINISTRATOR: _("Manages people, organisations, keys and devices; does not see personal data."),
        Role.PARTNER: _("Another post's people and systems: hand over and receive parcels."),
        Role.OFFICER: _("Of law enforcement: sees what was lawfully disclosed to them."),
        Role.DEVICE: _("A scanner, sorter or gateway that signs what it sends."),
        Role.MACHINERY: _("Sends messages, forgets what is due, turns keys."),
    }
    return said[role]


def training_name(training: str) -> str:
    """Return what a training is called; an unknown one is shown as it is written."""
    said = {"dangerous_goods": _("dangerous goods")}
    return said.get(training) or training.replace("_", " ")


def count(value: float, *, decimals: int = 0) -> str:
    """Return a figure as it is written in the reader's language: 11,205 or 11.205."""
    return number_format(value, decimals, use_l10n=True, force_grouping=True)
