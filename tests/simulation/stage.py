"""Plays a history: the real engine and store, a stand-in of the provider, and the model that watches both."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connections
from django.test import override_settings

from flowcrm.lib import clock
from flowcrm.mailboxes.connect import do_disconnect
from flowcrm.mailboxes.control import do_pause, do_resume, do_try_again
from flowcrm.mailboxes.states import State
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.models import Mailbox as MailboxRow
from flowcrm.store.plans import PLANS
from flowcrm.store.queries.exclusions import read_entry_by_id
from flowcrm.store.vaults import key_store, vault
from flowcrm.store.writes.bin import LIFE, PlanFull, StillListed, check_bring_back, do_empty_bin, do_staying
from flowcrm.store.writes.contacts import ContactFields, do_change_contact, do_create_contact, do_delete_contact
from flowcrm.store.writes.exclusions import check_entry, do_exclude, do_include
from flowcrm.store.writes.instance import do_instance_setting
from flowcrm.store.writes.kept_out import do_let_all_back, do_let_back, do_remove_email, do_remove_thread
from flowcrm.store.writes.lease import take
from flowcrm.store.writes.mailbox import Selection, do_settings
from flowcrm.store.writes.members import do_add_member
from flowcrm.sync.engine import run_slice
from standins.google.client import GoogleStandin
from standins.google.server import GoogleServer
from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from standins.web import Answer, Request
from tests.flow.acme import Box, Team, connect, letter
from tests.people import make_person
from tests.simulation import history as told
from tests.simulation.history import LABELS, MAILBOXES, PEOPLE, REMOVES, History, Step
from tests.simulation.model import TRASH, Kept, Letter, Mailbox, Model, Shown, disagreements, grouping_errors

START = datetime(2026, 6, 1, 9, tzinfo=UTC)
# Some contain others: a provider's search by words finds more than it was asked for.
ADDRESSES = ("ann@x.example", "mary.ann@x.example", "x@ann.example", *(f"p{n}@y{n % 3}.example" for n in range(3, PEOPLE)))
PATIENCE = 60
PAGE = 5


class Disagrees(AssertionError):
    """Store and model differ at rest."""


def play(history: History) -> int:
    """Play it to its end; the number of mails that were delivered. Raises Disagrees."""
    unlimited = PLANS["enterprise"]
    try:
        with _google() as google:
            stage = Stage(google)
            for step in history:
                stage.do(step)
            return stage.delivered
    finally:
        PLANS["enterprise"] = unlimited


class _Server(GoogleServer):
    """Lets something happen while it answers the n-th request: the client waits, so that the order of things is certain.

    Its pages are small, as a provider's may be, so that few mails make many pages.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._countdown = 0
        self._happening: Callable[[], None] | None = None
        self.error: BaseException | None = None
        super().__init__()

    def meanwhile(self, request: int, happening: Callable[[], None]) -> None:
        self._countdown, self._happening = request, happening

    def _serve(self, request: Request) -> Answer:
        happening = self._due() if request.path.startswith("/gmail/") else None
        if happening is not None:
            try:
                happening()
            except Exception as error:  # noqa: BLE001 - raised again in the thread of the test
                self.error = error
            finally:
                connections.close_all()
        if "maxResults" in request.query:
            request = replace(request, query={**request.query, "maxResults": [str(PAGE)]})
        return super()._serve(request)

    def _due(self) -> Callable[[], None] | None:
        with self._lock:
            self._countdown -= 1
            if self._countdown >= 0:
                return None
            happening, self._happening = self._happening, None
            return happening


class _Google(GoogleStandin):
    server: _Server

    def __init__(self) -> None:
        self.server = _Server()


@contextmanager
def _google() -> Iterator[_Google]:
    google = _Google()
    with google, override_settings(**google.settings(), ALLOW_LOOPBACK_PROVIDERS=True, GMAIL_UNITS_PER_MINUTE=10_000_000):
        google.quota(units_per_minute=0)
        key_store().create_instance()
        do_instance_setting(key="google_app", value={"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET})
        yield google


class Stage:
    """A team with two mailboxes, and everything that a history can do to it."""

    def __init__(self, google: _Google) -> None:
        self.google, self.team, self.model = google, Team(google), Model()
        self.boxes = [self._mailbox(number) for number in range(MAILBOXES)]
        self.letters: list[tuple[Letter, bytes]] = []
        self.delivered = 0
        self._senders: list[str] = []
        self._of: list[dict[str, Letter]] = [{} for _ in self.boxes]
        self._contacts: list[tuple[int, tuple[str, ...]]] = []
        self._entries: list[tuple[int, int | None, str]] = []

    def _mailbox(self, number: int) -> Box:
        address = f"m{uuid4().hex[:10]}@acme.example"
        self.google.create_account(address, "Anna")
        for label in range(LABELS):
            self.google.create_label(address, f"label {label}")
        self.google.create_label(address, "No_CRM")
        with workspace_scope(self.team.workspace_id):
            member_id = do_add_member(
                workspace_id=self.team.workspace_id, person_id=make_person().id, role="user", name="Anna", time_zone="UTC"
            )
        removes = number == REMOVES
        self.model.mailboxes[number] = Mailbox(excluded=frozenset({_label("no crm")}), removes=removes, leaves=not removes)
        box = Box(self.team, member_id, connect(self.team, member_id, address), address)
        with workspace_scope(self.team.workspace_id):
            on_leave, on_delete = ("keep", "remove") if removes else ("remove", "keep")
            do_staying(workspace_id=self.team.workspace_id, mailbox_id=box.mailbox_id, on_leave=on_leave, on_delete=on_delete)
        return box

    def do(self, step: Step) -> None:
        """Take one step; afterwards the model looks at the provider again."""
        getattr(self, f"_{type(step).__name__.lower()}")(step)
        for number in range(MAILBOXES):
            self._look(number)

    def _look(self, number: int) -> None:
        shown = self.google.snapshot(self.boxes[number].address)["mails"]
        self.model.see(
            number,
            self._of[number],
            [
                Shown(
                    one["id"],
                    one["threadId"],
                    datetime.fromtimestamp(one["internalDate"] / 1000, UTC),
                    frozenset(one["labels"]),
                )
                for one in shown
            ],
        )

    # -- at the provider ---------------------------------------------------------------------------------------------------

    def _deliver(self, step: told.Deliver) -> None:
        number = len(self.letters)
        answered = self.letters[step.answers % number][0].message_id if step.answers is not None and number else ""
        to, cc = ([ADDRESSES[one] for one in people] for people in (step.to, step.cc))
        reply_to = ADDRESSES[step.reply_to] if step.reply_to is not None else ""
        sender = ADDRESSES[step.sender]
        message_id = f"<{number}@sim.example>"
        raw = letter(
            f"topic {number % 4}",
            # Case means nothing; an address in a name is nobody's.
            sender=f'"{ADDRESSES[number % PEOPLE]}" <{sender.title() if number % 2 else sender}>',
            to=", ".join(to) or "undisclosed-recipients:;",
            cc=", ".join(cc),
            reply_to=reply_to,
            answers=answered,
            text="".join(f"{number} {line}\n" for line in range(step.size)),
            message_id=message_id,
            at=START + timedelta(minutes=number),
        )
        names = frozenset({answered} - {""})
        one = Letter(message_id, frozenset({sender, *to, *cc}), frozenset({reply_to} - {""}), names)
        self.letters.append((one, raw))
        self._senders.append(sender)
        at = clock.now() - timedelta(days=step.age_days)
        self._arrive(step.box, one, raw, step.labels, at)
        if step.also:
            self._arrive(1 - step.box, one, b"Received: by another way\n" + raw, ("INBOX",), at)

    def _arrive(self, box: int, one: Letter, raw: bytes, labels: tuple[str, ...], at: datetime) -> None:
        provider_id = self.boxes[box].deliver(raw, [_label(label) for label in labels], at)
        self._of[box][provider_id] = one
        self.delivered += 1

    def _mail(self, box: int, number: int) -> str | None:
        there = [one for one, mail in self.model.mailboxes[box].mails.items() if not mail.gone]
        return there[number % len(there)] if there else None

    def _relabel(self, step: told.Relabel) -> None:
        mail = self._mail(step.box, step.mail)
        if mail is not None:
            add, remove = ([_label(label) for label in labels] for labels in (step.add, step.remove))
            self.google.label(self.boxes[step.box].address, [mail], add, remove)

    def _delete(self, step: told.Delete) -> None:
        mail = self._mail(step.box, step.mail)
        if mail is not None:
            self.google.delete(self.boxes[step.box].address, [mail])

    def _expire(self, step: told.Expire) -> None:
        self.google.expire_history(self.boxes[step.box].address)
        self.model.lost_sight(step.box)

    def _revoke(self, step: told.Revoke) -> None:
        self.google.revoke(self.boxes[step.box].address)

    def _wait(self, step: told.Wait) -> None:
        clock.advance(step.seconds)

    # -- people here -------------------------------------------------------------------------------------------------------

    def _choose(self, step: told.Choose) -> None:
        chosen = frozenset(_label(f"label {label}") for label in step.labels)
        since = clock.now() - timedelta(days=step.since_days) if step.since_days is not None else None
        with workspace_scope(self.team.workspace_id):
            do_settings(
                workspace_id=self.team.workspace_id,
                mailbox_id=self.boxes[step.box].mailbox_id,
                chosen=Selection(step.selection, since, 300, chosen),
            )
        self.model.choose(step.box, step.selection, chosen, since)

    def _remove(self, step: told.Remove) -> None:
        mail, mailbox_id = self._mail(step.box, step.mail), self.boxes[step.box].mailbox_id
        with workspace_scope(self.team.workspace_id):
            found = row(
                """SELECT c.message_id, m.conversation_id FROM copy c JOIN message m ON m.id = c.message_id
                   WHERE c.mailbox_id = %s AND c.provider_id = %s AND c.binned_at IS NULL""",
                [mailbox_id, mail],
            )
            if found is None:
                return
            before = self._binned(step.box)
            one = {"workspace_id": self.team.workspace_id, "mailboxes": [mailbox_id]}
            if step.thread:
                do_remove_thread(**one, conversation_id=found[1])
            else:
                do_remove_email(**one, message_id=found[0])
            removed, held = self._binned(step.box) - before, self._stored(step.box)
        self.model.remove(step.box, removed, held, thread=step.thread)

    def _bringback(self, step: told.BringBack) -> None:
        mailbox = self.model.mailboxes[step.box]
        there = [one for one, mail in mailbox.mails.items() if mail.by_hand and not mail.gone and TRASH not in mail.labels]
        workspace_id, mailbox_id = self.team.workspace_id, self.boxes[step.box].mailbox_id
        if not there:
            return
        provider_id = there[step.mail % len(there)]
        with workspace_scope(workspace_id):
            found = rows("SELECT id FROM copy WHERE mailbox_id = %s AND provider_id = %s", [mailbox_id, provider_id])
            copies = [copy_id for (copy_id,) in found]
            try:
                check_bring_back(workspace_id=workspace_id, plan=PLANS["enterprise"], mailbox_id=mailbox_id, copy_ids=copies)
            except (PlanFull, StillListed):
                return
            do_let_back(workspace_id, copies)
        if copies:
            self.model.bring_back(step.box, provider_id)

    def _letback(self, step: told.LetBack) -> None:
        with workspace_scope(self.team.workspace_id):
            done = do_let_all_back(workspace_id=self.team.workspace_id, mailbox_id=self.boxes[step.box].mailbox_id)
        if done:
            self.model.let_back(step.box)

    def _exclude(self, step: told.Exclude) -> None:
        if not self._senders:
            return
        sender = self._senders[-1 - step.mail % len(self._senders)]
        value = sender.partition("@")[2] if step.domain else sender
        member_id = None if step.box is None else self.boxes[step.box].member_id
        with workspace_scope(self.team.workspace_id):
            stored = [self._stored(number) for number in range(MAILBOXES)]
            keys = vault(self.team.workspace_id)
            entry_id, _ = do_exclude(keys, member_id=member_id, entry=check_entry(value))
        self._entries = [one for one in self._entries if one[0] != entry_id] + [(entry_id, step.box, value)]
        for number in range(MAILBOXES):
            if step.box in (None, number):
                self.model.exclude(number, value, stored[number])

    def _include(self, step: told.Include) -> None:
        if not self._entries:
            return
        entry_id, box, _ = self._entries.pop(step.entry % len(self._entries))
        with workspace_scope(self.team.workspace_id):
            keys = vault(self.team.workspace_id)
            listed = read_entry_by_id(keys, entry_id)
            assert listed is not None
            do_include(keys, listed=listed)
        for number in range(MAILBOXES):
            if box in (None, number):
                left = frozenset(value for _, of, value in self._entries if of in (None, number))
                self.model.include(number, left)

    def _stored(self, number: int) -> set[str]:
        found = rows("SELECT provider_id FROM copy WHERE mailbox_id = %s", [self.boxes[number].mailbox_id])
        return {provider_id for (provider_id,) in found}

    def _empty(self, _step: told.Empty) -> None:
        clock.advance(LIFE.total_seconds() + 1)
        with workspace_scope(self.team.workspace_id):
            binned = [self._binned(number) for number in range(MAILBOXES)]
            while do_empty_bin(workspace_id=self.team.workspace_id):
                continue
        for number, gone in enumerate(binned):
            self.model.empty(number, gone)

    def _binned(self, number: int) -> set[str]:
        found = rows(
            "SELECT provider_id FROM copy WHERE mailbox_id = %s AND binned_at IS NOT NULL", [self.boxes[number].mailbox_id]
        )
        return {provider_id for (provider_id,) in found}

    def _contact(self, step: told.Contact) -> None:
        number = step.contact % len(self._contacts) if step.contact is not None and self._contacts else None
        taken = {address for other, (_, held) in enumerate(self._contacts) if other != number for address in held}
        addresses = tuple(address for address in (ADDRESSES[one] for one in step.people) if address not in taken)
        if not addresses:
            return
        workspace_id, fields = self.team.workspace_id, ContactFields("Somebody", addresses)
        with workspace_scope(workspace_id):
            if number is None:
                self._contacts.append((do_create_contact(workspace_id=workspace_id, fields=fields), addresses))
            else:
                contact_id = self._contacts[number][0]
                do_change_contact(workspace_id=workspace_id, contact_id=contact_id, fields=fields)
                self._contacts[number] = (contact_id, addresses)
        self._met()

    def _uncontact(self, step: told.Uncontact) -> None:
        if self._contacts:
            contact_id, _ = self._contacts.pop(step.contact % len(self._contacts))
            with workspace_scope(self.team.workspace_id):
                do_delete_contact(workspace_id=self.team.workspace_id, contact_id=contact_id)
            self._met()

    def _met(self) -> None:
        self.model.meet(frozenset(address for _, addresses in self._contacts for address in addresses))

    def _limit(self, step: told.Limit) -> None:
        PLANS["enterprise"] = replace(PLANS["enterprise"], sync_per_day=step.daily, stored=step.stored)

    def _pause(self, step: told.Pause) -> None:
        self._press(step.box, {State.ON: do_pause, State.PAUSED: do_resume})

    def _disconnect(self, step: told.Disconnect) -> None:
        box = self.boxes[step.box]
        if box.state()[0] == State.DISCONNECTED:
            self._connect(box)
        else:
            do_disconnect(workspace_id=self.team.workspace_id, member_id=box.member_id, mailbox_id=box.mailbox_id)

    def _connect(self, box: Box) -> None:
        self.model.mailboxes[self.boxes.index(box)].unsure = True
        connect(self.team, box.member_id, box.address, box.mailbox_id)

    def _press(self, box: int, buttons: dict[State, Callable[[MailboxRow], None]]) -> None:
        with workspace_scope(self.team.workspace_id):
            mailbox = MailboxRow.objects.get(id=self.boxes[box].mailbox_id)
            if State(mailbox.state) in buttons:
                buttons[State(mailbox.state)](mailbox)

    # -- workers -----------------------------------------------------------------------------------------------------------

    def _slice(self, step: told.Slice) -> None:
        server = self.google.server
        for fault in step.faults:
            self.google.fault(**vars_of(fault))
        if step.meanwhile:
            server.meanwhile(step.request, lambda: self._all(step.meanwhile))
        self._turn(step.box, "one")
        server.meanwhile(0, lambda: None)
        self.google.control("clear_faults")
        if server.error is not None:
            raise server.error

    def _all(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self.do(step)

    def _steal(self, step: told.Steal) -> None:
        clock.advance(61)
        self._turn(step.box, "another")

    def _turn(self, box: int, worker: str) -> None:
        lease = take(self.team.workspace_id, self.boxes[box].mailbox_id, "sync", worker)
        if lease is not None:
            run_slice(lease)

    # -- at rest -----------------------------------------------------------------------------------------------------------

    def _rest(self, step: told.Rest) -> None:
        chosen = [number for number, mailbox in self.model.mailboxes.items() if mailbox.selection is not None]
        self._come_to_rest(chosen)
        for number in range(MAILBOXES):
            self._look(number)
        self._compare(chosen)

    def _come_to_rest(self, chosen: list[int]) -> None:
        calm = 0
        for _ in range(PATIENCE):
            for number in chosen:
                self._mend(number)
                self._turn(number, "last")
            calm = calm + 1 if all(self._is_calm(number) for number in chosen) else 0
            if calm == 2:
                return
            # A next turn, or past every back-off: what was put off is due, and some day there is room again.
            clock.advance(400 if calm else 40_000)
        raise Disagrees(f"it does not come to rest: {[(self.boxes[n].state(), self.boxes[n].work()) for n in chosen]}")

    def _mend(self, number: int) -> None:
        """What people do when they read the mailbox's state."""
        box = self.boxes[number]
        if box.state()[0] in (State.DISCONNECTED, State.REAUTHORIZE):
            self._connect(box)
        self._press(number, {State.PAUSED: do_resume, State.ADMIN_MUST_ACT: do_resume, State.ON: _try_again})

    def _is_calm(self, number: int) -> bool:
        box = self.boxes[number]
        due = box.due()
        settled = not box.work() or self._is_full()
        return due is not None and due > clock.now() and settled and box.state() == (State.ON, "")

    def _is_full(self) -> bool:
        limit = PLANS["enterprise"].stored
        with workspace_scope(self.team.workspace_id):
            return limit is not None and row("SELECT stored >= %s FROM usage_total", [limit]) == (True,)

    def _compare(self, chosen: list[int]) -> None:
        kept = {number: self._kept(number) for number in chosen}
        wrong = [
            f"mailbox {number}: {said}"
            for number in chosen
            for said in disagreements(self.model, number, kept[number], self.boxes[number].work())
        ]
        wrong = wrong or grouping_errors(self.model, kept)
        copies = [one for found in kept.values() for one in found]
        wrong += self._counting_errors(copies)
        if wrong:
            raise Disagrees("; ".join(wrong))
        for number in chosen:
            self.model.rest(number, kept[number])

    def _kept(self, number: int) -> list[Kept]:
        with workspace_scope(self.team.workspace_id):
            found = rows(
                """SELECT c.provider_id, array(SELECT f.provider_id FROM copy_folder f WHERE f.copy_id = c.id), c.unread,
                          c.gone_at IS NOT NULL, c.message_id, m.conversation_id, c.binned_at IS NOT NULL
                   FROM copy c JOIN message m ON m.id = c.message_id WHERE c.mailbox_id = %s""",
                [self.boxes[number].mailbox_id],
            )
        return [Kept(one, frozenset(folders), *rest) for one, folders, *rest in found]

    def _counting_errors(self, copies: list[Kept]) -> list[str]:
        messages = len({one.message for one in copies})
        at_rest = len({one.message for one in copies if not one.binned})
        with workspace_scope(self.team.workspace_id):
            found = row(
                """SELECT (SELECT count(*) FROM copy), (SELECT count(*) FROM message), (SELECT stored FROM usage_total),
                          (SELECT coalesce(sum(used), 0)::bigint FROM usage_day), (SELECT count(*) FROM search_row),
                          (SELECT count(*) FROM copy c JOIN blob b ON b.gen = c.gen AND b.h_content = c.h_body)"""
            )
            limits = (PLANS["enterprise"].sync_per_day, PLANS["enterprise"].stored)
            over = rows(
                """SELECT local_date, used FROM usage_day WHERE used > %s
                   UNION ALL SELECT NULL, stored FROM usage_total WHERE stored > %s::bigint + %s""",
                [*limits, self.model.returned],
            )
        wrong = [f"over the limit: {over}"] if over else []
        # What was taken out again has been counted on its day all the same.
        used = max(messages, found[3]) if found is not None else 0
        expected = (len(copies), messages, at_rest, used, messages, len(copies))
        if found != expected:
            wrong.append(f"copies, messages, stored, used, searchable, whole: {found}, not {expected}")
        return wrong


def _try_again(mailbox: MailboxRow) -> None:
    do_try_again(mailbox, None)


def vars_of(fault: told.Fault) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in ("match", "kind", "count", "skip", "status")}


def _label(name: str) -> str:
    """The stand-in's id of a label: its own labels are numbered from one."""
    name = f"label {LABELS}" if name == "no crm" else name
    return f"Label_{int(name.removeprefix('label ')) + 1}" if name.startswith("label ") else name
