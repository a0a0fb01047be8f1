"""The roles hold the wall: neither web nor worker can get around row-level security."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from flowcrm.ops import postgres, roles
from flowcrm.ops.home import APP_ROLE, AUDIT_ROLE, OWNER_ROLE, ROUTER_ROLE, SEARCH_ROLE, Home
from flowcrm.ops.postgres_install import find

pytestmark = pytest.mark.needs_postgres

# Tests of this file run in several processes at once, on one server.
NAME = f"roles_{os.getpid()}"


@pytest.fixture
def empty(server: Home) -> Iterator[dict[str, str]]:
    """A database of its own on the run's server, with roles and grants and nothing else; addresses by role."""
    admin = postgres.maintenance_url(server)
    roles.create_database(admin, NAME)
    yield {role: server.database_url(role, NAME) for role in (OWNER_ROLE, APP_ROLE, ROUTER_ROLE, postgres.SUPERUSER)}
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def problems(urls: dict[str, str], **others: str) -> list[roles.Problem]:
    named = {"owner": urls[OWNER_ROLE], "app": urls[APP_ROLE], "router": urls[ROUTER_ROLE]} | others
    return roles.problems(named["owner"], named["app"], named["router"])


def test_the_roles_as_we_make_them_have_no_problems(empty: dict[str, str]) -> None:
    assert problems(empty) == []


def test_making_them_again_changes_nothing(empty: dict[str, str], server: Home) -> None:
    roles.create(postgres.maintenance_url(server), NAME)
    assert problems(empty) == []


def test_a_superuser_as_app_is_found(empty: dict[str, str]) -> None:
    found = problems(empty, app=empty[postgres.SUPERUSER])
    assert "is a superuser" in found[0].what
    assert "NOSUPERUSER" in found[0].remedy


def test_the_owner_as_app_is_found(empty: dict[str, str]) -> None:
    with psycopg.connect(empty[OWNER_ROLE]) as connection:
        connection.execute("CREATE TABLE something (id int)")
    found = [problem.what for problem in problems(empty, app=empty[OWNER_ROLE])]
    assert any("act as the owner" in what for what in found)
    assert any("owns tables" in what for what in found)


def test_a_role_that_bypasses_policies_is_found(empty: dict[str, str]) -> None:
    with psycopg.connect(empty[postgres.SUPERUSER], autocommit=True) as admin:
        admin.execute("CREATE ROLE careless LOGIN BYPASSRLS")
        try:
            found = problems(empty, router=make_conninfo(empty[ROUTER_ROLE], user="careless"))
        finally:
            admin.execute("DROP ROLE careless")
    assert [problem.remedy for problem in found] == ["ALTER ROLE careless NOBYPASSRLS;"]


def test_the_app_may_use_the_owner_s_tables_but_make_none(empty: dict[str, str]) -> None:
    with psycopg.connect(empty[OWNER_ROLE]) as connection:
        connection.execute("CREATE TABLE later (id bigint GENERATED ALWAYS AS IDENTITY, word text)")
    with psycopg.connect(empty[APP_ROLE]) as connection:
        connection.execute("INSERT INTO later (word) VALUES ('a')")
        connection.execute("DELETE FROM later")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")


def test_the_router_may_use_none_that_was_not_opened_to_it(empty: dict[str, str]) -> None:
    with psycopg.connect(empty[OWNER_ROLE]) as connection:
        connection.execute("CREATE TABLE closed (id int)")
    with psycopg.connect(empty[ROUTER_ROLE]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT FROM closed")


@pytest.mark.parametrize("role", [SEARCH_ROLE, AUDIT_ROLE])
def test_nobody_logs_in_as_the_owner_of_a_function(empty: dict[str, str], server: Home, role: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        psycopg.connect(server.database_url(role, NAME))


def test_the_script_for_a_server_of_one_s_own_makes_the_same_roles(server: Home, tmp_path: Path) -> None:
    script = tmp_path / "roles.sql"
    script.write_text(roles.script("byhand"))
    psql = find(server).binaries / "psql"
    options = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={script}"]
    try:
        subprocess.run([psql, *options, postgres.maintenance_url(server)], check=True)
        urls = (server.database_url(role, "byhand") for role in (OWNER_ROLE, APP_ROLE, ROUTER_ROLE))
        assert roles.problems(*urls) == []
    finally:
        with psycopg.connect(postgres.maintenance_url(server), autocommit=True) as connection:
            connection.execute("DROP DATABASE byhand WITH (FORCE)")
