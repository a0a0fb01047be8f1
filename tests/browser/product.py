"""The whole product as people run it: `flowcrm serve` on a database of its own, a stand-in for Google, a real browser."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright
from psycopg import sql

from flowcrm.ops import postgres
from flowcrm.ops.home import APP_ROLE, OWNER_ROLE, ROUTER_ROLE, Home
from standins.google.client import GoogleStandin

TEMPLATE = "template_flowcrm"
ASYNC_UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"
ROOT = Path(__file__).parents[2]
# Keeps Chromium from talking to its maker: this machine reaches nobody, and a test should not try.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
)


@dataclass
class Product:
    """A running installation. invitation: the set-up page's address and code, as the terminal showed them."""

    url: str
    google: GoogleStandin
    output: list[str]
    environment: dict[str, str]

    def code(self) -> str:
        found = re.search(r"code (\S+)", self._shown("with the code"))
        assert found
        return found[1]

    def flowcrm(self, *words: str) -> str:
        """Run a command of the operator."""
        done = subprocess.run(
            [sys.executable, "-m", "flowcrm", *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def _shown(self, words: str) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for line in list(self.output):
                if words in line:
                    return line
            time.sleep(0.05)
        raise AssertionError(f"the terminal never showed {words!r}: {self.output}")


@contextmanager
def product(server: Home, folder: Path) -> Iterator[Product]:
    """Start everything on an empty database, and end it."""
    name, port = f"browser_{uuid4().hex[:8]}", free_port()
    with postgres.alone(server):
        _create(server, name)
    home = Home(folder / "home")
    home.prepare()
    with GoogleStandin() as google:
        google.quota(units_per_minute=0)
        environment = {
            **{name: value for name, value in os.environ.items() if name != ASYNC_UNSAFE},
            **google.settings(),
            "FLOWCRM_HOME": str(home.path),
            "FLOWCRM_BASE_URL": f"http://127.0.0.1:{port}",
            "FLOWCRM_ALLOW_LOOPBACK_PROVIDERS": "1",
            "GMAIL_UNITS_PER_MINUTE": "1000000",
            "DATABASE_URL": server.database_url(APP_ROLE, name),
            "DATABASE_URL_OWNER": server.database_url(OWNER_ROLE, name),
            "DATABASE_URL_ROUTER": server.database_url(ROUTER_ROLE, name),
            "PYTHONUNBUFFERED": "1",
        }
        running = subprocess.Popen(
            [sys.executable, "-m", "flowcrm", "serve", f"--port={port}"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        output: list[str] = []
        reader = threading.Thread(target=_read, args=(running, output), daemon=True)
        reader.start()
        try:
            _wait_for(port, running, output)
            yield Product(f"http://127.0.0.1:{port}", google, output, environment)
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
            reader.join(5)
            if running.stdout:
                running.stdout.close()


def launch(playwright: Playwright, chromium: Path) -> Browser:
    return playwright.chromium.launch(executable_path=str(chromium), args=list(QUIET))


@contextmanager
def tab(browser: Browser, *, height: int = 900, refuses: bool = False) -> Iterator[Page]:
    """A fresh tab whose script errors and broken policies fail the test. refuses: pages may answer 4xx and 5xx."""
    context = browser.new_context(
        viewport={"width": 1280, "height": height},
        timezone_id="Europe/Berlin",
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.extend(_errors(message, refuses=refuses)))
    try:
        yield page
    finally:
        context.close()
    assert complaints == [], complaints


@pytest.fixture(scope="package")
def running(server: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One product for a package's tests; each makes an account of its own in it (house.py)."""
    with product(server, tmp_path_factory.mktemp("product")) as started:
        yield started


@pytest.fixture(scope="package")
def browser(chromium: Path) -> Iterator[Browser]:
    """While it runs, Playwright's event loop counts as running in this thread, though tests never run inside it; Django's ORM
    would refuse them. The flag goes with the browser, and not to the product (see `product`)."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv(ASYNC_UNSAFE, "1")
        with closing(launch(playwright, chromium)) as started:
            yield started


def _errors(message: ConsoleMessage, *, refuses: bool) -> list[str]:
    where = message.location["url"]
    # The stand-in's pages have no icon; ours name theirs.
    foreseen = where.endswith("/favicon.ico") or (refuses and message.text.startswith("Failed to load resource"))
    return [f"{message.text} ({where})"] if message.type == "error" and not foreseen else []


def _read(running: "subprocess.Popen[str]", output: list[str]) -> None:
    output.extend(line.rstrip() for line in running.stdout or ())


def _wait_for(port: int, running: "subprocess.Popen[str]", output: list[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if running.poll() is not None:
            raise AssertionError("flowcrm serve ended:\n" + "\n".join(output))
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("flowcrm serve does not listen:\n" + "\n".join(output))


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _create(server: Home, name: str) -> None:
    with psycopg.connect(postgres.maintenance_url(server), autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        connection.execute(statement.format(*(sql.Identifier(word) for word in (name, TEMPLATE, OWNER_ROLE))))
