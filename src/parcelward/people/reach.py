"""Whose keys and devices somebody may see and change: those of their own organisation; the administrator any."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from parcelward.people.models import Organisation
from parcelward.people.roles import ROLES_OF
from parcelward.people.wire import OrganisationKind, Person, Role

_OPERATORS = ROLES_OF[OrganisationKind.OPERATOR]


def own(by: Person) -> UUID | None:
    """Return the organisation that `by` acts for, as rows name it: None stands for the operator."""
    if by.organisation is None:
        return None
    kind = Organisation.objects.filter(pk=by.organisation).values_list("kind", flat=True).first()
    return None if kind == OrganisationKind.OPERATOR else by.organisation


def within(by: Person) -> Q:
    """Return the condition of the rows (with a column `organisation`) that `by` may see."""
    if by.role is Role.ADMINISTRATOR:
        return Q()
    organisation = own(by)
    if organisation is not None:
        return Q(organisation=organisation)
    if by.role in _OPERATORS:
        return Q(organisation=None) | Q(organisation__kind=OrganisationKind.OPERATOR.value)
    return Q(pk__in=[])  # a role of a tenant, and no organisation
