"""`flowcrm web`: pages, API and hooks, served by granian."""

from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.core.management import call_command
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from flowcrm.ops import exposure
from flowcrm.ops.supervise import die_with_parent

app = typer.Typer()

Host = Annotated[str, typer.Option(help="Address to listen on. Other than loopback: TLS or FLOWCRM_TRUSTED_PROXY is needed.")]
Port = Annotated[int, typer.Option(help="Port to listen on.")]
Processes = Annotated[int, typer.Option(min=1, help="How many processes answer requests.")]
Certificate = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="TLS certificate chain, a PEM file.")]
Key = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The certificate's private key, a PEM file.")]

# Their address has the files' hash in it (settings.STATIC_URL), so a new release is seen at once.
_STATIC_SECONDS = 365 * 24 * 3600


@app.callback(invoke_without_command=True)
def web(
    host: Host = "127.0.0.1", port: Port = 8000, processes: Processes = 1, certificate: Certificate = None, key: Key = None
) -> None:
    """Answer requests until told to stop."""
    die_with_parent()
    listen = exposure.Listen(host, port, certificate, key)
    exposure.check(listen, settings.BASE_URL, settings.TRUSTED_PROXY)
    collect_static()
    server(listen, processes).serve()


def collect_static() -> None:
    """Bring our static files and the packages' together, once a release."""
    if not settings.STATIC_ROOT.exists():
        call_command("collectstatic", verbosity=0, interactive=False)


def server(listen: exposure.Listen, processes: int) -> MPServer:
    """Granian as we run it; nothing listens yet."""
    return MPServer(
        target="flowcrm.asgi:application",
        interface=Interfaces.ASGINL,
        address=listen.host,
        port=listen.port,
        workers=processes,
        respawn_failed_workers=True,
        workers_kill_timeout=20,
        websockets=False,
        ssl_cert=listen.certificate,
        ssl_key=listen.key,
        static_path_route=[settings.STATIC_URL.rstrip("/")],
        static_path_mount=[settings.STATIC_ROOT],
        static_path_expires=_STATIC_SECONDS,
        log_dictconfig=settings.LOGGING,
        log_level=LogLevels.warning,
    )
