"""No hot query reads a whole table, or a whole account: every statement that these functions really send is explained, as the
role that sends it, in an account of 30,000 emails beside others. A new hot query gets a line in `HOT`.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from bench.account import PEOPLE, Large, fill
from flowcrm.lib import clock
from flowcrm.mail.exclusion import ListedKind, ListEntry
from flowcrm.mail.types import Change, ChangeKind
from flowcrm.mailboxes.snapshot import Snapshot, read_snapshot
from flowcrm.store.access import Actor, access_conversation, operator
from flowcrm.store.db import rows, run, workspace_scope
from flowcrm.store.levels import Level
from flowcrm.store.models import Mailbox, Member
from flowcrm.store.queries.addresses import contact_hashes
from flowcrm.store.queries.audit_log import Wanted, audit_page, surfaces
from flowcrm.store.queries.companies import companies_of, company_page
from flowcrm.store.queries.contacts import access_contact, contact_page, merged_into
from flowcrm.store.queries.exclusion_reach import stored_copies, wanted_of, wanted_people
from flowcrm.store.queries.held import held_by_others, held_of_company, held_of_contact
from flowcrm.store.queries.mailboxes import mailbox_rows
from flowcrm.store.queries.members import COUNT_AT_MOST, counts, usage
from flowcrm.store.queries.nearby import next_group, workspaces_with_nearby
from flowcrm.store.queries.notices import notices, unread
from flowcrm.store.queries.outgoing import mailed_notice
from flowcrm.store.queries.search import Spot, proposals
from flowcrm.store.queries.stored import stored_of_threads, stored_page
from flowcrm.store.queries.threads import Only, Place, emails_of, threads_of_company, threads_of_contact, threads_of_mine
from flowcrm.store.queries.uploads import ReadPerson, already_there
from flowcrm.store.reveal import reveal_heads, reveal_message, reveal_written_to
from flowcrm.store.vaults import vault
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.contacts import ContactFields, check_addresses, do_create_contact
from flowcrm.store.writes.due import LANE_NEW
from flowcrm.store.writes.lease import claim_due, renew, take
from flowcrm.store.writes.listing import Listed, do_gone, do_listing, known_copies
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.nearby import do_join_near
from flowcrm.store.writes.notices import do_end_notices
from flowcrm.store.writes.outgoing import do_take, outgoing_due
from flowcrm.store.writes.page import Hold
from flowcrm.store.writes.upkeep import refs_in_use
from flowcrm.sync.listing import next_scope
from flowcrm.sync.worklist import take_batch
from flowcrm.vault.errors import SealBroken
from tests.store.pages import TODAY, Mail, keep, new_hold, new_workspace

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow]

MAILS, OTHERS = 30_000, 10_000
# Tables with fewer rows may be read as PostgreSQL likes.
LARGE = 1_000
# A page of fifty lines needs a few hundred rows of each table; whoever walks an account reads tens of thousands.
ENOUGH = 1_000
# Somewhere in the middle of the account's three weeks.
LATER = Place(datetime(2026, 10, 22, tzinfo=UTC), 0)


@dataclass(frozen=True)
class World:
    """The account; an actor who reads all its mailboxes; its largest mailbox, and a new one that is being synced; a contact who
    stands in every email, and a company of 400 people with him among them."""

    large: Large
    everywhere: int
    crowd: int
    actor: Actor
    keys: Any
    hold: Hold
    mailbox: Snapshot

    @property
    def one(self) -> Actor:
        """An actor with one mailbox, the largest."""
        return replace(self.actor, own=(self.large.mailbox_id,))

    @property
    def shared(self) -> Actor:
        """An actor who has a mailbox that is nearly empty, and sees subjects in all others."""
        shared = {one: Level.SUBJECT for one in self.actor.own if one != self.hold.mailbox_id}
        return replace(self.actor, own=(self.hold.mailbox_id,), shared=shared)

    @property
    def large_hold(self) -> Hold:
        """As if the worker were at the largest mailbox."""
        return replace(self.hold, lease=replace(self.hold.lease, mailbox_id=self.large.mailbox_id))

    def provider_ids(self, count: int) -> list[str]:
        """Of copies in the largest mailbox."""
        with workspace_scope(self.large.workspace_id):
            found = rows("SELECT provider_id FROM copy WHERE mailbox_id = %s LIMIT %s", [self.large.mailbox_id, count])
        return [one for (one,) in found]


@dataclass(frozen=True)
class Scan:
    """What one statement did to one table."""

    how: str
    table: str
    read: float
    sql: str


@contextmanager
def explained() -> Iterator[list[Scan]]:
    """Explains every statement before it is sent, on the same connection (and takes back what explaining it did)."""
    scans: list[Scan] = []
    execute = psycopg.Cursor.execute

    def explaining(cursor: psycopg.Cursor[Any], query: Any, params: Any = None, **options: Any) -> psycopg.Cursor[Any]:
        if isinstance(query, str) and query.split(maxsplit=1)[0] in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            with cursor.connection.transaction(force_rollback=True), psycopg.Cursor(cursor.connection) as asking:
                [[plan]] = execute(asking, f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", params).fetchall()
            scans.extend(_scans((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"], query))
        return execute(cursor, query, params, **options)

    psycopg.Cursor.execute = explaining  # type: ignore[method-assign, assignment]
    try:
        yield scans
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]


def _scans(node: dict[str, Any], sql: str) -> Iterator[Scan]:
    if "Relation Name" in node and node["Node Type"] != "ModifyTable":
        filtered = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        yield Scan(node["Node Type"], node["Relation Name"], (node["Actual Rows"] + filtered) * node["Actual Loops"], sql)
    for below in node.get("Plans", ()):
        yield from _scans(below, sql)


@pytest.fixture(scope="module")
def world(new_installation: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A database of its own: what is planned depends on what lies in it."""
    made = new_installation(tmp_path_factory.mktemp("plans"))
    before = {name: connections[name].settings_dict["NAME"] for name in ("default", "router")}
    _use({name: made["DATABASE_URL"].split("/")[3].split("?")[0] for name in before})
    try:
        yield _fill(made["DATABASE_URL_OWNER"])
    finally:
        _use(before)


def _use(names: dict[str, str]) -> None:
    for alias, name in names.items():
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name


def _fill(owner_url: str) -> World:
    person = do_make_person(email="anna@acme.example", name="Anna", password="x")
    accounts = []
    for mails in (OTHERS, MAILS):
        workspace_id = new_workspace()
        with workspace_scope(workspace_id):
            member_id = do_add_member(workspace_id=workspace_id, person_id=person.id, role="user", name="Anna", time_zone="UTC")
        accounts.append(fill(owner_url, workspace_id, member_id, mails=mails))
    everywhere, crowd = _put_somebody_everywhere(workspace_id)
    _put_notices(workspace_id)
    _put_audit(workspace_id)
    hold = new_hold(workspace_id)
    keep(hold, [Mail(f"new {n}", f"new {n}", f"new {n}", f"new {n}") for n in range(50)])
    keep(hold, [Mail("again", "new 1", "another", "another")])
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    mailbox = read_snapshot(workspace_id, hold.mailbox_id)
    assert mailbox is not None
    with workspace_scope(workspace_id):
        # The address of a mailbox is opened wherever it is shown.
        account = vault(workspace_id).seal("account", accounts[-1].mailbox_id, b"anna@acme.example")
        run("UPDATE mailbox SET s_account = %s WHERE id = %s", [account, accounts[-1].mailbox_id])
        return World(accounts[-1], everywhere, crowd, operator(workspace_id), vault(workspace_id), hold, mailbox)


def _put_somebody_everywhere(workspace_id: int) -> tuple[int, int]:
    """(contact, company)"""
    with workspace_scope(workspace_id):
        company_id = do_create_company(workspace_id=workspace_id, name="Crowd")
        run(
            """UPDATE contact SET company_id = %s WHERE workspace_id = %s
               AND id IN (SELECT id FROM contact WHERE workspace_id = %s ORDER BY id DESC LIMIT 400)""",
            [company_id, workspace_id, workspace_id],
        )
        fields = ContactFields("Everywhere", ("everywhere@many.example",), company_id=company_id)
        contact_id = do_create_contact(workspace_id=workspace_id, fields=fields)
        run(
            """INSERT INTO participant (workspace_id, copy_id, gen, h_address, h_domain, role, mailbox_id, at, unread, files)
               SELECT c.workspace_id, c.id, a.gen, a.h_address, a.h_address, 'to', c.mailbox_id, c.at, false, false
               FROM copy c JOIN contact_address a ON a.workspace_id = c.workspace_id AND a.contact_id = %s
               WHERE c.workspace_id = %s""",
            [contact_id, workspace_id],
        )
    return contact_id, company_id


def _in_scope(function: Callable[[World], object]) -> Callable[[World], object]:
    def scoped(world: World) -> object:
        with workspace_scope(world.large.workspace_id):
            return function(world)

    return scoped


def _page(world: World) -> object:
    """Fifty answers to what is stored; a mail that shows that two conversations are one, and one that two messages are."""
    mails = [Mail(f"page {n}", f"page {n}", f"page {n}", f"page {n}", names=(f"new {n % 50}",)) for n in range(50)]
    mails.append(Mail("glue", "glue", "glue", "glue", names=("new 1", "new 2")))
    mails.append(Mail("both", "new 4", "new 3", "new 4"))
    return keep(world.hold, mails)


def _put_notices(workspace_id: int) -> None:
    """Some for Anna, and many more for a colleague."""
    ben = do_make_person(email="ben@acme.example", name="Ben", password="x")
    with workspace_scope(workspace_id):
        [(anna,)] = rows("SELECT DISTINCT member_id FROM mailbox")
        do_add_member(workspace_id=workspace_id, person_id=ben.id, role="user", name="Ben", time_zone="UTC")
        run(
            """INSERT INTO notice (workspace_id, id, member_id, topic, kind, at)
               SELECT workspace_id, nextval('flow_id'), id, 'role ' || n, 'role', now()
               FROM member CROSS JOIN generate_series(1, 3000) AS n WHERE id <> %s OR n <= 100""",
            [anna],
        )
        run(
            """INSERT INTO outgoing (workspace_id, id, notice_id, state, made_at, due_at)
               SELECT workspace_id, nextval('flow_id'), id, CASE WHEN mod(id, 500) = 0 THEN 'waiting' ELSE 'sent' END, at, at
               FROM notice"""
        )


def _put_audit(workspace_id: int) -> None:
    """A month of it: two records in three are an admin's who reads, one in a hundred says that somebody exported."""
    with workspace_scope(workspace_id):
        run(
            """INSERT INTO audit (workspace_id, id, at, actor_id, verb, surface, object_ids)
               SELECT %s, nextval('flow_id'), %s::timestamptz - n * interval '1 minute',
                      CASE WHEN n = 9000 THEN 7 ELSE n %% 3 END,
                      CASE WHEN n %% 100 = 0 THEN 'export' ELSE 'view' END, CASE WHEN n = 9000 THEN 'cli' ELSE 'web' END, '{}'
               FROM generate_series(1, 20000) AS n""",
            [workspace_id, LATER.at],
        )


def _reader(world: World) -> Member:
    owner = Mailbox.objects.get(id=world.large.mailbox_id).member_id
    return Member.objects.get(workspace_id=world.large.workspace_id, id=owner)


def _one_notice(world: World) -> int:
    [(notice_id,)] = rows("SELECT max(id) FROM notice WHERE workspace_id = %s", [world.large.workspace_id])
    return int(notice_id)


def _listing(world: World) -> None:
    changes = tuple(Change(ChangeKind.ARRIVED, f"listed {n}", "t", frozenset({"INBOX"})) for n in range(200))
    touched = tuple(Change(ChangeKind.FOLDERS, one, "t", frozenset({"INBOX"}), False) for one in world.provider_ids(20))
    do_listing(
        world.hold,
        Listed("main", "cursor", rev=0, listing=True, lane=LANE_NEW, wanted=changes, touched=touched, skipped={"x": 1}),
    )


def _sealed(function: Callable[[World], object]) -> Callable[[World], object]:
    """What is stored here is noise: it is found, and then does not open."""

    def refused(world: World) -> None:
        with pytest.raises(SealBroken):
            _in_scope(function)(world)

    return refused


def _written_to(world: World, looking: Actor) -> None:
    """Nearly all of them are contacts; of the others, if there are any, nothing opens."""
    with suppress(SealBroken):
        reveal_written_to(replace(looking, member_id=_reader(world).id))


HOT: dict[str, Callable[[World], object]] = {
    "emails of one mailbox": _in_scope(lambda w: threads_of_mine(w.one)),
    "emails of all mailboxes": _in_scope(lambda w: threads_of_mine(w.actor)),
    "emails that others share": _in_scope(lambda w: threads_of_mine(w.shared)),
    "emails of a contact that others share": _in_scope(lambda w: threads_of_contact(w.shared, w.large.contact_id)),
    "what a colleague holds of a conversation": _in_scope(
        lambda w: held_by_others(replace(w.actor, own=(w.hold.mailbox_id,)), w.large.conversation_id)
    ),
    "what colleagues hold of a contact": _in_scope(lambda w: held_of_contact(replace(w.actor, own=()), w.large.contact_id)),
    "what colleagues hold of a company of hundreds": _in_scope(lambda w: held_of_company(replace(w.actor, own=()), w.crowd)),
    "unread emails": _in_scope(lambda w: threads_of_mine(w.one, only=Only.UNREAD)),
    "emails with files": _in_scope(lambda w: threads_of_mine(w.one, only=Only.FILES)),
    "emails of a contact": _in_scope(lambda w: threads_of_contact(w.actor, w.large.contact_id)),
    "emails of a company": _in_scope(lambda w: threads_of_company(w.actor, w.large.company_id)),
    "emails of a contact who stands in all": _in_scope(lambda w: threads_of_contact(w.one, w.everywhere)),
    "a later page of them": _in_scope(lambda w: threads_of_contact(w.one, w.everywhere, after=LATER)),
    "unread emails of them, of which there are none": _in_scope(
        lambda w: threads_of_contact(w.one, w.everywhere, only=Only.UNREAD)
    ),
    "emails with files of them, of which there are none": _in_scope(
        lambda w: threads_of_contact(w.one, w.everywhere, only=Only.FILES)
    ),
    "emails of them that others have": _in_scope(
        lambda w: threads_of_contact(replace(w.actor, own=(w.hold.mailbox_id,)), w.everywhere)
    ),
    "emails of them in all mailboxes": _in_scope(lambda w: threads_of_contact(w.actor, w.everywhere)),
    "emails of a company of hundreds": _in_scope(lambda w: threads_of_company(w.one, w.crowd)),
    "one conversation": _in_scope(lambda w: emails_of(w.actor, access_conversation(w.actor, w.large.conversation_id))),
    "the heads of a list": _sealed(lambda w: reveal_heads(w.actor, range(w.large.copy_id, w.large.copy_id + 50), "test")),
    "one email": _sealed(lambda w: reveal_message(w.actor, w.large.message_id, "test")),
    "who of a file is a contact already": _in_scope(
        lambda w: already_there(w.keys, [ReadPerson("Anna", ("anna@nordlicht.example", "a@b.example")), ReadPerson("Nobody")])
    ),
    "people written to": _in_scope(lambda w: _written_to(w, w.one)),
    "people written to from hundreds of mailboxes": _in_scope(lambda w: _written_to(w, w.actor)),
    "contacts": _in_scope(lambda w: contact_page(w.large.workspace_id)),
    "contacts of a company": _in_scope(lambda w: contact_page(w.large.workspace_id, company_id=w.large.company_id)),
    "contacts by what was typed": _in_scope(lambda w: contact_page(w.large.workspace_id, prefix="nobody")),
    "one contact": _in_scope(lambda w: access_contact(w.large.workspace_id, w.large.contact_id)),
    "a contact that was merged": _in_scope(lambda w: merged_into(w.large.workspace_id, w.large.contact_id)),
    "a contact's address": _in_scope(
        lambda w: check_addresses(workspace_id=w.large.workspace_id, addresses=["new@many.example"])
    ),
    "companies": _in_scope(lambda w: company_page(w.large.workspace_id)),
    "companies by domains": _in_scope(
        lambda w: companies_of(w.large.workspace_id, [f"x@{n}.many.example" for n in range(200)])
    ),
    "navigation": _in_scope(lambda w: (counts(w.large.workspace_id, _reader(w)), usage(w.large.workspace_id, TODAY))),
    "notices": _in_scope(lambda w: (unread(_reader(w)), notices(vault(w.large.workspace_id), _reader(w)))),
    "which mails are due": lambda w: outgoing_due(clock.now()),
    "the next mail": _in_scope(lambda w: do_take(workspace_id=w.large.workspace_id)),
    "a notice by mail": _in_scope(lambda w: mailed_notice(vault(w.large.workspace_id), _one_notice(w))),
    "something that is over": _in_scope(lambda w: do_end_notices(workspace_id=w.large.workspace_id, topic="role 7")),
    "who is a contact": _in_scope(
        lambda w: contact_hashes(w.large.workspace_id, [w.keys.lookup("address", f"{n}@x.example") for n in range(200)])
    ),
    "how a mailbox fares": _in_scope(lambda w: mailbox_rows(w.keys, mailbox_id=w.large.mailbox_id)),
    "which mailbox is due": lambda w: claim_due("somebody"),
    "a lease": lambda w: (
        renew(hold_lease) if (hold_lease := take(w.large.workspace_id, w.large.mailbox_id, "sync", "x")) else 0
    ),
    "a mailbox's settings": lambda w: read_snapshot(w.large.workspace_id, w.large.mailbox_id),
    "the next bookmark": lambda w: next_scope(w.mailbox, set()),
    "the work-list": lambda w: take_batch(replace(w.mailbox, mailbox_id=w.large.mailbox_id)),
    "what is kept already": _in_scope(lambda w: known_copies(w.large_hold, w.provider_ids(500))),
    "a page of changes": _listing,
    "what left the mailbox": _in_scope(lambda w: do_gone(w.large_hold, w.provider_ids(50))),
    "a page of mails": _page,
    "messages to compare": _in_scope(lambda w: (workspaces_with_nearby(), next_group(w.large.workspace_id, longest=10_000))),
    "two messages that are one": lambda w: do_join_near(
        w.large.workspace_id,
        pairs=[(w.large.message_id + MAILS, w.large.message_id + MAILS + 1)],
        compared=[w.large.message_id + MAILS, w.large.message_id + MAILS + 1],
    ),
    "emails of somebody who is kept out": _in_scope(
        lambda w: stored_copies(
            w.large.workspace_id,
            wanted_people(w.keys, ["everywhere@many.example"]),
            [w.large.mailbox_id],
            binned_for="listed",
            at_most=ENOUGH,
        )
    ),
    "every domain in the account": _sealed(lambda w: wanted_of(w.keys, ListEntry(ListedKind.DOMAIN, "many.example"))),
    "what is stored of a mailbox": _in_scope(
        lambda w: stored_page(w.large.workspace_id, w.large.mailbox_id, after=w.provider_ids(1)[0], size=100)
    ),
    "what is stored of a thread": _in_scope(lambda w: stored_of_threads(w.large.workspace_id, w.large.mailbox_id, ["t 1"])),
    "the audit log": _in_scope(lambda w: (audit_page(w.large.workspace_id, Wanted()), surfaces(w.large.workspace_id))),
    "the audit log of one surface": _in_scope(lambda w: audit_page(w.large.workspace_id, Wanted(surface="cli"))),
    "the audit log of one person": _in_scope(lambda w: audit_page(w.large.workspace_id, Wanted(actor_id=7))),
    "the audit log of one kind and day": _in_scope(
        lambda w: audit_page(
            w.large.workspace_id, Wanted(verbs=("export",), since=LATER.at - timedelta(days=1), until=LATER.at)
        )
    ),
    "a search": _in_scope(lambda w: proposals(w.shared, w.keys, ["winter", "tyres"], Spot(), 100)),
    "objects in use": lambda w: refs_in_use(w.large.workspace_id, [f"w/{n}" for n in range(1000)]),
}

# What is known to read more, and how much of it at most: it counts, looks through the names that people typed, asks for the
# newest few of each person in each mailbox, of each of hundreds of mailboxes, or takes out all that somebody stands in.
MORE = {
    "navigation": COUNT_AT_MOST + 1,
    "how a mailbox fares": MAILS,
    "contacts by what was typed": PEOPLE,
    "emails of somebody who is kept out": MAILS,
    "emails of them in all mailboxes": 3 * ENOUGH,
    "emails of a company of hundreds": 4 * ENOUGH,
    "people written to from hundreds of mailboxes": 20 * ENOUGH,
}


@pytest.mark.parametrize("name", HOT)
def test_a_hot_query_reads_no_whole_table_and_no_whole_account(world: World, name: str) -> None:
    with explained() as scans:
        HOT[name](world)

    assert scans
    with workspace_scope(world.large.workspace_id):
        large = {table for (table,) in rows("SELECT relname FROM pg_class WHERE reltuples >= %s", [LARGE])}
    whole = [scan for scan in scans if scan.table in large and scan.how == "Seq Scan"]
    assert whole == []
    much = [scan for scan in scans if scan.read > MORE.get(name, ENOUGH)]
    assert much == []


def test_search_uses_its_index_and_finds_nothing_of_another_account(world: World) -> None:
    workspace_id = world.large.workspace_id
    never = datetime(9999, 1, 1, tzinfo=UTC)
    with workspace_scope(workspace_id):
        tokens = rows("SELECT tok FROM search_row WHERE message_id = %s", [world.large.message_id])[0][0]
        rare = min(
            tokens, key=lambda token: rows("SELECT count(*) FROM find_messages(%s, %s, %s, 0, 50)", [[[token]], [token], never])
        )
    with workspace_scope(workspace_id):
        before = _reads()
        found = rows("SELECT message_id FROM find_messages(%s, %s, %s, 0, 50)", [[[rare]], tokens, never])
        after = _reads()
        own = rows("SELECT count(*) FROM search_row WHERE message_id = ANY(%s)", [[one for (one,) in found]])
    assert len(found) > 0
    assert own == [(len(found),)]
    assert after["sequential"] == before["sequential"]
    assert after["index"] > before["index"]


def _reads() -> dict[str, int]:
    """How often this transaction has read the search table as a whole, and by an index. Also inside of functions."""
    found = rows("SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'search_row'")
    return {"sequential": found[0][0], "index": found[0][1]} if found else {"sequential": 0, "index": 0}


def test_every_foreign_key_has_an_index_for_the_way_back() -> None:
    """Where a row goes, PostgreSQL looks for what refers to it."""
    found = rows(
        """SELECT k.conrelid::regclass::text, k.conname FROM pg_constraint k
           WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND NOT EXISTS (
               SELECT 1 FROM pg_index i
               WHERE i.indrelid = k.conrelid AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)"""
    )
    assert found == []
