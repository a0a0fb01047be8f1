"""Applying the migrations, and finding out whether all are applied."""

import os
import subprocess
import sys

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from flowcrm.ops.errors import TablesBehind


def apply() -> None:
    """Run what is missing, and make the cache's table. Only as the owner role; safe to repeat."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)


def missing() -> list[str]:
    """Names of the migrations that this code has and the database has not."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def apply_missing() -> None:
    """For a process of the app's role: let a process of the owner's bring the tables up to date. Raises TablesBehind."""
    if not missing():
        return
    if not settings.EMBEDDED_POSTGRES and "DATABASE_URL_OWNER" not in os.environ:
        raise TablesBehind("The database's tables are behind this version. Set DATABASE_URL_OWNER and run: flowcrm migrate")
    done = subprocess.run([sys.executable, "-m", "flowcrm", "migrate"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise TablesBehind("The database's tables could not be brought up to date; the reason stands above.")
