"""The jobs: each loads by id, calls one function, and leaves the rest to it. Retrying is not theirs: due times are rows."""

import threading

from procrastinate import JobContext
from procrastinate.contrib.django import app

from flowcrm import queue
from flowcrm.jobs.upkeep import tidy
from flowcrm.post.forgotten import send_new_password
from flowcrm.post.outbox import send_due
from flowcrm.store.writes.lease import process_name
from flowcrm.sync.follow import follow_lists
from flowcrm.sync.nearby import join_nearby
from flowcrm.sync.shift import work_due
from flowcrm.sync.written import scan_due

# After an hour nobody waits for a new password any more.
LAST_TRY = 5


@app.periodic(cron="* * * * *")
@app.task(name=queue.SYNC_DUE, queueing_lock=queue.SYNC_DUE, pass_context=True)
def sync_due(context: JobContext, timestamp: int = 0) -> None:
    """Run slices while mailboxes are due or about to be. Woken by pages ("Sync now") and every minute."""
    del timestamp  # when the schedule meant it; due times are rows
    if work_due(f"{process_name()}/{threading.get_ident()}", stop=context.should_abort):
        queue.wake_sync()


@app.periodic(cron="* * * * *")
@app.task(name=queue.NEARBY, queueing_lock=queue.NEARBY, pass_context=True)
def nearby(context: JobContext, timestamp: int = 0) -> None:
    """Join messages that are one but for a banner or a footer. Two at a time do no harm."""
    del timestamp
    join_nearby(stop=context.should_abort)


@app.periodic(cron="*/10 * * * *")
@app.task(name=queue.EXCLUSIONS, queueing_lock=queue.EXCLUSIONS, pass_context=True)
def exclusions(context: JobContext, timestamp: int = 0) -> None:
    """Stored mail follows the exclusion lists. Woken by pages; now and then for what a killed worker left."""
    del timestamp
    follow_lists(stop=context.should_abort)


@app.periodic(cron="* * * * *")
@app.task(name=queue.WRITTEN, queueing_lock=queue.WRITTEN, pass_context=True)
def written(context: JobContext, timestamp: int = 0) -> None:
    """Go on looking for people whom somebody has written to. Woken by the page that asks."""
    del timestamp
    scan_due(f"{process_name()}/{threading.get_ident()}", stop=context.should_abort)


@app.periodic(cron="* * * * *")
@app.task(name=queue.POST, queueing_lock=queue.POST, pass_context=True)
def post(context: JobContext, timestamp: int = 0) -> None:
    """Send the mails that are due. Woken by pages that ask for one."""
    del timestamp
    send_due(stop=context.should_abort)


@app.task(name=queue.FORGOTTEN)
def forgotten(person_id: int | None, tries: int) -> None:
    """Send the link by which somebody sets a new password; where the server takes nothing now, some minutes later."""
    if not send_new_password(person_id) and tries < LAST_TRY:
        queue.send_forgotten(person_id, tries=tries + 1)


@app.periodic(cron="17 * * * *")
@app.task(name=queue.UPKEEP)
def upkeep(timestamp: int = 0) -> None:
    """Hourly: what crashes left behind."""
    del timestamp
    tidy()
