"""Signing in and out with an opaque staff id. What failed is never told apart, so that nobody learns who works here."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from parcelward.doors.throttle import allow

TRIES_PER_MINUTE: Final = 10
FIELD: Final = {"class": "govuk-input"}


class SignInForm(AuthenticationForm):
    """Staff id and passphrase."""

    username = forms.CharField(
        label=_("Staff id"),
        max_length=40,
        error_messages={"required": _("Enter your staff id.")},
        widget=forms.TextInput(attrs={**FIELD, "autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Passphrase"),
        max_length=256,
        strip=False,
        error_messages={"required": _("Enter your passphrase.")},
        widget=forms.PasswordInput(attrs={**FIELD, "autocomplete": "current-password"}),
    )
    # One sentence for a wrong id, a wrong passphrase and a closed account.
    error_messages = dict.fromkeys(
        ("invalid_login", "inactive"), _("The staff id or the passphrase is not right. Check both and try again.")
    )


class SignIn(LoginView):
    """The sign-in page; those who are signed in go on."""

    template_name = "sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Check what was sent, not more often than a person types."""
        allow(request, "sign_in", TRIES_PER_MINUTE)
        return super().post(request, *args, **kwargs)


class SignOut(LogoutView):
    """Ends the session; by POST only, so that no link can do it."""

    http_method_names = ["post", "options"]  # noqa: RUF012 -- Django's own form
