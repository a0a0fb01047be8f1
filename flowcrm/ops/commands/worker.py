"""`flowcrm worker`: runs jobs (sync, upkeep) from PostgreSQL's queue; any number of them, on any number of machines."""

from typing import Annotated

import typer
from procrastinate.contrib.django import app as queue

from flowcrm.ops.interpreter import settle_interpreter
from flowcrm.ops.supervise import die_with_parent
from flowcrm.store.writes.lease import free_leases_of_the_dead

app = typer.Typer()


@app.callback(invoke_without_command=True)
def worker(
    threads: Annotated[int, typer.Option(min=1, help="How many jobs run at a time in this process.")] = 4,
    name: Annotated[str, typer.Option(help="How this worker is called in the queue's tables and the logs.")] = "worker",
) -> None:
    """Run jobs until told to stop; a running job gets time to finish its page."""
    die_with_parent()
    settle_interpreter()
    # Mailboxes that a killed worker of this machine held need not wait until its leases run out.
    free_leases_of_the_dead()
    with queue.replace_connector(queue.connector.get_worker_connector()) as connected:  # type: ignore[attr-defined]
        connected.run_worker(concurrency=threads, name=name, shutdown_graceful_timeout=20, delete_jobs="successful")
