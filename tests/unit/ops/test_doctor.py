"""The doctor finds what is broken, and says what to do about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from flowcrm.ops import doctor
from flowcrm.ops.doctor import Finding, Health
from flowcrm.ops.home import OWNER_ROLE, Home

pytestmark = pytest.mark.needs_postgres


def findings(part: str) -> list[Finding]:
    return [finding for finding in doctor.examine() if finding.part == part]


@pytest.fixture(autouse=True)
def _offline() -> Iterator[None]:
    """Providers are asked only where a test says so."""
    with override_settings(GOOGLE_TOKEN_URL="https://127.0.0.1:9/token", GMAIL_API_URL="https://127.0.0.1:9"):
        yield


@pytest.mark.parametrize("part", ["python", "folders", "database", "roles", "tables", "isolation", "keys", "large content"])
def test_a_healthy_part_is_good_and_nothing_is_to_be_done(part: str) -> None:
    for finding in findings(part):
        assert finding.health is not Health.BAD, finding
        assert finding.health is Health.DOUBTFUL or finding.remedy == ""


def test_every_part_has_a_remedy_for_the_unexpected() -> None:
    assert all(doctor._REMEDIES[part] for part in doctor.TESTS)


def broken(part: str, **settings: Any) -> list[Finding]:
    """What the doctor calls bad under these settings: something, each with a remedy."""
    with override_settings(**settings):
        found = [finding for finding in findings(part) if finding.health is Health.BAD]
    assert found
    assert all(finding.remedy for finding in found)
    return found


def test_a_database_that_does_not_answer(server: Home, database: dict[str, str], tmp_path: Path) -> None:
    urls = {"owner": database["owner"], "app": f"postgresql://nobody@/x?host={tmp_path}", "router": database["router"]}
    assert "DATABASE_URL" in broken("database", DATABASE_URLS=urls)[0].remedy


def test_a_role_that_could_get_around_the_policies(database: dict[str, str]) -> None:
    found = broken("roles", DATABASE_URLS={**database, "router": database["app"].replace("flowcrm_app", "postgres")})
    assert "is a superuser" in found[0].text
    assert "NOSUPERUSER" in found[0].remedy


def test_an_application_that_reads_without_naming_an_account(database: dict[str, str]) -> None:
    assert OWNER_ROLE in database["owner"]
    [found] = broken("isolation", DATABASE_URLS={**database, "app": database["owner"]})
    assert "without naming an account" in found.text


def test_an_object_store_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "BLOBS_URL" in broken("large content", BLOBS_URL=f"{tmp_path}/file/blobs")[0].remedy


def test_folders_open_to_others(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    home.keys.chmod(0o755)
    assert "chmod 700" in broken("folders", HOME=home)[0].text


def test_a_provider_that_does_not_answer_is_a_doubt_and_no_failure() -> None:
    found = findings("providers")
    assert {finding.health for finding in found} == {Health.DOUBTFUL}
    assert all("firewall" in finding.remedy for finding in found)
