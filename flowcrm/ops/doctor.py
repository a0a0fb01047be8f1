"""Tests of every part that the product stands on. Each gives findings; none changes anything but its own probe."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from importlib.metadata import version
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core import checks
from django.db import DatabaseError

from flowcrm import __version__
from flowcrm.lib import clock
from flowcrm.lib.http import Answer, Client, HostRules, HttpError, HttpStatus, Timeouts
from flowcrm.ops import migrations, postgres, roles
from flowcrm.ops.errors import OpsError
from flowcrm.ops.home import check_database_urls
from flowcrm.post.sending import mail_server
from flowcrm.post.server import ServerWrong
from flowcrm.post.smtp import NotSent, reach
from flowcrm.post.trouble import sentence
from flowcrm.store.queries.members import any_workspace
from flowcrm.store.vaults import instance_vault
from flowcrm.vault import keyfile
from flowcrm.vault.blobs import BlobStore
from flowcrm.vault.errors import VaultError
from flowcrm.vault.seal import WorkspaceVault

_GB = 1024**3
_CLOCK_TOLERANCE = timedelta(seconds=30)
_PROBE = b"FlowCRM doctor"


class Health(Enum):
    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """What one test found. remedy: empty where nothing is to be done."""

    part: str
    health: Health
    text: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """All tests in order: what stands below comes first. Without a database, what needs one is left out."""
    without_database = False
    for part, test in TESTS.items():
        if without_database and part in _NEED_DATABASE:
            continue
        try:
            findings = [Finding(part, health, text, remedy) for health, text, remedy in test()]
        except (OSError, ImportError, psycopg.Error, DatabaseError, OpsError, VaultError, HttpError) as error:
            findings = [Finding(part, Health.BAD, _said(error), _REMEDIES[part])]
        yield from findings
        # Without tables, too, the others could only repeat it in PostgreSQL's words.
        without_database |= part in ("database", "tables") and any(one.health is Health.BAD for one in findings)


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


Result = tuple[Health, str, str]


def _good(text: str) -> Result:
    return Health.GOOD, text, ""


def _python() -> Iterable[Result]:
    yield _good(f"Python {platform.python_version()}, FlowCRM {__version__}")


def _folders() -> Iterable[Result]:
    settings.HOME.prepare()
    yield _good(f"{settings.HOME.path}: closed to other users")
    if settings.EMBEDDED_POSTGRES:
        postgres.check_modes(settings.HOME)
        yield _good(f"{settings.HOME.data}: closed to other users")


def _disk() -> Iterable[Result]:
    free = shutil.disk_usage(settings.HOME.path).free
    health = Health.GOOD if free > 5 * _GB else Health.DOUBTFUL if free > _GB else Health.BAD
    yield health, f"{free / _GB:.1f} GB free", "" if health is Health.GOOD else "Make room: mail needs about 50 KB each."


def _database() -> Iterable[Result]:
    check_database_urls(os.environ)
    if settings.EMBEDDED_POSTGRES:
        postgres.ensure_running(settings.HOME)
    with psycopg.connect(settings.DATABASE_URLS["app"], connect_timeout=10) as connection:
        number = connection.info.server_version
    yield _good(f"PostgreSQL {number // 10000}.{number % 10000}, {'embedded' if settings.EMBEDDED_POSTGRES else 'your own'}")


def _roles() -> Iterable[Result]:
    found = roles.problems(*(settings.DATABASE_URLS[role] for role in ("owner", "app", "router")))
    yield from ((Health.BAD, problem.what, problem.remedy) for problem in found)
    if not found:
        yield _good("neither app nor router can get around row-level security")


def _isolation() -> Iterable[Result]:
    with psycopg.connect(settings.DATABASE_URLS["app"]) as connection:
        try:
            connection.execute("SELECT id FROM workspace LIMIT 1")
        except (psycopg.errors.UndefinedObject, psycopg.errors.InvalidTextRepresentation):
            yield _good("without an account, the application sees no mail")
        else:
            yield Health.BAD, "The application can read without naming an account.", _REMEDIES["isolation"]


def _tables() -> Iterable[Result]:
    missing = migrations.missing()
    if missing:
        yield Health.BAD, f"{len(missing)} migrations are missing, {missing[0]} first", "Run: flowcrm migrate"
    else:
        yield _good("all migrations are applied")


def _keys() -> Iterable[Result]:
    if not any_workspace():
        yield Health.DOUBTFUL, "no account yet, so no keys", "Run flowcrm serve and open the set-up page it prints."
        return
    instance_vault()
    yield _good(f"{urlsplit(settings.KEYS_URL).path}: the installation's keys open")


def _blobs() -> Iterable[Result]:
    # Keys of the moment: the probe belongs to nobody, and nobody could open it later.
    vault, content_id, store = WorkspaceVault(0, keyfile.new_keys()), bytes(16), BlobStore(settings.BLOBS_URL)
    ref = store.put(vault, content_id, _PROBE)
    store.sync()
    read = store.open(vault, content_id, ref)  # allow: one-door: what it has just written itself
    store.delete(ref)
    if read != _PROBE:
        yield Health.BAD, "what was written does not come back", _REMEDIES["large content"]
    else:
        yield _good("written, synced, read and deleted")


def _web() -> Iterable[Result]:
    for message in checks.run_checks():
        health = Health.BAD if message.is_serious() else Health.DOUBTFUL
        yield health, message.msg, message.hint or ""
    yield _good(f"granian {version('granian')}, {settings.BASE_URL}")


def _providers() -> Iterable[Result]:
    for url in sorted({_origin(settings.GOOGLE_TOKEN_URL), _origin(settings.GMAIL_API_URL)}):
        try:
            answer = _ask(url)
        except HttpError as error:
            yield Health.DOUBTFUL, f"{url}: {error}", "Sync waits until it answers. Is there a firewall or a proxy in between?"
        else:
            yield _good(f"{url} answers")
            yield from _clock_against(answer, url)


def _mail_server() -> Iterable[Result]:
    try:
        server = mail_server()
    except ServerWrong as wrong:
        yield Health.BAD, "no email can be sent", str(wrong)
        return
    if server is None:
        yield _good("none set: invitations go by link, notices stay in FlowCRM")
        return
    place = f"{server.host}:{server.port}"
    try:
        reach(server)
    except NotSent as error:
        yield Health.DOUBTFUL, f"{place}: {sentence(error)}", "Emails wait for a day. See docs/how-to/outgoing-mail.md"
    else:
        yield _good(f"{place} answers; emails come from {server.sender}. flowcrm mail-test ADDRESS sends one")


def _ask(url: str) -> Answer:
    hosts = HostRules(loopback=settings.ALLOW_LOOPBACK_PROVIDERS)
    client = Client(url, timeouts=Timeouts(5, 5, 10), hosts=hosts, max_bytes=65536)
    try:
        return client.get("/")
    except HttpStatus as status:
        # Whatever it says to a bare request, it is there.
        return status.answer
    finally:
        client.close()


def _clock_against(answer: Answer, url: str) -> Iterable[Result]:
    if "date" in answer.headers:
        ahead = clock.now() - parsedate_to_datetime(answer.headers["date"])
        if abs(ahead) > _CLOCK_TOLERANCE and not clock.offset():
            yield Health.DOUBTFUL, f"this clock differs from {url} by {round(ahead.total_seconds())} s", "Switch NTP on."


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


TESTS: dict[str, Callable[[], Iterable[Result]]] = {
    "python": _python,
    "folders": _folders,
    "disk": _disk,
    "database": _database,
    "roles": _roles,
    "tables": _tables,
    "isolation": _isolation,
    "keys": _keys,
    "large content": _blobs,
    "web": _web,
    "providers": _providers,
    "outgoing mail": _mail_server,
}

_NEED_DATABASE = {"roles", "tables", "isolation", "keys"}

# Where a test ends with an error instead of a finding.
_REMEDIES = {
    "python": f"Install FlowCRM again: make setup ({sys.executable}).",
    "folders": "Follow the sentence, then run flowcrm doctor again.",
    "disk": "Is FLOWCRM_HOME a folder that exists?",
    "database": "Is DATABASE_URL right, and does that server run? Embedded: see the log in pg/log.",
    "roles": "Set DATABASE_URL_OWNER, DATABASE_URL and DATABASE_URL_ROUTER; flowcrm postgres roles prints the SQL.",
    "tables": "Run: flowcrm migrate",
    "isolation": "Run: flowcrm migrate. Then check that no policy was dropped by hand.",
    "keys": "Restore the key store from its backup: without it nothing that is stored can be opened.",
    "large content": "Is BLOBS_URL right, may we write there, and is there room?",
    "web": "Install FlowCRM again: make setup.",
    "providers": "Are the GOOGLE_… and GMAIL_… settings addresses?",
    "outgoing mail": "Is SMTP_URL right? See docs/how-to/outgoing-mail.md",
}
