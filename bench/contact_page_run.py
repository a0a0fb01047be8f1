"""The measured part of bench/contact_page.py."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import psutil
import psycopg
from django.test import Client

from bench.account import fill
from flowcrm.ops import postgres
from flowcrm.ops.home import DATABASE, OWNER_ROLE, Home
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.models import Person
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.contacts import ContactFields, do_create_contact
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace
from flowcrm.sync.archive import ArchiveMail, import_mails, open_archive

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
CARLA = "carla@nordlicht.example"
IN_A_THREAD = 4
WARM, TIMES = 20, 300
TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True)
class Account:
    workspace_id: int
    person: Person
    member_id: int
    contact_id: int


def run(home: Home, others: int, of_contact: int) -> Iterator[str]:
    """Make the account, open its pages; lines for the report."""
    started = time.perf_counter()
    account = _account(home, others, of_contact)
    yield f"contact page: {of_contact:,} emails of the contact among {others:,}, made in {time.perf_counter() - started:.0f} s"
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(account.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    with workspace_scope(account.workspace_id):
        [[conversation_id]] = rows("SELECT conversation_id FROM message ORDER BY id DESC LIMIT 1")
    tab = f"/contacts/{account.contact_id}/emails"
    for name, path in (
        ("contact's emails", tab),
        ("contact's unread emails", f"{tab}?only=unread"),
        ("one thread", f"/emails/{conversation_id}"),
        ("all emails", "/emails"),
        ("search, one thread has it", "/emails?q=Angebot+77"),
        ("search, all emails have it", "/emails?q=Nachricht"),
    ):
        yield _measured(name, client, path)
    yield f"  load {psutil.getloadavg()[0]:.1f}"


def _measured(name: str, client: Client, path: str) -> str:
    with _statements() as sent:
        answer = client.get(path)
        queries = [one for one in sent if not one.startswith(TRANSACTION)]
    assert answer.status_code == 200, answer.status_code
    for _ in range(WARM):
        client.get(path)
    seconds, used = [], time.process_time()
    for _ in range(TIMES):
        started = time.perf_counter()
        client.get(path)
        seconds.append(1000 * (time.perf_counter() - started))
    used = 1000 * (time.process_time() - used) / TIMES
    cuts, size = statistics.quantiles(seconds, n=100), len(answer.content) / 1024
    return (
        f"  {name:26} p50 {cuts[49]:5.1f} ms, p95 {cuts[94]:5.1f} ms, {used:4.1f} ms of a processor beside PostgreSQL,"
        f" {len(queries)} queries, {size:.0f} KB"
    )


@contextmanager
def _statements() -> Iterator[list[str]]:
    """What is sent to PostgreSQL, by the product's own SQL or by the ORM."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def counting(cursor: Any, query: Any, *values: Any, **options: Any) -> Any:
        sent.append(str(query).lstrip())
        return execute(cursor, query, *values, **options)

    psycopg.Cursor.execute = counting  # type: ignore[method-assign, assignment]
    try:
        yield sent
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]


def _account(home: Home, others: int, of_contact: int) -> Account:
    """A member with the contact's emails in his mailbox, and a colleague who has all the others."""
    key_store().create_instance()
    new = NewWorkspace(title="Bench", slug=f"b{uuid4().hex[:12]}", plan="enterprise", time_zone="Europe/Berlin")
    workspace_id = do_make_workspace(new)
    anna, ben = (_member(workspace_id, name) for name in ("Anna", "Ben"))
    fill(home.database_url(OWNER_ROLE), workspace_id, ben[1], mails=others)
    with workspace_scope(workspace_id):
        contact_id = do_create_contact(workspace_id=workspace_id, fields=ContactFields("Carla Groß", (CARLA,)))
    mailbox_id = open_archive(workspace_id, anna[1], anna[0].email)
    mails = (ArchiveMail(str(n), _mail(n), _at(n), n % 9 == 0, _at(n)) for n in range(of_contact))
    import_mails(workspace_id, mailbox_id, mails, lambda _: None)
    with psycopg.connect(postgres.maintenance_url(home, DATABASE), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return Account(workspace_id, anna[0], anna[1], contact_id)


def _member(workspace_id: int, name: str) -> tuple[Person, int]:
    person = do_make_person(email=f"{name.lower()}.{uuid4().hex[:8]}@acme.example", name=name, password=uuid4().hex)
    with workspace_scope(workspace_id):
        return person, do_add_member(
            workspace_id=workspace_id, person_id=person.id, role="admin", name=name, time_zone="Europe/Berlin"
        )


def _at(number: int) -> datetime:
    return START + timedelta(hours=2 * number)


def _mail(number: int) -> bytes:
    """Carla and Anna write in turns, four mails a thread, thirty lines each."""
    thread, place = divmod(number, IN_A_THREAD)
    mail = EmailMessage()
    people = (f"Carla Groß <{CARLA}>", "Anna Berg <anna@acme.example>")
    mail["From"], mail["To"] = people if place % 2 == 0 else reversed(people)
    mail["Subject"] = ("Re: " if place else "") + f"Angebot {thread}"
    mail["Message-ID"] = f"<{number}@nordlicht.example>"
    if place:
        mail["References"] = f"<{number - 1}@nordlicht.example>"
    mail.set_content("".join(f"Zeile {line} der {number}. Nachricht über die Halle, mit Grüßen.\n" for line in range(30)))
    return mail.as_bytes()
