"""The door to PostgreSQL: the workspace scope, ids, and SQL where SQL is best.

Every statement about a workspace runs inside `workspace_scope`: row-level security raises outside of it, so that forgetting
it is an error and never an empty answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, connections, transaction

Params = Sequence[Any] | Mapping[str, Any]


@contextmanager
def workspace_scope(workspace_id: int) -> Iterator[None]:
    """One transaction that sees one workspace. Nested scopes must name the same workspace (they join the transaction)."""
    with transaction.atomic():
        rows("SELECT set_config('app.workspace', %s, true)", [str(workspace_id)])
        yield


def rows(sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """Run one statement, give all its rows (none for a statement that returns nothing)."""
    with _cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def row(sql: str, params: Params = ()) -> tuple[Any, ...] | None:
    """The first row, or None."""
    with _cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone() if cursor.description else None


def run(sql: str, params: Params = ()) -> int:
    """Run one statement, give the number of rows it touched."""
    with _cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def router_rows(sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """Read a routing table before the workspace is known. The router role sees ids only, never content."""
    with connections["router"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def close_connections() -> None:
    """Give back this thread's connections: at the end of a thread, nobody else does."""
    connections.close_all()


def next_ids(count: int) -> list[int]:
    """`count` fresh row ids, ascending. They are taken before the insert, since sealed values are bound to them."""
    return [int(found[0]) for found in rows("SELECT nextval('flow_id') FROM generate_series(1, %s)", [count])]


def next_id() -> int:
    """One fresh row id."""
    return next_ids(1)[0]


@contextmanager
def _cursor() -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    # Django's own cursor writes arguments into the text of the statement. Arrays of thousands of hashes travel better as
    # bound parameters, so this one speaks psycopg directly, on the same connection and in the same transaction.
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor
