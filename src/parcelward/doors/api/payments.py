"""Where a payment provider tells us what happened: signed by it, kept at once, looked at by the worker."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from parcelward.base.errors import ParcelwardError, TooLarge
from parcelward.doors import intake
from parcelward.doors.api import problems
from parcelward.payments import actions as payments

NOTICE_BYTES_MAX: Final = 256_000
SIGNED: Final = "Stripe-Signature"


@csrf_exempt  # a signature is asked for, never a cookie
@require_POST
def take_notice(request: HttpRequest) -> HttpResponse:
    """Keep one notice. What it says is not believed: the worker looks at the payment that it names."""
    try:
        body = intake.read(request)
        if len(body) > NOTICE_BYTES_MAX:
            raise TooLarge("A notice has no more than 256 kB")
        payments.take_notice(body, request.headers.get(SIGNED, ""))
    except ParcelwardError as err:
        return problems.response(request, err)
    return HttpResponse(status=204)
