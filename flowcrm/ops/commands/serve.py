"""`flowcrm serve`: the whole product on one machine, web and workers under one parent."""

import os
import sys
from typing import Annotated

import structlog
import typer
from django.conf import settings

from flowcrm.ops import exposure, postgres, supervise
from flowcrm.ops.commands.web import Certificate, Host, Key, Port, Processes, collect_static
from flowcrm.ops.errors import PostgresFailed
from flowcrm.ops.firstrun import invitation

app = typer.Typer()
_log = structlog.get_logger(__name__)


@app.callback(invoke_without_command=True)
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    processes: Processes = 1,
    workers: Annotated[int, typer.Option(min=1, help="How many worker processes run jobs.")] = 1,
    certificate: Certificate = None,
    key: Key = None,
) -> None:
    """Run everything until told to stop: database (if embedded), web and workers."""
    listen = exposure.Listen(host, port, certificate, key)
    exposure.check(listen, settings.BASE_URL, settings.TRUSTED_PROXY)
    # Web and workers never hold the owner's address.
    os.environ.pop("DATABASE_URL_OWNER", None)
    collect_static()
    typer.echo(f"FlowCRM is at {settings.BASE_URL}. {invitation()}")
    supervise.run(programs(listen, processes, workers), upkeep=keep_postgres)


def programs(listen: exposure.Listen, processes: int, workers: int) -> list[supervise.Program]:
    """The processes of one machine."""
    tls = [f"--certificate={listen.certificate}", f"--key={listen.key}"] if listen.certificate else []
    flowcrm = [sys.executable, "-m", "flowcrm"]
    web = [*flowcrm, "web", f"--host={listen.host}", f"--port={listen.port}", f"--processes={processes}", *tls]
    return [
        supervise.Program("web", web),
        *(supervise.Program(f"worker-{n}", [*flowcrm, "worker", f"--name=worker-{n}"]) for n in range(1, workers + 1)),
    ]


def keep_postgres() -> None:
    """Start the embedded server again where it was killed."""
    if not settings.EMBEDDED_POSTGRES:
        return
    try:
        postgres.ensure_running(settings.HOME)
    except PostgresFailed as failed:
        _log.error("the embedded PostgreSQL does not start", reason=str(failed), home=os.fspath(settings.HOME.path))
