"""What a preview asks the provider, step by step: ids, labels, dates and headers of addresses; never a text.

A step is one page, or as much of a page as may be asked for in one go. What it gives is what a walk of the mailbox by the
proposed settings (`mailbox.rules`) would keep that is not stored: by the same scope, facts and `decide`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from flowcrm.connectors.base import Connector
from flowcrm.mail.errors import CursorLost, Gone, Permanent, RateLimited, Transient
from flowcrm.mail.types import Change, ChangePage, Headers, ItemFailed, Scope, Thread, ThreadMarks
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.decide import Decision, Verdict, decide
from flowcrm.rules.exclusion import excluded_ids
from flowcrm.rules.facts import Envelope, facts, thread_marks
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.addresses import contact_hashes
from flowcrm.store.queries.kept_out import read_kept_out
from flowcrm.store.queries.marks import read_marks
from flowcrm.store.queries.stored import StoredMail, stored_ids, stored_of_threads
from flowcrm.sync.fate import unfit
from flowcrm.sync.listing import main_scope
from flowcrm.sync.people import header_hashes
from flowcrm.sync.preview_place import SHORT, Place, Stage

# Asked for in one go: what costs a request each.
AT_ONCE = 10
EXAMPLES = 5

Answer = Headers | Thread | ItemFailed


@dataclass(frozen=True, slots=True)
class Asked:
    """Of whom, and by which settings."""

    mailbox: Snapshot
    connector: Connector

    def excluding(self, labels: Iterable[str]) -> "Asked":
        """The same, with these labels keeping out as well."""
        rules = self.mailbox.rules
        rules = replace(rules, excluded_ids=rules.excluded_ids | frozenset(labels))
        return replace(self, mailbox=replace(self.mailbox, rules=rules))

    def short(self, some_id: str) -> bytes:
        return self.mailbox.vault.lookup("preview", some_id)[:SHORT]


def step(asked: Asked, place: Place) -> Place:
    """The place after one more step. Raises the tree of mail.errors, and then the place is still good."""
    return _STEPS[place.stage](asked.excluding(place.excluded), place)


def _begin(asked: Asked, place: Place) -> Place:
    found = asked.mailbox.rules.excluded_ids | excluded_ids(asked.connector.folders())
    return _enter(replace(place, excluded=tuple(sorted(found))), Stage.OUT)


def _out(asked: Asked, place: Place) -> Place:
    if place.number == len(place.excluded):
        return _enter(place, Stage.EDGE)
    scope = Scope(folder_ids=(place.excluded[place.number],), everywhere=True)
    return _through(asked, place, scope, None, _take_out) or _next_label(place)


def _take_out(asked: Asked, place: Place, mails: Sequence[Change]) -> tuple[Place, int]:
    out = {asked.short(one.thread_id) for one in mails if one.thread_id is not None}
    return replace(place, out=place.out | out), len(mails)


def _edge(asked: Asked, place: Place) -> Place:
    since = asked.mailbox.rules.since
    if since is None:
        return _enter(place, Stage.LISTED)
    # A search is not to be trusted with the second itself: the mails around it say by themselves when they came.
    scope = Scope(since=since, until=since)
    return _through(asked, place, scope, AT_ONCE, _take_edge) or _enter(place, Stage.LISTED)


def _take_edge(asked: Asked, place: Place, mails: Sequence[Change]) -> tuple[Place, int]:
    since = asked.mailbox.rules.since
    headers, asked_for = _headers(asked, mails)
    old = {one.provider_id for one in headers if since is not None and one.at < since}
    return replace(place, edge=place.edge | old), asked_for


def _listed(asked: Asked, place: Place) -> Place:
    return _through(asked, place, main_scope(asked.mailbox), None, _take_listed) or _enter(place, Stage.CHECKED)


def _take_listed(asked: Asked, place: Place, mails: Sequence[Change]) -> tuple[Place, int]:
    decided = _decided(asked, place, mails)
    sure = [one.provider_id for one, decision in decided if decision.verdict is Verdict.KEEP]
    unsure = [one for one, decision in decided if decision.verdict is Verdict.NEED]
    seen = {asked.short(one.provider_id) for one, _ in decided}
    # A page may come twice in a row; a mail also once for each restriction that it meets. More need not be remembered.
    if _repeats(asked) or not seen:
        seen |= place.seen
    return _coming(replace(place, open=place.open + len(unsure), seen=frozenset(seen)), sure), len(mails)


def _checked(asked: Asked, place: Place) -> Place:
    if not place.open:
        return _enter(place, Stage.THREADS)
    scope = main_scope(asked.mailbox)
    return _through(asked, place, scope, AT_ONCE, _take_checked) or _enter(replace(place, open=0), Stage.THREADS)


def _take_checked(asked: Asked, place: Place, mails: Sequence[Change]) -> tuple[Place, int]:
    unsure = [one for one, decision in _decided(asked, place, mails) if decision.verdict is Verdict.NEED]
    headers, asked_for = _headers(asked, unsure)
    done = len(mails) if asked_for == len(unsure) else mails.index(unsure[asked_for])
    unsure = unsure[:asked_for]
    sure = _by_people(asked, headers)
    seen = place.seen | {asked.short(one.provider_id) for one in unsure}
    return _coming(replace(place, open=max(place.open - len(unsure), 0), seen=seen), sure), done


def _by_people(asked: Asked, mails: Sequence[Headers]) -> list[str]:
    """Those that come in by who stands in them. What else could keep them out, or choose them, has been asked already: they
    would not be unsure."""
    people = {one.provider_id: header_hashes(asked.mailbox.vault, one.fields) for one in mails}
    with workspace_scope(asked.mailbox.workspace_id):
        addresses = frozenset[bytes]().union(*(one.addresses for one in people.values()))
        contacts = contact_hashes(asked.mailbox.workspace_id, addresses)
    rules, sure = asked.mailbox.rules, []
    for one in mails:
        hashes = people[one.provider_id]
        envelope = Envelope(
            *(one.folder_ids, one.at, hashes.addresses, hashes.addresses & contacts),
            marks=ThreadMarks(),
            domains=hashes.domains,
        )
        known = facts(envelope, rules, room=True)
        known = replace(known, selected=True) if rules.selection == "labels" else known
        if decide(known, rules.policy).verdict is Verdict.KEEP:
            sure.append(one.provider_id)
    return sure


def _threads(asked: Asked, place: Place) -> Place:
    labels = _chosen(asked)
    if place.number == len(labels):
        return _enter(place, Stage.OVER)
    return _through(asked, place, Scope(folder_ids=(labels[place.number],)), AT_ONCE, _take_threads) or _next_label(place)


def _take_threads(asked: Asked, place: Place, mails: Sequence[Change]) -> tuple[Place, int]:
    """What the chosen mails bring of their threads."""
    named = dict.fromkeys(one.thread_id for one in mails if one.thread_id is not None)
    thread_ids = [one for one in named if asked.short(one) not in place.seen]
    answers = _had(asked.connector.threads(thread_ids) if thread_ids else ())
    threads = [one for one in answers if isinstance(one, Thread)]
    done = len(mails)
    if len(answers) < len(thread_ids):
        done = next(number for number, one in enumerate(mails) if one.thread_id == thread_ids[len(answers)])
        thread_ids = thread_ids[: len(answers)]
    found = {one.thread_id: thread_marks(asked.mailbox.rules, one) for one in threads}
    within = [one for thread in threads for one in thread.mails]
    known, out, removed = _looked_up(asked, place, within)
    marks = {one: replace(found[one], excluded=found[one].excluded or one in out) for one in found}
    rules, sure, unsure = asked.mailbox.rules, [], []
    for one in within:
        # Those that bear a chosen label themselves have been listed.
        if one.provider_id in known or (one.folder_ids or frozenset()) & rules.chosen_ids:
            continue
        envelope = Envelope(one.folder_ids, one.at, marks=marks[one.thread_id or ""], removed=one.provider_id in removed)
        decision = decide(facts(envelope, rules, room=True), rules.policy)
        if decision.verdict is Verdict.KEEP:
            sure.append(one.provider_id)
        elif decision.needs == ("listed",):
            unsure.append(one)
    headers, asked_for = _headers(asked, unsure)
    if asked_for < len(unsure):
        raise RateLimited("Not all mails of these threads could be asked for.", code="budget")
    sure += _by_people(asked, headers)
    place = replace(place, stay=place.stay | _brought(asked, marks), seen=place.seen | set(map(asked.short, thread_ids)))
    return _coming(place, sure), done


def _brought(asked: Asked, marks: dict[str, ThreadMarks]) -> frozenset[int]:
    """Stored mails of these threads that would not fit without them."""
    mailbox = asked.mailbox
    with workspace_scope(mailbox.workspace_id):
        stored = stored_of_threads(mailbox.workspace_id, mailbox.mailbox_id, marks)
    alone = unfit(mailbox, stored, lambda one: ThreadMarks(excluded=marks[one.thread_id or ""].excluded))
    left = unfit(mailbox, alone, lambda one: marks[one.thread_id or ""])
    return _copy_ids(alone) - _copy_ids(left)


def _copy_ids(mails: Iterable[StoredMail]) -> frozenset[int]:
    return frozenset(one.copy_id for one in mails)


def _chosen(asked: Asked) -> list[str]:
    rules = asked.mailbox.rules
    return sorted(rules.chosen_ids) if rules.selection == "labels" else []


# -- what the stages share ---------------------------------------------------------------------------------------------------

# Gives how many of the mails it has come through: not all, where the provider lets us ask no more.
_Take = Callable[[Asked, Place, Sequence[Change]], tuple[Place, int]]


def _through(asked: Asked, place: Place, scope: Scope, at_once: int | None, take: _Take) -> Place | None:
    """One more part of a listing; None where it has come to its end. at_once: how much of a page, None for all of it."""
    page = _page(asked, place, scope)
    if page is None:
        return None
    if page.again:
        return _again(asked, place, page)
    mails = page.changes[place.looked :]
    now = mails if at_once is None else mails[:at_once]
    taken, done = take(asked, place, now)
    if done == len(mails):
        return replace(taken, cursor=page.cursor, looked=0)
    return replace(taken, looked=place.looked + done)


def _page(asked: Asked, place: Place, scope: Scope) -> ChangePage | None:
    try:
        page = asked.connector.changes(place.cursor, scope)
    except CursorLost:
        if place.cursor is None:
            raise
        # The bookmark at the end of a listing is not followed: whether it still holds does not matter here.
        return None
    return page if page.listing else None


def _again(asked: Asked, place: Place, page: ChangePage) -> Place:
    if not page.more:
        raise Transient("The provider loses the pages of a listing again and again.", code="page_lost")
    place = replace(place, cursor=page.cursor, looked=0)
    if place.stage is not Stage.LISTED or _repeats(asked):
        return place
    return replace(place, coming={}, open=0, seen=frozenset())


def _enter(place: Place, stage: Stage) -> Place:
    return replace(place, stage=stage, number=0, cursor=None, looked=0, seen=frozenset())


def _next_label(place: Place) -> Place:
    return replace(place, number=place.number + 1, cursor=None, looked=0)


def _repeats(asked: Asked) -> bool:
    """May a walk name a mail more than once, once for each restriction that it meets?"""
    scope = main_scope(asked.mailbox)
    return max(len(scope.folder_ids or ()), len(scope.addresses or ())) > 1


def _coming(place: Place, provider_ids: Sequence[str]) -> Place:
    coming = {**place.coming, place.stage: place.coming.get(place.stage, 0) + len(provider_ids)}
    return replace(place, coming=coming, some=tuple(dict.fromkeys((*place.some, *provider_ids)))[:EXAMPLES])


def _decided(asked: Asked, place: Place, mails: Sequence[Change]) -> list[tuple[Change, Decision]]:
    """Listed mails that are neither stored nor counted, with what can be said of them unopened."""
    known, out, removed = _looked_up(asked, place, mails)
    rules = asked.mailbox.rules
    fresh = {one.provider_id: one for one in mails if one.provider_id not in known}
    if place.seen:
        fresh = {name: one for name, one in fresh.items() if asked.short(name) not in place.seen}
    decided = []
    for one in fresh.values():
        marks = ThreadMarks(excluded=one.thread_id in out)
        found = facts(Envelope(marks=marks, removed=one.provider_id in removed), rules, room=True)
        # The listing has answered these: neither drafts, spam and trash nor what is older, and of labels only those.
        selected = True if rules.selection == "labels" else found.selected
        answered = replace(found, unfinished=False, before_since=one.provider_id in place.edge, selected=selected)
        decided.append((one, decide(answered, rules.policy)))
    return decided


def _looked_up(asked: Asked, place: Place, mails: Sequence[Change]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Of these mails: which are stored, which threads are kept out, which mails were removed."""
    mailbox = asked.mailbox
    key = (mailbox.workspace_id, mailbox.mailbox_id)
    threads = {one.thread_id for one in mails if one.thread_id is not None}
    with workspace_scope(mailbox.workspace_id):
        known = stored_ids(*key, [one.provider_id for one in mails])
        marks = read_marks(*key, threads)
        removed = read_kept_out(*key, [(one.provider_id, one.thread_id) for one in mails])
    out = {one for one in threads if marks[one].excluded or (place.out and asked.short(one) in place.out)}
    return known, frozenset(out), removed


def _headers(asked: Asked, mails: Sequence[Change]) -> tuple[list[Headers], int]:
    """Those that there are, and how many mails could be asked for."""
    answers = _had(asked.connector.headers([one.provider_id for one in mails]) if mails else ())
    return [one for one in answers if isinstance(one, Headers)], len(answers)


def _had(answers: Sequence[Answer]) -> list[Answer]:
    """The answers up to one that concerns more than its own item. Raises that one where it is the first."""
    had: list[Answer] = []
    for one in answers:
        if isinstance(one, ItemFailed) and not isinstance(one.error, Gone | Permanent):
            if not had:
                raise one.error
            break
        had.append(one)
    return had


_STEPS: dict[Stage, Callable[[Asked, Place], Place]] = {
    Stage.BEGIN: _begin,
    Stage.OUT: _out,
    Stage.EDGE: _edge,
    Stage.LISTED: _listed,
    Stage.CHECKED: _checked,
    Stage.THREADS: _threads,
}
