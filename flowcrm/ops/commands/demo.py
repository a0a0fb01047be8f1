"""`flowcrm demo`: the product with a team, a stand-in for Google and two thousand emails; everything is made anew each time."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from flowcrm.lib import clock
from flowcrm.ops import listening, postgres, supervise
from flowcrm.ops.demo import standin
from flowcrm.ops.demo.account import PASSWORD
from flowcrm.ops.demo.scenes import Forgetful
from flowcrm.ops.demo.states import ACCOUNTS
from flowcrm.ops.demo.world import World, generate
from flowcrm.ops.errors import Refused
from flowcrm.ops.home import Home, current_home
from flowcrm.ops.outfiles import check_can_write
from flowcrm.ops.reports import reported_where_it_fails
from flowcrm.ops.stopping import stoppable
from standins.google.client import RemoteStandin

app = typer.Typer()

SEED = 2026
_MARK = "this-is-a-demo"


@app.callback(invoke_without_command=True)
def demo(
    port: Annotated[int, typer.Option(help="Port of the product's pages.")] = 8000,
    google_port: Annotated[int, typer.Option(help="Port of the stand-in; 0 takes a free one.")] = 8900,
    headless: Annotated[bool, typer.Option(help="Without pages: connect, sync, check the result, end.")] = False,
    report: Annotated[Path | None, typer.Option(help="With --headless: write the result there, as JSON.")] = None,
) -> None:
    """Show the product with believable mail. Nothing leaves this machine."""
    if not headless:
        if report is not None:
            raise Refused("--report goes with --headless.")
        listening.check_port(listening.HOST, port)
        return _show(port, google_port)
    check_can_write(report)
    with stoppable("Stopped; nothing was checked."), reported_where_it_fails(report):
        code = _check(report)
    raise typer.Exit(code)


def _show(port: int, google_port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    with _filled(google_port, base) as (home, google, postman, world):
        # The engine meets what befalls the mailboxes there, and would say so before the welcome.
        _flowcrm("demo-house", google.url, log_level="ERROR")
        _welcome(base, google, world)
        supervise.run(_programs(port), upkeep=partial(_keep, home, postman, Forgetful(google)))


def _check(report: Path | None) -> int:
    with _filled(0, "http://127.0.0.1:8000") as (_home, google, _postman, _world):
        return _flowcrm("demo-house", google.url, "--check", *([f"--report={report}"] if report else []))


@contextmanager
def _filled(google_port: int, base: str) -> Iterator[tuple[Home, RemoteStandin, standin.Postman, World]]:
    """A fresh installation with its tables, and a stand-in with the demo's mail; both are ended with the block."""
    home = _fresh(current_home())
    world = generate(SEED, clock.now())
    environment = {
        "FLOWCRM_BASE_URL": base,
        "FLOWCRM_ALLOW_LOOPBACK_PROVIDERS": "1",
        "GMAIL_UNITS_PER_MINUTE": str(standin.QUOTA),
        # Its people have made-up addresses: what it sends goes at most to a server on this machine.
        "SMTP_URL": url if (url := os.environ.get("SMTP_URL", "")).startswith("smtp+plain://") else "",
    }
    running, google = standin.start(google_port, environment, home.logs / "standin.log")
    try:
        os.environ |= environment | google.settings()
        postman = standin.Postman(google, world)
        postman.fill(world)
        _flowcrm("migrate", quiet=True)
        yield home, google, postman, world
    finally:
        running.terminate()
        running.wait(10)
        if running.stdout:
            running.stdout.close()
        postgres.stop(home)


def _fresh(home: Home) -> Home:
    """An empty home for the demo. Only what a demo made before is taken away."""
    if home.path.exists() and any(home.path.iterdir()):
        if not (home.path / _MARK).exists():
            raise Refused(f"{home.path} holds an installation, and the demo begins with an empty one. Set FLOWCRM_HOME.")
        if home.data.exists():
            postgres.stop(home)
        shutil.rmtree(home.data.resolve(), ignore_errors=True)
        shutil.rmtree(home.path)
    home.prepare()
    (home.path / _MARK).touch()
    return home


def _flowcrm(*words: str, quiet: bool = False, log_level: str = "INFO") -> int:
    done = subprocess.run(
        [sys.executable, "-m", "flowcrm", *words],
        env={"FLOWCRM_LOG_LEVEL": log_level, **os.environ},
        stdout=subprocess.DEVNULL if quiet else None,
        check=False,
    )
    if done.returncode and "--check" not in words:
        raise Refused(f"flowcrm {words[0]} failed; the reason stands above.")
    return done.returncode


def _programs(port: int) -> list[supervise.Program]:
    flowcrm = [sys.executable, "-m", "flowcrm"]
    return [
        supervise.Program("web", [*flowcrm, "web", f"--port={port}"]),
        supervise.Program("worker", [*flowcrm, "worker"]),
    ]


def _keep(home: Home, postman: standin.Postman, forgetful: Forgetful) -> None:
    postgres.ensure_running(home)
    postman.bring_due()
    forgetful.forget_if_due()


def _welcome(base: str, google: RemoteStandin, world: World) -> None:
    typer.echo(f"\nFlowCRM is at {base}\n")
    for user in world.users:
        typer.echo(f"  {user.address:32} {PASSWORD}   {user.role}, {user.name}")
    typer.echo("\nEvery state of a mailbox, with the same password (docs/how-to/see-every-state.md):\n")
    for somebody in (one for account in ACCOUNTS for one in account.people):
        typer.echo(f"  {somebody.address:32} {somebody.role}: {somebody.what}")
    typer.echo(
        f"\nGoogle is a stand-in at {google.url}, with a raised quota; new mail arrives every minute. Ctrl-C ends the demo.\n"
    )
