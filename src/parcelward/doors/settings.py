"""Django's settings, all derived from base.config: nothing is set here that an operator needs to change."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from urllib.parse import urlsplit

from parcelward.base import config, db
from parcelward.doors import secret_key

CONFIG = config.get()
HERE = Path(__file__).resolve().parent

DEBUG = False
SECRET_KEY, SECRET_KEY_FALLBACKS = secret_key.read(CONFIG.home, dt.datetime.now(dt.UTC))
_PUBLIC = urlsplit(CONFIG.public_url)
ALLOWED_HOSTS = [_PUBLIC.hostname or "localhost", "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [CONFIG.public_url]
SECURE = _PUBLIC.scheme == "https"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "ninja",
    "parcelward.custody",
    "parcelward.people",
    "parcelward.privacy",
    "parcelward.network",
    "parcelward.parcels",
    "parcelward.payments",
    "parcelward.risk",
    "parcelward.shipping",
    "parcelward.doors",
]
MIDDLEWARE = [
    "parcelward.doors.middleware.security_headers",
    "parcelward.doors.middleware.Requests",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "parcelward.doors.middleware.once_each",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "parcelward.doors.portals.accounts.guard.Guard",
    "allauth.account.middleware.AccountMiddleware",
    "parcelward.doors.middleware.limit_people",
    "parcelward.doors.portals.errors.ErrorPages",
]
ROOT_URLCONF = "parcelward.doors.urls"
ASGI_APPLICATION = "parcelward.doors.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["parcelward.doors.templatetags.moments"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "parcelward.doors.portals.context.portal",
            ],
        },
    },
]

DATABASES = {
    "default": db.django_database(CONFIG.database_url or db.embedded_url(CONFIG, "main")),
    "keys": db.django_database(CONFIG.keys_url or db.embedded_url(CONFIG, "keys")),
}
DATABASE_ROUTERS = ["parcelward.base.router.KeysRouter"]
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# The library keeps passkeys, second factors and the stages of a sign-in; e-mail addresses are in the vault and its
# tables for them stay empty (docs/decisions/0015-no-passphrases-of-staff.md). Our own throttle limits tries: the
# library's would let a stranger lock somebody out.
ACCOUNT_ADAPTER = "parcelward.doors.portals.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "login"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "parcelward.doors.portals.accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 12
MFA_TOTP_TOLERANCE = 1  # half a minute either way, for clocks that are off; a code opens once all the same
CSRF_FAILURE_VIEW = "parcelward.doors.portals.errors.csrf_failure"
LOGIN_URL = "/accounts/sign-in"
LOGIN_REDIRECT_URL = "/app/"
LOGOUT_REDIRECT_URL = "/#signed-out"  # site.js tells the other tabs

SESSION_ENGINE = "parcelward.people.session_store"
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
LANGUAGE_COOKIE_NAME = "__Host-language" if SECURE else "language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 86_400  # people/rules.py ends those of staff, and idle ones, earlier
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_SSL_REDIRECT = False  # TLS ends at granian or the proxy; a plain request never reaches us there
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONFIG.trusted_proxies else None
SILENCED_SYSTEM_CHECKS = [
    "security.W001",  # our own middleware sets every security header (tested on every route), not Django's
    "security.W002",
    "security.W008",  # see SECURE_SSL_REDIRECT
]

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_097_152  # 2 MB: what the largest batch needs
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [HERE / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}
    },
    "filters": {"no_address": {"()": "parcelward.doors.requests.WithoutAddress"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["out"], "level": "INFO"},
    "loggers": {
        "httpx": {"level": "WARNING"},  # its line a request carries the whole address, with a password if one is in it
        "stripe": {"level": "WARNING"},  # two lines a call, with its address
        "fido2": {"level": "WARNING"},  # its line a sign-in names the credential
        "django.request": {"level": "ERROR", "filters": ["no_address"]},
        "django.security.csrf": {"level": "CRITICAL"},  # as below
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # the line would carry what the stranger typed
    },
}
