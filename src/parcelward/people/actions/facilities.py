"""Which places a contractor's devices are enrolled at: those that the operator gave it. Each is an entry in the log."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people.device_check import FACILITY, FACILITY_GIVEN, FACILITY_TAKEN_BACK
from parcelward.people.errors import MayNot
from parcelward.people.models import FacilityGrant, Organisation
from parcelward.people.roles import require
from parcelward.people.wire import OrganisationKind, Person, Task


@transaction.atomic
def give_facility(organisation: UUID, facility: str, *, by: Person) -> UUID:
    """Let a contractor enrol devices at a place. Doing it twice changes nothing."""
    require(by, Task.MANAGE_ORGANISATIONS)
    if not facility or not FACILITY.fullmatch(facility):
        raise Invalid("A place's code has 2 to 20 capital letters, digits, dots or hyphens", code="bad_facility")
    row = Organisation.objects.select_for_update().filter(id=organisation).first()
    if row is None:
        raise NotFound("No such organisation")
    if row.kind != OrganisationKind.CONTRACTOR:
        raise Conflict("Only a carrier contractor is given places", code="no_contractor")
    known = FacilityGrant.objects.filter(organisation=row, facility=facility, ended_at=None).first()
    if known is not None:
        return known.id
    now = timezone.now()
    made = FacilityGrant(id=uuid.uuid4(), organisation=row, facility=facility, granted_by_id=by.source, granted_at=now)
    made.save(force_insert=True)
    said = {"grant": str(made.id), "organisation": str(row.id), "facility": facility, "given_at": now.isoformat()}
    custody.record_fact(FACILITY_GIVEN, {"by": by.source, **said})
    return made.id


@transaction.atomic
def take_facility_back(grant_id: UUID, *, by: Person) -> None:
    """Let a contractor enrol no more devices at a place; those that are there stay. Twice changes nothing."""
    require(by, Task.MANAGE_ORGANISATIONS)
    row = FacilityGrant.objects.select_for_update().filter(id=grant_id).first()
    if row is None:
        raise NotFound("No such place was given")
    if row.ended_at is None:
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at"])
        said = {"grant": str(row.id), "ended_at": row.ended_at.isoformat()}
        custody.record_fact(FACILITY_TAKEN_BACK, {"by": by.source, **said})


def require_given(organisation: UUID | None, facility: str) -> None:
    """Raise MayNot where a contractor enrols a device at a place that the operator did not give it."""
    if organisation is None:
        return
    if not Organisation.objects.filter(kind=OrganisationKind.CONTRACTOR.value, id=organisation).exists():
        return
    if not FacilityGrant.objects.filter(organisation=organisation, facility=facility, ended_at=None).exists():
        words = "Your organisation was not given this place. Ask the operator, or choose a place that you were given."
        raise MayNot(words, code="facility_not_given")
