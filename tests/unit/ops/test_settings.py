"""Settings come from the environment, with safe values where it is silent."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flowcrm

Settings = dict[str, Any]
FILE = Path(flowcrm.__file__).with_name("settings.py")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Settings]:
    """What the file gives under an environment that says no more than the test."""

    def read(**environment: str) -> Settings:
        silent = (
            "DATABASE_URL",
            "DATABASE_URL_OWNER",
            "DATABASE_URL_ROUTER",
            "FLOWCRM_POOL_SIZE",
            "SECRET_KEY",
            "FLOWCRM_DB_ROLE",
        )
        for name in silent:
            monkeypatch.delenv(name, raising=False)
        for name, value in {"FLOWCRM_HOME": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(FILE))

    return read


def test_without_a_word_everything_lies_in_the_home_and_is_embedded(settings: Callable[..., Settings], tmp_path: Path) -> None:
    found = settings()
    assert found["EMBEDDED_POSTGRES"]
    assert found["DATABASES"]["default"]["USER"] == "flowcrm_app"
    assert found["DATABASES"]["router"]["USER"] == "flowcrm_router"
    assert found["KEYS_URL"] == (tmp_path / "keys").as_uri()
    assert found["BLOBS_URL"] == (tmp_path / "blobs").as_uri()


def test_reading_them_makes_nothing(settings: Callable[..., Settings], tmp_path: Path) -> None:
    settings()
    assert list(tmp_path.iterdir()) == []


def test_a_server_of_one_s_own_is_used_with_its_options(settings: Callable[..., Settings]) -> None:
    url = "postgresql://app:p%40ss@db.acme.ch:6432/crm?sslmode=verify-full"
    found = settings(DATABASE_URL=url, DATABASE_URL_ROUTER="postgresql://router@db.acme.ch/crm")
    database = found["DATABASES"]["default"]
    assert not found["EMBEDDED_POSTGRES"]
    assert [database[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "crm",
        "app",
        "p@ss",
        "db.acme.ch",
        "6432",
    ]
    assert database["OPTIONS"]["sslmode"] == "verify-full"


def test_upkeep_connects_as_the_owner_only_when_told(settings: Callable[..., Settings]) -> None:
    assert settings(FLOWCRM_DB_ROLE="owner")["DATABASES"]["default"]["USER"] == "flowcrm_owner"


def test_a_pool_takes_the_place_of_connections_kept_by_threads(settings: Callable[..., Settings]) -> None:
    assert settings()["DATABASES"]["default"]["CONN_MAX_AGE"] is None
    pooled = settings(FLOWCRM_POOL_SIZE="4")["DATABASES"]["default"]
    assert pooled["CONN_MAX_AGE"] == 0
    assert pooled["OPTIONS"]["pool"]["max_size"] == 4


def test_https_makes_cookies_secure_and_browsers_remember(settings: Callable[..., Settings]) -> None:
    found = settings(FLOWCRM_BASE_URL="https://crm.acme.ch/")
    assert found["BASE_URL"] == "https://crm.acme.ch"
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] > 0
    assert "crm.acme.ch" in found["ALLOWED_HOSTS"]
    assert not found["MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN"]


def test_on_loopback_a_cookie_works_without_https(settings: Callable[..., Settings]) -> None:
    found = settings()
    assert not found["SESSION_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] == 0


def test_never_a_debug_page(settings: Callable[..., Settings]) -> None:
    assert settings()["DEBUG"] is False


def test_the_secret_key_is_the_environment_s_or_the_home_s(settings: Callable[..., Settings], tmp_path: Path) -> None:
    assert settings()["SECRET_KEY"] == ""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "django-secret-key").write_text("from the home")
    assert settings()["SECRET_KEY"] == "from the home"
    assert settings(SECRET_KEY="from outside")["SECRET_KEY"] == "from outside"


def test_one_price_of_gmail_is_changed_without_naming_the_others(settings: Callable[..., Settings]) -> None:
    found = settings(GMAIL_COSTS='{"messages.get": 5}', GMAIL_UNITS_PER_MINUTE="15000")
    assert found["GMAIL_COSTS"]["messages.get"] == 5
    assert found["GMAIL_COSTS"]["messages.list"] == 5
    assert found["GMAIL_UNITS_PER_MINUTE"] == 15000


def test_google_is_google_and_no_provider_lives_on_this_machine(settings: Callable[..., Settings]) -> None:
    found = settings()
    for name in ("GOOGLE_AUTH_URL", "GOOGLE_TOKEN_URL", "GOOGLE_REVOKE_URL", "GMAIL_API_URL"):
        assert found[name].startswith("https://")
        assert ".google" in found[name]
    assert not found["ALLOW_LOOPBACK_PROVIDERS"]
