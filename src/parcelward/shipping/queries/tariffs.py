"""What is sold, now and before. Tariffs never change, so each process keeps those that it has read."""

from __future__ import annotations

import datetime as dt
import functools
import json
import time
from typing import Any, Final

from django.utils import timezone

from parcelward.shipping import tariff as documents
from parcelward.shipping.errors import NoTariff
from parcelward.shipping.models import TariffVersion
from parcelward.shipping.tariff import Tariff

LOOK_AGAIN_S: Final = 2.0  # by then every process sells by a new tariff

_newest: tuple[int, float] = (0, 0.0)


@functools.lru_cache(maxsize=32)
def tariff(number: int) -> Tariff:
    """Return one version of the tariff."""
    return documents.read(bytes(TariffVersion.objects.values_list("body", flat=True).get(pk=number)))


def tariff_in_force(now: dt.datetime) -> tuple[int, Tariff]:
    """Return what is sold by now, with its number. Raises NoTariff."""
    global _newest  # noqa: PLW0603 -- one process-wide number, replaced whole
    if not _newest[0] or time.monotonic() - _newest[1] > LOOK_AGAIN_S:
        rows = TariffVersion.objects.filter(sold_from__lte=now).order_by("-sold_from", "-number")
        number = rows.values_list("number", flat=True).first()
        if number is None:
            raise NoTariff("Nothing is sold here yet: an administrator says first what, and for how much")
        _newest = number, time.monotonic()
    return _newest[0], tariff(_newest[0])


def tariff_now() -> Tariff:
    """Return what is sold at this moment. Raises NoTariff."""
    return tariff_in_force(timezone.now())[1]


def forget() -> None:
    """Look for a new tariff at the next question."""
    global _newest  # noqa: PLW0603 -- as above
    _newest = 0, 0.0


def tariff_document(number: int) -> dict[str, Any]:
    """Return one version of the tariff as its JSON document."""
    found: dict[str, Any] = json.loads(documents.written(tariff(number)))
    return found
