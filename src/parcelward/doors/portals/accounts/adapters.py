"""What django-allauth asks of us. It keeps passkeys, second factors and a sign-in's stages, and no e-mail address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from parcelward.base import config
from parcelward.doors import throttle
from parcelward.doors.portals.accounts import guard, second_factor


class AccountAdapter(DefaultAccountAdapter):
    """Begins our own session with the framework's, and asks our own clock whether a proof is fresh."""

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Sign in; both sessions or none."""
        guard.begin(request, user, lambda: super(AccountAdapter, self).login(request, user))

    def is_reauthentication_required(self, *, app: str, **_kwargs: Any) -> bool:  # noqa: ARG002 -- the library's signature
        """Return whether whoever asks must prove again who they are."""
        return not guard.is_fresh(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:  # noqa: ARG002 -- the library's signature
        """Return our one page for it, which offers what they have."""
        return [{"id": "prove", "description": "", "url": reverse("prove_again")}]

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:  # noqa: ARG002 -- as above
        """Say of a locked account what is said of none."""
        return HttpResponseRedirect(f"{reverse('account_login')}?again=1")

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address behind our proxies, and no header beyond."""
        return throttle.client_address(request)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Encrypts second factors, and names ourselves and the person to their passkey without personal data."""

    def encrypt(self, text: str) -> str:
        """Return what the library stores, bound to whom `second_factor.of` names."""
        return second_factor.seal(text, settings.SECRET_KEY, second_factor.whose())

    def decrypt(self, encrypted_text: str) -> str:
        """Return what `encrypt` was given, under the present secret or one that it followed. Raises Shut."""
        believed = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        return second_factor.opened(encrypted_text, believed, second_factor.whose())

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        """Return what an authenticator app shows beside the code."""
        return str(user.get_username())

    def get_totp_issuer(self) -> str:
        """Return who we are in an authenticator app."""
        return config.get().operator

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return who we are to a passkey: the host of our one public address."""
        return {"id": urlsplit(config.get().public_url).hostname or "localhost", "name": config.get().operator}

    def get_public_key_credential_user_entity(self, user: AbstractBaseUser) -> dict[str, Any]:
        """Return who they are to their passkey: opaque ids."""
        name = str(user.get_username())
        return {"id": str(user.pk).encode(), "name": name, "display_name": name}
