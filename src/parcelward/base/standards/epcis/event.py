"""EPCIS events and documents as frozen values. Only `parse` makes them from what others sent.

Field names are EPCIS 2.0's (section 7.3 and 7.4) in snake_case. Words of CBV lists are bare (`receiving`) however they
were spelt; every other value is as received.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from parcelward.base.errors import Invalid
from parcelward.base.standards.epcis.context import GS1_ONLY, Context


class Refused(Invalid):
    """An EPCIS document, event or query that is not what the standard says; `problems` name each place and reason."""

    default_code = "epcis_invalid"
    title = "Not a valid EPCIS 2.0 message"


@dataclass(frozen=True, slots=True)
class Quantity:
    """So much of one class of goods. `quantity` None: an unknown amount; `uom` empty: a count of instances."""

    epc_class: str
    quantity: int | float | None = None
    uom: str = ""  # UN/CEFACT Recommendation 20 code


@dataclass(frozen=True, slots=True)
class Party:
    """A source or destination: `type` is a CBV word (owning_party, possessing_party, location) or a URI."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class BizTransaction:
    """A business document that the event belongs to; `type` is a CBV word, a URI, or empty."""

    id: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class ErrorDeclaration:
    """The statement that an earlier event with the same id was wrong (EPCIS 2.0 section 7.4.1.2)."""

    declaration_time: dt.datetime
    reason: str = ""  # did_not_occur, incorrect_data, a URI, or empty
    corrective_event_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One measurement: the standard's field names, times as datetimes; extensions stay in `raw`."""

    type: str  # a GS1 measurement type, or a URI
    exception: str = ""  # ALARM_CONDITION, ERROR_CONDITION, a URI, or empty
    time: dt.datetime | None = None
    value: int | float | None = None
    uom: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class SensorElement:
    """What sensors said: metadata that holds for all its reports, and the reports."""

    reports: tuple[Report, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)  # as received
    time: dt.datetime | None = None
    start_time: dt.datetime | None = None
    end_time: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One EPCIS event that met every rule. `raw` is the JSON object as received: read it, never change it."""

    type: str  # ObjectEvent, AggregationEvent, AssociationEvent, TransactionEvent, TransformationEvent
    event_time: dt.datetime  # aware; a fraction finer than a microsecond is only in event_time_text
    event_time_text: str
    event_time_zone_offset: str  # "+01:00": the local time where it happened
    event_id: str | None = None
    record_time: dt.datetime | None = None  # as the sender had it; a repository sets its own
    action: str = ""  # ADD, OBSERVE, DELETE; empty in a TransformationEvent
    biz_step: str = ""
    disposition: str = ""
    persistent_set: tuple[str, ...] = ()
    persistent_unset: tuple[str, ...] = ()
    read_point: str = ""
    biz_location: str = ""
    epc_list: tuple[str, ...] = ()
    parent_id: str = ""
    child_epcs: tuple[str, ...] = ()
    input_epc_list: tuple[str, ...] = ()
    output_epc_list: tuple[str, ...] = ()
    quantity_list: tuple[Quantity, ...] = ()
    child_quantity_list: tuple[Quantity, ...] = ()
    input_quantity_list: tuple[Quantity, ...] = ()
    output_quantity_list: tuple[Quantity, ...] = ()
    source_list: tuple[Party, ...] = ()
    destination_list: tuple[Party, ...] = ()
    biz_transaction_list: tuple[BizTransaction, ...] = ()
    sensor_element_list: tuple[SensorElement, ...] = ()
    certification_info: tuple[str, ...] = ()
    transformation_id: str = ""
    error_declaration: ErrorDeclaration | None = None
    ilmd: Mapping[str, Any] = field(default_factory=dict, hash=False)
    extensions: Mapping[str, Any] = field(default_factory=dict, hash=False)  # by full URI, values as received
    raw: Mapping[str, Any] = field(default_factory=dict, hash=False)
    context: Context = GS1_ONLY

    @property
    def epcs(self) -> tuple[str, ...]:
        """Every instance that the event names, in whatever role, without repeats, the parent first."""
        parent = (self.parent_id,) if self.parent_id else ()
        lists = (self.epc_list, self.child_epcs, self.input_epc_list, self.output_epc_list)
        return tuple(dict.fromkeys(parent + tuple(epc for epcs in lists for epc in epcs)))

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Every class and amount that the event names, in whatever role."""
        return self.quantity_list + self.child_quantity_list + self.input_quantity_list + self.output_quantity_list

    def source(self, party_type: str) -> str:
        """Return the id of the source of this type, or an empty text."""
        return next((party.id for party in self.source_list if party.type == party_type), "")

    def destination(self, party_type: str) -> str:
        """Return the id of the destination of this type, or an empty text."""
        return next((party.id for party in self.destination_list if party.type == party_type), "")


@dataclass(frozen=True, slots=True)
class Document:
    """An EPCISDocument, an EPCISQueryDocument, or one event that came alone."""

    type: str  # EPCISDocument, EPCISQueryDocument, or the single event's type
    context: Context
    events: tuple[Event, ...]
    raw: Mapping[str, Any] = field(default_factory=dict, hash=False)
    schema_version: str = ""
    creation_date: dt.datetime | None = None
    query_name: str = ""
    subscription_id: str = ""
