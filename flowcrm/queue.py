"""Every job by its name. Jobs are deferred by name, so that no caller imports a task; tests/rules holds the names to the tasks.

A deferred job is a row in the caller's transaction: it exists if and only if what it was deferred for was committed.
"""

from django.db import transaction
from procrastinate import exceptions
from procrastinate.contrib.django import app

SYNC_DUE = "sync_due"
NEARBY = "nearby"
UPKEEP = "upkeep"

NAMES = frozenset({SYNC_DUE, NEARBY, UPKEEP})


def wake_sync() -> None:
    """Mailboxes may be due: wake the workers. One waiting wake-up is enough for all of them."""
    try:
        # AlreadyEnqueued breaks the surrounding transaction, although it is caught: hence the savepoint.
        with transaction.atomic():
            app.configure_task(SYNC_DUE, queueing_lock=SYNC_DUE, allow_unknown=True).defer()
    except exceptions.AlreadyEnqueued:
        return
