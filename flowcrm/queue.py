"""Every job by its name. Jobs are deferred by name, so that no caller imports a task; tests/rules holds the names to the tasks.

A deferred job is a row in the caller's transaction: it exists if and only if what it was deferred for was committed.
"""

from django.db import transaction
from procrastinate import exceptions
from procrastinate.contrib.django import app

SYNC_DUE = "sync_due"
NEARBY = "nearby"
WRITTEN = "written"
UPKEEP = "upkeep"
EXCLUSIONS = "exclusions"
POST = "post"
FORGOTTEN = "forgotten"

NAMES = frozenset({SYNC_DUE, NEARBY, WRITTEN, UPKEEP, EXCLUSIONS, POST, FORGOTTEN})


def wake_sync() -> None:
    """Mailboxes may be due: wake the workers. One waiting wake-up is enough for all of them."""
    _wake(SYNC_DUE)


def wake_exclusions() -> None:
    """Stored mail is to follow an exclusion list, more than a person should wait for."""
    _wake(EXCLUSIONS)


def wake_written() -> None:
    """Somebody waits for the people he has written to."""
    _wake(WRITTEN)


def wake_post() -> None:
    """A mail is to be sent."""
    _wake(POST)


def send_forgotten(person_id: int | None, *, tries: int = 0) -> None:
    """Somebody forgot his password; None: nobody has that address, and whoever asked must not see that by the clock."""
    later = {"minutes": 2**tries} if tries else {}
    app.configure_task(FORGOTTEN, allow_unknown=True, schedule_in=later or None).defer(person_id=person_id, tries=tries)


def _wake(name: str) -> None:
    try:
        # AlreadyEnqueued breaks the surrounding transaction, although it is caught: hence the savepoint.
        with transaction.atomic():
            app.configure_task(name, queueing_lock=name, allow_unknown=True).defer()
    except exceptions.AlreadyEnqueued:
        return
