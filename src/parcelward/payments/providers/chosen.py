"""Which provider takes payments here: Stripe where its key is set, in test mode else the simulated one."""

from __future__ import annotations

import functools

from parcelward.base import config
from parcelward.payments.errors import NoProvider
from parcelward.payments.providers.by_stripe import Stripe
from parcelward.payments.providers.simulated import secrets_of
from parcelward.payments.providers.wire import Provider, Unanswered


@functools.cache
def provider() -> Provider:
    """Return who takes payments by card. Raises NoProvider."""
    settings = config.get()
    if settings.stripe_key:
        return Stripe(settings.stripe_key, webhook_secret=settings.stripe_webhook_secret)
    if settings.production:
        raise NoProvider("Nobody takes payments by card here: set PARCELWARD_STRIPE_KEY")
    known = secrets_of(settings.home)
    api = f"http://{settings.bind}:{settings.provider_port}"
    pages_at = f"http://localhost:{settings.provider_port}"
    return Stripe(known.api_key, webhook_secret=known.webhook_secret, api=api, name="simulated", pages_at=pages_at)


def provider_of(name: str) -> Provider:
    """Return the provider that a payment was begun with. Raises Unanswered where another one takes payments now."""
    found = provider()
    if found.name != name:
        raise Unanswered(f"This payment is with {name}, and {found.name} takes payments now")
    return found
