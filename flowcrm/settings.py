"""All settings, read from the environment; docs/reference/settings.md lists them. Reading them starts and changes nothing."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from flowcrm.ops.home import APP_ROLE, OWNER_ROLE, ROUTER_ROLE, current_home
from flowcrm.ops.logs import logging_config

PACKAGE = Path(__file__).parent
HOME = current_home()


def _flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0") == "1"


# Address of this installation -----------------------------------------------------------------------------------------

BASE_URL = os.environ.get("FLOWCRM_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
HTTPS = urlsplit(BASE_URL).scheme == "https"
ALLOWED_HOSTS = sorted({urlsplit(BASE_URL).hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]"})
# Addresses or networks, separated by commas, whose X-Forwarded-* headers are believed (asgi.py).
TRUSTED_PROXY = os.environ.get("FLOWCRM_TRUSTED_PROXY", "")

# Database -------------------------------------------------------------------------------------------------------------

# Without a URL the role's address at the embedded server. `owner` is for migrations and the CLI, never for web or worker.
DATABASE_URLS = {
    "owner": os.environ.get("DATABASE_URL_OWNER") or HOME.database_url(OWNER_ROLE),
    "app": os.environ.get("DATABASE_URL") or HOME.database_url(APP_ROLE),
    "router": os.environ.get("DATABASE_URL_ROUTER") or HOME.database_url(ROUTER_ROLE),
    # As `app`, but past any pooler: LISTEN holds for a connection of one's own only (store/tidings.py).
    "listen": os.environ.get("DATABASE_URL_LISTEN") or os.environ.get("DATABASE_URL") or HOME.database_url(APP_ROLE),
}
EMBEDDED_POSTGRES = not os.environ.get("DATABASE_URL")
# How many connections one process may hold for each role; 0: one for each thread, kept as long as the thread.
POOL_SIZE = int(os.environ.get("FLOWCRM_POOL_SIZE", "0"))


def _parts(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(url))
    except ProgrammingError:
        # The command line has refused it (ops/home.py); only the doctor goes on, and it must find no server by chance.
        return {"host": os.devnull}


def _database(url: str) -> dict[str, Any]:
    parts = _parts(url)
    options: dict[str, Any] = {
        name: value for name, value in parts.items() if name not in {"dbname", "user", "password", "host", "port"}
    }
    options["application_name"] = "flowcrm"
    if POOL_SIZE:
        # A request waits this many seconds for a connection before it fails.
        options["pool"] = {"min_size": 1, "max_size": POOL_SIZE, "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname") or "flowcrm",
        "USER": parts.get("user") or "",
        "PASSWORD": parts.get("password") or "",
        "HOST": parts.get("host") or "",
        "PORT": str(parts.get("port") or ""),
        # Django refuses a pool together with connections of its own keeping.
        "CONN_MAX_AGE": 0 if POOL_SIZE else None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


DATABASES = {
    "default": _database(DATABASE_URLS["owner" if os.environ.get("FLOWCRM_DB_ROLE") == "owner" else "app"]),
    "router": _database(DATABASE_URLS["router"]),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Rate limits of the sign-in must hold over all web processes, so the cache is a table and not a process's memory.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache_entry"}}

# Secrets and large content --------------------------------------------------------------------------------------------

KEYS_URL = os.environ.get("KEYS_URL") or HOME.keys.as_uri()
BLOBS_URL = os.environ.get("BLOBS_URL") or HOME.blobs.as_uri()


# Empty before the first start (ops/home.py makes it): Django then refuses to sign anything.
SECRET_KEY = os.environ.get("SECRET_KEY") or HOME.read_secret_key()

# Providers ------------------------------------------------------------------------------------------------------------

GOOGLE_AUTH_URL = os.environ.get("GOOGLE_AUTH_URL", "https://accounts.google.com/o/oauth2/v2/auth")
GOOGLE_TOKEN_URL = os.environ.get("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token")
GOOGLE_REVOKE_URL = os.environ.get("GOOGLE_REVOKE_URL", "https://oauth2.googleapis.com/revoke")
GMAIL_API_URL = os.environ.get("GMAIL_API_URL", "https://gmail.googleapis.com")
# Quota units a user may spend in a minute, and a call's price: https://developers.google.com/workspace/gmail/api/reference/quota
GMAIL_UNITS_PER_MINUTE = int(os.environ.get("GMAIL_UNITS_PER_MINUTE", "6000"))
GMAIL_COSTS: dict[str, int] = {
    "getProfile": 1,
    "history.list": 2,
    "labels.get": 1,
    "labels.list": 1,
    "messages.get": 20,
    "messages.list": 5,
    "settings.sendAs.list": 1,
    "threads.get": 40,
    "threads.list": 10,
    **json.loads(os.environ.get("GMAIL_COSTS", "{}")),
}
# What a server of plain IMAP is asked at most; it says itself when that is too much.
IMAP_COMMANDS_PER_MINUTE = int(os.environ.get("IMAP_COMMANDS_PER_MINUTE", "6000"))
# Host names and networks inside the operator's own network whose mail servers members may name.
INNER_MAIL_SERVERS = tuple(filter(None, os.environ.get("FLOWCRM_INNER_MAIL_SERVERS", "").replace(",", " ").split()))
# Only demo and tests switch this on: without it no provider may live on this machine or its networks.
ALLOW_LOOPBACK_PROVIDERS = _flag("FLOWCRM_ALLOW_LOOPBACK_PROVIDERS")

# Mail that we send, optional (post/server.py reads the two, docs/how-to/outgoing-mail.md) ----------------------------------

# smtp://user:password@host:587 (STARTTLS), smtps://…:465, or smtp+plain://127.0.0.1:25
SMTP_URL = os.environ.get("SMTP_URL", "")
DEFAULT_FROM_EMAIL = os.environ.get("FLOWCRM_MAIL_FROM") or f"flowcrm@{urlsplit(BASE_URL).hostname}"
# All mail leaves by flowcrm.post; nothing that a library would send by itself does.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# Django ---------------------------------------------------------------------------------------------------------------

DEBUG = False
ROOT_URLCONF = "flowcrm.urls"
ASGI_APPLICATION = "flowcrm.asgi.application"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "procrastinate.contrib.django",
    "flowcrm.store",
    "flowcrm.pages",
    "flowcrm.jobs",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "flowcrm.pages.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "flowcrm.pages.middleware.WorkspaceScope",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # flowcrm/pages/templates/<screen>/… ; found before the packages' own, so that sign-in pages look like ours.
        "DIRS": [PACKAGE / "pages" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Languages and time ---------------------------------------------------------------------------------------------------

USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]

# Static files: collected on start, served by granian ------------------------------------------------------------------


def _static_version() -> str:
    # Stands in the address, so that browsers keep files for long and still see a new release at once.
    digest = hashlib.sha256()
    for file in sorted((PACKAGE / "pages" / "static").rglob("*")):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


STATIC_VERSION = _static_version()
STATIC_URL = f"/static/{STATIC_VERSION}/"
STATIC_ROOT = HOME.run / "static" / STATIC_VERSION

# Sign-in --------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "store.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
# Closes sign-up: people are added by an admin.
ACCOUNT_ADAPTER = "flowcrm.pages.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# An installation need not be able to send mail, so nothing at sign-in may wait for one.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_FORMS = {"reset_password": "flowcrm.pages.forgotten.ForgottenForm"}
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key", "login": "30/m/ip", "reauthenticate": "10/m/user"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
MFA_TOTP_ISSUER = "FlowCRM"

# Transport and browser security ---------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# Above what pages/bodies.py lets in: what is uploaded never lies on the disk in clear, not even for a moment.
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

# Logs -----------------------------------------------------------------------------------------------------------------

LOGGING_CONFIG = "flowcrm.ops.logs.configure"
LOGGING = logging_config(os.environ.get("FLOWCRM_LOG_LEVEL", "INFO"))
