"""The jobs: each loads by id, calls one function, and leaves the rest to it. Retrying is not theirs: due times are rows."""

import threading

from procrastinate.contrib.django import app

from flowcrm import queue
from flowcrm.jobs.upkeep import tidy
from flowcrm.store.writes.lease import process_name
from flowcrm.sync.engine import run_due


@app.periodic(cron="* * * * *")
@app.task(name=queue.SYNC_DUE, pass_context=False)
def sync_due(timestamp: int = 0) -> None:
    """Run slices until no mailbox is due. Woken by pages ("Sync now") and every minute."""
    del timestamp  # when the schedule meant it; due times are rows
    owner = f"{process_name()}/{threading.get_ident()}"
    while run_due(owner):
        pass


@app.periodic(cron="17 * * * *")
@app.task(name=queue.UPKEEP)
def upkeep(timestamp: int = 0) -> None:
    """Hourly: what crashes left behind."""
    del timestamp
    tidy()
