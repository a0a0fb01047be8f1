"""Everything that the product keeps: the database as rows and as files, and what an export writes."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from flowcrm.store.db import row
from tests.flow.acme import Box


def dump(superuser: str) -> bytes:
    """Every table of every schema as text, and what the planner has noted of their contents."""
    dumped = bytearray()
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("ANALYZE")
        found = connection.execute(
            """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE (c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema'))
                  OR c.relname IN ('pg_statistic', 'pg_stats')"""
        ).fetchall()
        for schema, table in found:
            dumped += f"\n{schema}.{table}\n".encode()
            statement = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(schema, table))
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                for piece in copy:
                    dumped += piece
    for table in (
        b"public.copy",
        b"public.procrastinate_jobs",
        b"public.django_session",
        b"public.audit",
        b"pg_catalog.pg_stats",
    ):
        assert table in dumped
    return bytes(dumped)


def files_of(superuser: str) -> tuple[Path, Path]:
    """The database's files and the log of all changes, as they lie on the disk."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        found = connection.execute(
            "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert found is not None
    return Path(found[0]) / "base" / str(found[1]), Path(found[0]) / "pg_wal"


def export(box: Box, file: Path, environment: dict[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    """The operator writes out all mail of the account."""
    found = row("SELECT slug FROM account_name WHERE workspace_id = %s", [box.team.workspace_id])
    assert found is not None
    return subprocess.run(
        [sys.executable, "-m", "flowcrm", "export", str(file), "--account", found[0], *options],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
