"""What an EPCIS event says of our items: pure decisions, no clock, no I/O.

An ObjectEvent is an observation of each EPC, an AggregationEvent puts children into their parent or takes them out, an
AssociationEvent is an observation of the parent. Transaction and transformation events observe nothing at a place: they
are kept, and make no scan. Neither does an aggregation that takes out "everything" without naming it: nobody saw what.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from parcelward.base.errors import Problem
from parcelward.base.standards import s10
from parcelward.base.standards.epcis import canonical, hash_id, identifiers
from parcelward.base.standards.epcis.event import Event
from parcelward.base.standards.steps import BY_WORD, Step
from parcelward.network.wire import FacilityRow
from parcelward.parcels.epcis.numbers import NAMESPACE, number_of
from parcelward.parcels.rules import CLOCK_AHEAD_MAX
from parcelward.parcels.wire import SENSORS_MAX, CorrectsIn, ScanIn, SealIn

IDENTIFIER_CHARS_MAX: Final = 1_000  # of an EPC, place, step or event id: what an index can hold, and ten times any key
EPCS_MAX: Final = 50_000  # instances named by one document
SENSOR_BYTES_MAX: Final = 16_000  # of readings kept with each scan; the EPCIS event keeps all of them
STEP_CHARS_MAX: Final = 40

NAMES: Final = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_POSSESSED: Final = "possessing_party"
_GRAI: Final = "(8003)"  # returnable assets carry others; any other number is an item until it is seen as a parent


class Why(NamedTuple):
    """One line of the table from CBV words to our step; the first line that fits decides. Empty: any."""

    biz_step: str
    disposition: str
    kinds: frozenset[str]  # of the facility
    country: str  # home: the S10 number was given out where the facility is; abroad: elsewhere
    possessed: bool  # a destination names who possesses it now
    step: Step


def _why(
    biz_step: str,
    step: Step,
    *,
    disposition: str = "",
    kinds: Sequence[str] = (),
    country: str = "",
    possessed: bool = False,
) -> Why:
    return Why(biz_step, disposition, frozenset(kinds), country, possessed, step)


_LAST_MILE: Final = ("office", "depot", "collection_point")

TABLE: Final = (
    _why("", Step.LOST, disposition="stolen"),
    _why("accepting", Step.ACCEPTED),
    _why("arriving", Step.PRESENTED_TO_CUSTOMS, kinds=("customs",)),
    _why("arriving", Step.ARRIVED_OUTWARD_OFFICE, kinds=("exchange",), country="home"),
    _why("arriving", Step.ARRIVED_INWARD_OFFICE, kinds=("exchange",), country="abroad"),
    _why("arriving", Step.AT_DELIVERY_OFFICE, kinds=_LAST_MILE),
    _why("arriving", Step.HANDED_OVER, kinds=("hub",)),  # we have no step for it: custody passed, the headline stays
    _why("departing", Step.RETURNING, disposition="returned"),
    _why("departing", Step.LEFT_INWARD_OFFICE, kinds=("customs",)),
    _why("departing", Step.LEFT_OUTWARD_OFFICE, kinds=("exchange",), country="home"),
    _why("departing", Step.LEFT_INWARD_OFFICE, kinds=("exchange",), country="abroad"),
    _why("departing", Step.LEFT_SORTING),
    _why("transporting", Step.OUT_FOR_DELIVERY, kinds=("office", "depot")),
    _why("transporting", Step.LEFT_SORTING),
    _why("inspecting", Step.DAMAGED, disposition="damaged"),
    _why("inspecting", Step.PRESENTED_TO_CUSTOMS, kinds=("customs", "exchange")),
    _why("holding", Step.DAMAGED, disposition="damaged"),
    _why("holding", Step.HELD_BY_CUSTOMS, kinds=("customs",)),
    _why("holding", Step.HELD),
    _why("storing", Step.AT_COLLECTION_POINT, kinds=("collection_point",)),
    _why("storing", Step.AT_COLLECTION_POINT, kinds=("office",), disposition="available"),
    _why("receiving", Step.RETURNED, disposition="returned"),
    # Whoever receives goods writes this pair, a hub too. Delivered cannot be taken back: somebody must have it.
    _why("receiving", Step.DELIVERED, kinds=_LAST_MILE, disposition="completeness_verified", possessed=True),
    _why("receiving", Step.HANDED_OVER),
    _why("shipping", Step.HANDED_OVER),
    _why("consigning", Step.HANDED_OVER),
    _why("packing", Step.SEALED, disposition="container_closed"),
    _why("void_shipping", Step.CANCELLED),
)
"""Everything else stays unknown, under the word it came as, and is raised as an alert: loading and unloading without a
container, holding that a customer could read as "we missed you", and every business step that is no postal one."""


def step_word(event: Event, place: FacilityRow, number: str) -> str:
    """Return our step's word for what happened, or the CBV word (or URI's end) that nobody here can read."""
    own = event.extensions.get(NAMESPACE + "step")
    if isinstance(own, str) and own in BY_WORD:
        return own  # written by another Parcelward: nothing to guess
    country = ""
    if s10.fits(number):
        country = "home" if number[-2:] == place.country else "abroad"
    possessed = bool(event.destination(_POSSESSED))
    for line in TABLE:
        if (
            (not line.biz_step or line.biz_step == event.biz_step)
            and (not line.disposition or line.disposition == event.disposition)
            and (not line.kinds or place.kind in line.kinds)
            and (not line.country or line.country == country)
            and (not line.possessed or possessed)
        ):
            return line.step.word
    if event.biz_step in {"loading", "unloading"}:
        return f"{event.biz_step}_into_unknown"  # never taken for our `loaded`, which names the container
    word = event.biz_step.rpartition("/")[2].rpartition(":")[2][:STEP_CHARS_MAX]
    return word or "no_biz_step"


# Names and limits -----------------------------------------------------------------------------------------------------


def event_name(event: Event) -> str:
    """Return what an event is called: its event id, or its hash id where the sender gave none (CBV 2.0 section 8.9)."""
    return identifiers.canonical(event.event_id) if event.event_id else hash_id.event_hash_id(event)


def name_id(name: str) -> UUID:
    """Return the key of a name, whoever uses it."""
    return uuid.uuid5(NAMES, name)


def capture_key(event: Event, name: str, *, source: int) -> UUID:
    """Return the key that this source's event can be captured under only once.

    Names count per source: nobody can take another's name, or learn that it is taken. A declaration bears the name of
    what it declares wrong, and there may be several, so its content is part of its key.
    """
    content = canonical.fingerprint(event) if event.error_declaration is not None else ""
    return uuid.uuid5(NAMES, f"{source}\n{name}\n{content}")


def problems(event: Event, pointer: str, *, now: dt.datetime) -> list[Problem]:
    """Return what keeps a valid event from being captured here, each with its place."""
    found = []
    if event.event_time > now + CLOCK_AHEAD_MAX:
        found.append(
            Problem(f"{pointer}/eventTime", "clock_ahead", "This time is more than 5 minutes ahead of ours.", "Set it.")
        )
    named = {
        "eventID": (event.event_id or "",),
        "bizStep": (event.biz_step,),
        "disposition": (event.disposition,),
        "readPoint/id": (event.read_point,),
        "bizLocation/id": (event.biz_location,),
        "parentID": (event.parent_id,),
        "epcList": event.epc_list,
        "childEPCs": event.child_epcs,
        "inputEPCList": event.input_epc_list,
        "outputEPCList": event.output_epc_list,
    }
    for field, texts in named.items():
        if any(len(text) > IDENTIFIER_CHARS_MAX for text in texts):
            words = f"An identifier is longer than {IDENTIFIER_CHARS_MAX} characters."
            found.append(Problem(f"{pointer}/{field}", "too_long", words))
    return found


# Scans ----------------------------------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """One item or receptacle that an event speaks of."""

    number: str
    is_parent: bool
    step: str
    receptacle: str


def sightings(event: Event, place: FacilityRow) -> list[Seen]:
    """Return what was seen of which number at the place; nothing for what we cannot identify."""
    if event.type == "AggregationEvent":
        return _aggregated(event, place)
    if event.type == "AssociationEvent":
        epcs: Iterable[str] = (event.parent_id,)
    elif event.type == "ObjectEvent":
        epcs = event.epc_list
    else:
        return []
    is_parent = event.type == "AssociationEvent"
    numbers = dict.fromkeys(n for n in map(number_of, epcs) if n)
    return [Seen(number, is_parent, step_word(event, place, number), "") for number in numbers]


def _aggregated(event: Event, place: FacilityRow) -> list[Seen]:
    parent = number_of(event.parent_id) if event.parent_id else ""
    children = [n for n in dict.fromkeys(map(number_of, event.child_epcs)) if n and n != parent]
    if event.action == "OBSERVE":
        return [Seen(number, False, step_word(event, place, number), "") for number in children]
    if not parent:
        return []  # in or out of something that we cannot name
    step = Step.LOADED if event.action == "ADD" else Step.UNLOADED
    return [Seen(number, False, step.word, parent) for number in children]


def parents(event: Event) -> tuple[str, ...]:
    """Return the numbers that an event shows to be receptacles."""
    holds = event.parent_id and event.type in {"AggregationEvent", "AssociationEvent"}
    number = number_of(event.parent_id) if holds else ""
    return (number,) if number else ()


def scan_id(name: str, number: str, *, source: int, declaration: str = "") -> UUID:
    """Return the event id of the scan that an event makes of a number: the same whenever it is sent again."""
    return uuid.uuid5(NAMES, f"{source}\n{name}\n{number}\n{declaration}")


def scans(
    event: Event,
    name: str,
    *,
    place: FacilityRow,
    source: int,
    receptacles: Mapping[str, bool],
    original: tuple[Event, int] | None = None,
) -> list[ScanIn]:
    """Return the scans that an event makes at a known place.

    `receptacles` says of known numbers whether they are receptacles. A declaration makes corrections of the scans of
    `original`, the event that it declares wrong with its source, or of what it repeats where that is not known here.
    """
    told = event if original is None else original[0]
    declaration = event.error_declaration
    sensors = _sensors(event)
    seal = _seal(event)
    made = []
    for seen in sightings(told, place):
        is_item = not receptacles.get(seen.number, seen.is_parent or seen.number.startswith(_GRAI))
        corrects, at, mark = None, event.event_time, ""
        if declaration is not None:
            mark, at = canonical.fingerprint(event), declaration.declaration_time
            wrong = scan_id(name, seen.number, source=source if original is None else original[1])
            corrects = CorrectsIn(wrong, _declared(declaration.reason), "epcis_error_declaration")
        made.append(
            ScanIn(
                event_id=scan_id(name, seen.number, source=source, declaration=mark),
                event_time=at,
                step=seen.step,
                facility=place.code,
                item_id=seen.number if is_item else None,
                receptacle_id=None if is_item else seen.number,
                receptacle=seen.receptacle or None,
                seal=seal,
                corrects=corrects,
                sensors=sensors,
            )
        )
    return made


def _declared(reason: str) -> Any:
    return reason if reason == "did_not_occur" else "incorrect_data"


def _sensors(event: Event) -> list[dict[str, Any]] | None:
    """Return the readings as received where they are few, or how many there are and where to find them."""
    elements = event.raw.get("sensorElementList")
    if not elements:
        return None
    if len(elements) <= SENSORS_MAX and len(msgspec.json.encode(elements)) <= SENSOR_BYTES_MAX:
        return list(elements)
    return [{"eventID": event_name(event), "elements": len(elements)}]


def _seal(event: Event) -> SealIn | None:
    """Return what was done to a seal where our own extension says it."""
    said = event.extensions.get(NAMESPACE + "seal")
    if not isinstance(said, dict):
        return None
    plain = {event.context.expand(key).removeprefix(NAMESPACE): value for key, value in said.items()}
    try:
        return msgspec.convert(plain, SealIn)
    except msgspec.ValidationError:
        return None  # the event keeps it as it came; a seal that cannot be read is not one
