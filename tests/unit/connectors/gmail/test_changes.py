"""Listing and following a mailbox, in the corners where Gmail is odd; the ordinary way is tested in tests/contract."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.connectors.gmail.changes import Part, Place, fold, parts
from flowcrm.mail.errors import CursorLost, Transient
from flowcrm.mail.types import Change, ChangeKind, Scope
from tests.unit.connectors.gmail.mailbox import ROOT, gmail, in_turn, refuse
from tests.unit.scripted_server import reply_json

EVERYTHING = Scope()
BASE = "-in:drafts -in:chats"


def listing(part: int = 0, page: str | None = None, restarts: int = 0) -> str:
    return Place("100", part, page, None, restarts).dump()


def following(page: str | None = None, newest: str | None = None) -> str:
    return Place("100", None, page, newest).dump()


# -- the parts of a scope ----------------------------------------------------------------------------------------------------


def test_without_restriction_there_is_one_part() -> None:
    assert parts(EVERYTHING, 20) == (Part(None, BASE),)


def test_a_date_becomes_seconds_and_takes_its_own_second_in() -> None:
    since = datetime(2026, 5, 1, tzinfo=UTC)
    assert parts(Scope(since=since), 20) == (Part(None, f"{BASE} after:{int(since.timestamp()) - 1}"),)


def test_each_label_is_a_part_because_gmail_joins_labels_by_and() -> None:
    assert parts(Scope(folder_ids=("Label_1", "INBOX")), 20) == (Part("Label_1", BASE), Part("INBOX", BASE))


def test_addresses_are_asked_for_in_groups() -> None:
    found = parts(Scope(addresses=("a@x.example", "b@x.example", "c@x.example")), 2)
    assert [part.query for part in found] == [
        f"{BASE} {{from:a@x.example to:a@x.example cc:a@x.example bcc:a@x.example "
        "from:b@x.example to:b@x.example cc:b@x.example bcc:b@x.example}",
        f"{BASE} {{from:c@x.example to:c@x.example cc:c@x.example bcc:c@x.example}}",
    ]


def test_labels_and_addresses_are_both_asked_for_in_every_part() -> None:
    found = parts(Scope(folder_ids=("A", "B"), addresses=("a@x.example", "b@x.example")), 1)
    assert [(part.label_id, "from:a@" in part.query) for part in found] == [
        ("A", True),
        ("A", False),
        ("B", True),
        ("B", False),
    ]


@pytest.mark.parametrize("scope", [Scope(folder_ids=()), Scope(addresses=())])
def test_nothing_chosen_is_nothing_to_ask(scope: Scope) -> None:
    assert parts(scope, 20) == ()


@given(st.text(max_size=30))
def test_no_address_can_search_for_something_else(local: str) -> None:
    (part,) = parts(Scope(addresses=(f"{local}@x.example",)), 20)
    inside = part.query.removeprefix(f"{BASE} {{from:").removesuffix("}")
    first = inside.split(" to:")[0]
    quoted = first.startswith('"') and first.endswith('"') and first.count('"') == 2
    assert quoted or not set(first) & set(' "{}():')


# -- the cursor --------------------------------------------------------------------------------------------------------------


def test_a_place_survives_being_written_down() -> None:
    for place in (Place("1", 0), Place("1", 2, "page", None, 1), Place("1", None, "page", "2"), Place("1")):
        assert Place.load(place.dump()) == place


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", "7", "{}", '{"history_id": "x"}', '{"history_id": null}', '{"history_id": "1", "a": 2}']
)
def test_a_cursor_of_another_make_is_lost(cursor: str) -> None:
    with gmail(in_turn()) as (mailbox, _), pytest.raises(CursorLost):
        mailbox.changes(cursor, EVERYTHING)


# -- listing -----------------------------------------------------------------------------------------------------------------


def test_the_bookmark_is_taken_before_the_first_page() -> None:
    script = in_turn(reply_json({"historyId": "100"}), reply_json({"messages": [{"id": "1", "threadId": "t"}]}))
    with gmail(script) as (mailbox, server):
        page = mailbox.changes(None, EVERYTHING)
    assert [request.path for request in server.seen] == [f"{ROOT}profile", f"{ROOT}messages"]
    assert (page.cursor, page.more, page.listing) == (Place("100").dump(), True, True)
    assert page.changes == (Change(ChangeKind.ARRIVED, "1", "t"),)


def test_pages_are_as_large_as_gmail_allows_and_spam_and_trash_stay_out() -> None:
    with gmail(in_turn(reply_json({}))) as (mailbox, server):
        mailbox.changes(listing(), EVERYTHING)
    assert server.seen[0].query == {"maxResults": "500", "q": BASE}


def test_an_empty_page_with_a_token_is_not_the_end() -> None:
    with gmail(in_turn(reply_json({"nextPageToken": "2", "resultSizeEstimate": 0}))) as (mailbox, _):
        page = mailbox.changes(listing(), EVERYTHING)
    assert (page.changes, page.cursor, page.more) == ((), listing(page="2"), True)


def test_after_the_last_page_of_a_part_comes_the_next_part() -> None:
    scope = Scope(folder_ids=("A", "B"))
    with gmail(in_turn(reply_json({}), reply_json({}))) as (mailbox, server):
        first = mailbox.changes(listing(page="last"), scope)
        second = mailbox.changes(first.cursor, scope)
    assert [request.query["labelIds"] for request in server.seen] == ["A", "B"]
    assert (first.cursor, second.cursor) == (listing(part=1), Place("100").dump())


def test_a_scope_that_nothing_can_meet_is_listed_without_asking() -> None:
    with gmail(in_turn()) as (mailbox, _):
        page = mailbox.changes(listing(), Scope(addresses=()))
    assert (page.changes, page.cursor, page.more) == ((), Place("100").dump(), True)


def test_a_lost_page_token_starts_the_part_again_with_an_empty_page() -> None:
    with gmail(in_turn(refuse(400, "invalidArgument", "Invalid pageToken"))) as (mailbox, server):
        page = mailbox.changes(listing(part=1, page="old"), Scope(folder_ids=("A", "B")))
    assert (page.changes, page.cursor, page.more) == ((), listing(part=1, restarts=1), True)
    assert len(server.seen) == 1


def test_a_server_that_loses_its_pages_again_and_again_is_left_alone_until_later() -> None:
    with gmail(in_turn(refuse(400, "invalidArgument"))) as (mailbox, _):
        page = mailbox.changes(listing(page="old", restarts=3), EVERYTHING)
    # The dead token is gone from the cursor: the next interval begins the part anew.
    assert (page.changes, page.cursor, page.more, page.listing) == ((), listing(), False, True)


@pytest.mark.parametrize("absent", [None, []])
def test_a_list_that_is_null_is_as_good_as_absent(absent: list[object] | None) -> None:
    nothing = {"messages": absent, "nextPageToken": None}
    with gmail(in_turn(reply_json(nothing), reply_json({"historyId": "101", "history": absent}))) as (mailbox, _):
        listed = mailbox.changes(listing(), EVERYTHING)
        followed = mailbox.changes(listed.cursor, EVERYTHING)
    assert (listed.changes, followed.changes, followed.more) == ((), (), False)


def test_news_without_labels_says_nothing_about_labels() -> None:
    record = {"id": "7", "messagesAdded": [{"message": {"id": "a", "threadId": "ta"}}]}
    assert fold([record]) == (Change(ChangeKind.ARRIVED, "a", "ta"),)


def test_lost_page_tokens_are_counted_for_each_part() -> None:
    with gmail(in_turn(reply_json({}))) as (mailbox, _):
        page = mailbox.changes(listing(part=0, restarts=3), Scope(folder_ids=("A", "B")))
    assert page.cursor == listing(part=1)


def test_a_label_deleted_meanwhile_is_passed_over() -> None:
    with gmail(in_turn(refuse(400, "invalidArgument", "Invalid label: A"))) as (mailbox, _):
        page = mailbox.changes(listing(), Scope(folder_ids=("A", "B")))
    assert (page.changes, page.cursor) == ((), listing(part=1))


def test_the_same_page_again_is_an_error_not_a_loop() -> None:
    with gmail(in_turn(reply_json({"nextPageToken": "2"}))) as (mailbox, _), pytest.raises(Transient) as caught:
        mailbox.changes(listing(page="2"), EVERYTHING)
    assert caught.value.code == "no_progress"


def test_a_refused_first_page_is_no_lost_page() -> None:
    with gmail(in_turn(refuse(400, "invalidArgument", "Invalid query"))) as (mailbox, _), pytest.raises(Transient) as caught:
        mailbox.changes(listing(), EVERYTHING)
    assert type(caught.value) is Transient


# -- following ---------------------------------------------------------------------------------------------------------------


def test_the_answers_own_history_id_is_the_new_bookmark() -> None:
    with gmail(in_turn(reply_json({"historyId": "120"}))) as (mailbox, server):
        page = mailbox.changes(following(), Scope(folder_ids=("A",)))
    assert server.seen[0].query == {"startHistoryId": "100", "maxResults": "500"}
    assert (page.changes, page.cursor, page.more, page.listing) == ((), Place("120").dump(), False, False)


def test_what_happens_between_two_pages_is_not_jumped_over() -> None:
    """Event 115 falls between the pages and is in neither: the bookmark stays before it."""
    script = in_turn(reply_json({"historyId": "110", "nextPageToken": "2"}), reply_json({"historyId": "120"}))
    with gmail(script) as (mailbox, server):
        first = mailbox.changes(following(), EVERYTHING)
        second = mailbox.changes(first.cursor, EVERYTHING)
    assert (first.changes, first.more) == ((), True)
    assert server.seen[1].query["startHistoryId"] == "100"
    assert server.seen[1].query["pageToken"] == "2"
    assert (second.cursor, second.more) == (Place("110").dump(), False)


def test_a_replica_that_lags_does_not_move_the_bookmark_back() -> None:
    with gmail(in_turn(reply_json({"historyId": "90"}))) as (mailbox, _):
        assert mailbox.changes(following(), EVERYTHING).cursor == Place("100").dump()


def test_a_forgotten_bookmark_is_lost() -> None:
    with gmail(in_turn(refuse(404, "notFound"))) as (mailbox, _), pytest.raises(CursorLost):
        mailbox.changes(following(), EVERYTHING)


def test_a_forgotten_page_of_the_history_starts_the_walk_again() -> None:
    with gmail(in_turn(refuse(400, "invalidArgument"))) as (mailbox, _):
        page = mailbox.changes(following(page="old", newest="110"), EVERYTHING)
    assert page.more
    assert Place.load(page.cursor) == Place("100", restarts=1)


def test_the_same_page_of_the_history_again_is_an_error() -> None:
    with (
        gmail(in_turn(reply_json({"historyId": "1", "nextPageToken": "2"}))) as (mailbox, _),
        pytest.raises(Transient) as caught,
    ):
        mailbox.changes(following(page="2", newest="110"), EVERYTHING)
    assert caught.value.code == "no_progress"


@pytest.mark.parametrize("answer", [{}, {"historyId": "x"}, {"historyId": None}])
def test_an_answer_without_history_id_is_unreadable(answer: dict[str, Any]) -> None:
    with gmail(in_turn(reply_json(answer))) as (mailbox, _), pytest.raises(Transient):
        mailbox.changes(following(), EVERYTHING)


# -- folding -----------------------------------------------------------------------------------------------------------------


def record(
    number: int, kind: str, mail: str, labels: list[str] | None = None, changed: list[str] | None = None
) -> dict[str, Any]:
    """One history record as Gmail writes it: an empty list is left out."""
    message: dict[str, Any] = {"id": mail, "threadId": f"t{mail}"}
    if labels:
        message["labelIds"] = labels
    event: dict[str, Any] = {"message": message}
    if changed:
        event["labelIds"] = changed
    return {"id": str(number), "messages": [{"id": mail, "threadId": f"t{mail}"}], kind: [event]}


def arrived(mail: str, *folders: str, unread: bool = False) -> Change:
    return Change(ChangeKind.ARRIVED, mail, f"t{mail}", frozenset(folders), unread)


def moved(mail: str, *folders: str, unread: bool = False) -> Change:
    return Change(ChangeKind.FOLDERS, mail, f"t{mail}", frozenset(folders), unread)


def gone(mail: str) -> Change:
    return Change(ChangeKind.GONE, mail, f"t{mail}")


ADDED, REMOVED, NEW, DELETED = "labelsAdded", "labelsRemoved", "messagesAdded", "messagesDeleted"


def test_an_arrival_says_its_labels_and_unread_is_none_of_them() -> None:
    assert fold([record(1, NEW, "a", ["INBOX", "UNREAD"])]) == (arrived("a", "INBOX", unread=True),)


def test_a_changed_label_gives_the_whole_set_after_the_change() -> None:
    assert fold([record(1, ADDED, "a", ["INBOX", "Label_1"], ["Label_1"])]) == (moved("a", "INBOX", "Label_1"),)


def test_a_mail_without_labels_left_has_none() -> None:
    assert fold([record(1, REMOVED, "a", None, ["INBOX"])]) == (replace(moved("a"), left_ids=frozenset({"INBOX"})),)


def test_an_added_label_is_known_even_where_the_set_is_left_out() -> None:
    assert fold([record(1, ADDED, "a", None, ["Label_1"])]) == (moved("a", "Label_1"),)


def test_an_arrival_that_is_labelled_later_is_one_arrival() -> None:
    records = [record(1, NEW, "a", ["INBOX"]), record(2, ADDED, "a", ["INBOX", "L"], ["L"])]
    assert fold(records) == (arrived("a", "INBOX", "L"),)


def test_a_delete_wins() -> None:
    records = [record(1, NEW, "a", ["INBOX"]), record(2, DELETED, "a"), record(3, REMOVED, "a", None, ["INBOX"])]
    assert fold(records) == (gone("a"),)


def test_unless_the_mail_is_added_again() -> None:
    assert fold([record(1, DELETED, "a"), record(2, NEW, "a", ["INBOX"])]) == (arrived("a", "INBOX"),)


def test_changes_come_in_the_order_of_their_last_event() -> None:
    records = [record(1, NEW, "a"), record(2, NEW, "b"), record(3, ADDED, "a", ["L"], ["L"])]
    assert [change.provider_id for change in fold(records)] == ["b", "a"]


def test_records_in_any_order_mean_the_same() -> None:
    assert fold([record(10, DELETED, "a"), record(9, NEW, "a", ["INBOX"])]) == (gone("a"),)


def test_a_record_that_names_a_mail_but_no_event_says_nothing() -> None:
    assert fold([{"id": "5", "messages": [{"id": "a", "threadId": "t"}]}]) == ()


def test_chats_are_no_mail() -> None:
    assert fold([record(1, NEW, "a", ["CHAT"]), record(2, ADDED, "b", ["CHAT", "L"], ["L"])]) == ()


LABELS = st.frozensets(st.sampled_from(["INBOX", "UNREAD", "STARRED", "Label_1"]))
EVENTS = st.lists(st.tuples(st.sampled_from([NEW, ADDED, REMOVED, DELETED]), st.sampled_from("abc"), LABELS), max_size=25)


def live(events: list[tuple[str, str, frozenset[str]]]) -> tuple[dict[str, frozenset[str]], list[dict[str, Any]]]:
    """A mailbox in which these things happen: what it holds in the end, and the history it tells."""
    holds: dict[str, frozenset[str]] = {}
    told: list[dict[str, Any]] = []
    for kind, mail, labels in events:
        before = holds.get(mail)
        if kind == NEW and before is None:
            holds[mail] = labels
        elif kind == ADDED and before is not None and labels:
            holds[mail] = before | labels
        elif kind == REMOVED and before is not None and labels & before:
            holds[mail] = before - labels
        elif kind == DELETED and before is not None:
            del holds[mail]
        else:
            continue
        told.append(record(len(told) + 1, kind, mail, sorted(holds.get(mail, ())), sorted(labels)))
    return holds, told


def apply(holds: dict[str, frozenset[str]], changes: tuple[Change, ...]) -> None:
    """What any reader of changes does."""
    for change in changes:
        if change.kind is ChangeKind.GONE:
            holds.pop(change.provider_id, None)
        else:
            # Without a word on labels a reader looks at the mail; here it would find none.
            assert change.folder_ids is not None or change.kind is ChangeKind.ARRIVED
            holds[change.provider_id] = (change.folder_ids or frozenset()) | ({"UNREAD"} if change.unread else set())


@given(EVENTS, st.lists(st.integers(0, 25), max_size=4), st.integers(0, 4), st.randoms())
def test_whoever_applies_the_pages_holds_what_the_mailbox_holds(
    events: list[tuple[str, str, frozenset[str]]], cuts: list[int], again_from: int, shuffled: Any
) -> None:
    """Whatever the page borders, with records out of order inside a page, and after walking some pages twice."""
    truth, told = live(events)
    borders = [0, *sorted(min(cut, len(told)) for cut in cuts), len(told)]
    pages = [told[start:end] for start, end in itertools.pairwise(borders)]
    copy: dict[str, frozenset[str]] = {}
    for page in pages + pages[again_from:]:
        shuffled.shuffle(page)
        folded = fold(page)
        assert len({change.provider_id for change in folded}) == len(folded)
        apply(copy, folded)
    assert copy == truth


def test_the_cursor_holds_no_address() -> None:
    answer = reply_json({"nextPageToken": "2"})
    with gmail(in_turn(reply_json({"historyId": "1"}), answer)) as (mailbox, _):
        page = mailbox.changes(None, Scope(addresses=("anna@acme.example",)))
    assert "anna" not in page.cursor
    assert json.loads(page.cursor)["page"] == "2"
