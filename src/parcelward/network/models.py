"""The places and links that items move through."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from parcelward.network.wire import FACILITY_KINDS


class Facility(models.Model):
    """A place where items are handled."""

    number = models.AutoField(primary_key=True)  # small, because every event row carries it
    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=[(k, k) for k in FACILITY_KINDS])
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=40)
    coarse_place = models.CharField(max_length=80)  # what the public may know
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)
    gln = models.CharField(max_length=13, blank=True)
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)


class Lane(models.Model):
    """A usual way from one facility to another."""

    id = models.BigAutoField(primary_key=True)
    origin = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="lanes_out")
    destination = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="lanes_in")
    mode = models.CharField(max_length=10, default="road")
    usual_duration_s = models.PositiveIntegerField()
    departures = ArrayField(models.CharField(max_length=5), default=list)  # local times at the origin, HH:MM

    class Meta:
        constraints = [models.UniqueConstraint(fields=["origin", "destination"], name="lane_once")]  # noqa: RUF012 -- Django's own form


class ClosedDay(models.Model):
    """A day on which a facility does not operate; an empty facility means the whole network."""

    id = models.BigAutoField(primary_key=True)
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, null=True)
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "day"], name="closed_once", nulls_distinct=False)]  # noqa: RUF012 -- Django's own form


class OpeningHours(models.Model):
    """When a facility operates on one weekday (1 Monday to 7 Sunday, ISO 8601), in its local time."""

    id = models.BigAutoField(primary_key=True)
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE)
    weekday = models.PositiveSmallIntegerField()
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "weekday"], name="hours_once")]  # noqa: RUF012 -- Django's own form


class Route(models.Model):
    """Who delivers to an area, and by which hub its items come there. The longest beginning of a postcode counts."""

    id = models.BigAutoField(primary_key=True)
    country = models.CharField(max_length=2)  # "*": every other country
    prefix = models.CharField(max_length=10, blank=True)  # of postcodes in capitals, without spaces; empty: all of them
    office = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="routes_of_office")
    hub = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="routes_of_hub")
    round_code = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["country", "prefix"], name="route_once")]  # noqa: RUF012 -- Django's own form
