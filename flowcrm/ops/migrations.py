"""Applying the migrations, and finding out whether all are applied."""

import os
import subprocess
import sys

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from flowcrm.ops.errors import TablesBehind

# Any number of our own, the same for every release.
_LOCK = 4_219_000_001


def apply() -> None:
    """Run what is missing, and make the cache's table. Only as the owner role; safe to repeat, and from several at once."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            call_command("migrate", verbosity=0, interactive=False)
            call_command("createcachetable", verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def missing() -> list[str]:
    """Names of the migrations that this code has and the database has not."""
    executor = MigrationExecutor(connections["default"])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def _disconnect() -> None:
    """Leave no connection and no pool open: the web server forks after this, and no two processes may share one."""
    connection = connections["default"]
    connection.close()
    if isinstance(connection, DatabaseWrapper):
        connection.close_pool()


def apply_missing() -> None:
    """Bring the tables up to date from any process: a process of the owner's does it. Raises TablesBehind."""
    found = missing()
    _disconnect()
    if not found:
        return
    if not settings.EMBEDDED_POSTGRES and "DATABASE_URL_OWNER" not in os.environ:
        raise TablesBehind("The database's tables are behind this version. Set DATABASE_URL_OWNER and run: flowcrm migrate")
    done = subprocess.run([sys.executable, "-m", "flowcrm", "migrate"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise TablesBehind("The database's tables could not be brought up to date; the reason stands above.")
