"""How a template shows a moment or a day: `{{ at|moment }}`, `{{ at|moment:clock }}`, `{{ at|day }}`."""

from __future__ import annotations

from django.template import Library

from parcelward.doors.portals import moments

register = Library()
register.filter("moment", moments.element)
register.filter("day", moments.day_element)
