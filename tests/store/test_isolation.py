"""Row-level security: nothing is seen without a workspace, and nothing of another one; and the lists of tables are kept."""

import psycopg
import pytest
from django.apps import apps

from flowcrm.store.db import rows, workspace_scope
from tests.store.pages import Mail, keep, new_hold, new_workspace

pytestmark = pytest.mark.needs_postgres

INSTANCE = {
    "person",
    "account_name",
    "instance_setting",
    "cache_entry",
    "django_session",
    "django_migrations",
    "django_content_type",
}
INSTANCE_PREFIXES = ("auth_", "account_email", "mfa_", "procrastinate_")
ROUTING = {"workspace", "member", "mailbox_due", "lease", "mailbox_grant", "nearby", "people_scan", "outgoing"}


def _tables(database: dict[str, str]) -> dict[str, bool]:
    """Every table of ours -> is row-level security on?"""
    with psycopg.connect(database["owner"]) as connection:
        found = connection.execute(
            "SELECT relname, relrowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        return dict(found.fetchall())


def test_raw_sql_as_the_application_sees_nothing_without_a_workspace(database: dict[str, str]) -> None:
    keep(new_hold(new_workspace()), [Mail("1", "id-1", "text", "text")])
    guarded = [name for name, secured in _tables(database).items() if secured]
    assert len(guarded) > 25
    with psycopg.connect(database["app"], autocommit=True) as connection:
        for table in guarded:
            with pytest.raises(psycopg.errors.UndefinedObject):
                connection.execute(f'SELECT * FROM "{table}"')


def test_a_workspace_sees_only_its_own_rows(database: dict[str, str]) -> None:
    mine, other = new_workspace(), new_workspace()
    keep(new_hold(other), [Mail("1", "id-1", "text", "text")])

    for table, secured in _tables(database).items():
        if secured:
            with workspace_scope(mine):
                column = "id" if table == "workspace" else "workspace_id"
                assert {one for (one,) in rows(f'SELECT {column} FROM "{table}"')} <= {mine}, table


def test_a_row_of_another_workspace_cannot_be_written() -> None:
    mine, other = new_workspace(), new_workspace()
    with pytest.raises(Exception, match="row-level security"), workspace_scope(mine):
        rows("INSERT INTO usage_day (workspace_id, local_date) VALUES (%s, '2026-11-23')", [other])


def test_every_table_is_either_guarded_or_on_the_list_of_the_instance(database: dict[str, str]) -> None:
    for table, secured in _tables(database).items():
        instance = table in INSTANCE or table.startswith(INSTANCE_PREFIXES)
        assert secured is not instance, table


def test_the_router_sees_ids_of_routing_tables_and_no_content(database: dict[str, str]) -> None:
    tables = _tables(database)
    with psycopg.connect(database["router"], autocommit=True) as connection:
        for table in tables:
            readable = connection.execute("SELECT has_table_privilege(%s, 'SELECT')", [f'"{table}"']).fetchone()
            assert (readable == (True,)) is (table in ROUTING or table == "account_name"), table


def test_the_application_can_neither_change_nor_drop_audit_records() -> None:
    with pytest.raises(Exception, match="permission denied"), workspace_scope(new_workspace()):
        rows("DELETE FROM audit")


def test_models_name_exactly_the_columns_of_their_tables(database: dict[str, str]) -> None:

    with psycopg.connect(database["owner"]) as connection:
        for model in apps.get_app_config("store").get_models():
            columns = {field.column for field in model._meta.concrete_fields}
            found = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [model._meta.db_table]
            )
            assert columns == {name for (name,) in found}, model.__name__
