"""What other settings would mean, before they are saved: what is foretold is what then happens, and nothing is read for it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.lib import clock
from flowcrm.mail.errors import RateLimited
from flowcrm.mailboxes import open as opening
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.writes.kept_out import do_remove_email
from flowcrm.store.writes.mailbox import Selection
from flowcrm.store.writes.usage import read_stored
from flowcrm.sync import sweep as sweep_module
from flowcrm.sync.preview_place import SHORT, Example, Place, Stage
from standins.google.client import GoogleStandin
from tests.flow.acme import Box, Team, letter
from tests.flow.preview import change, fits, here, last, look_at_labels, make_house, preview, slices
from tests.flow.threads import next_round, thread

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]

ALL = Selection("all", None, 300, frozenset())
CONTACTS = Selection("contacts", None, 300, frozenset())


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few mails make many pages, few addresses many searches, as many of them do at a real provider."""
    real = opening.gmail_settings
    monkeypatch.setattr(opening, "gmail_settings", lambda: replace(real(), list_page=4, addresses_per_query=1))


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("seed", range(24))
def test_what_is_foretold_is_what_then_happens(team: Team, standin: GoogleStandin, seed: int) -> None:
    house = make_house(team, standin, seed)
    box = house.box
    for _ in range(3):
        chosen, bins = house.settings(), house.chance.random() < 0.5
        look_at_labels(box)
        before, earlier = here(box), last(box)
        standin.clear_log()
        ahead = preview(box, chosen)
        assert {one for one in standin.operations() if one.startswith("gmail.messages.get")} <= {"gmail.messages.get:metadata"}
        assert ahead.going == len(before - fits(house, chosen))

        change(box, chosen, bins=bins)
        after = here(box)
        assert ahead.coming == len(after - before)
        assert before - after == (before - fits(house, chosen) if bins else set())

        undone = last(box)
        if undone is not None and undone != earlier and house.chance.random() < 0.6:
            bins = house.chance.random() < 0.5
            ahead = preview(box, undone[1], undoes=undone[0])
            change(box, undone[1], bins=bins, undoes=undone[0])
            assert ahead.coming == len(here(box) - after)
            assert (ahead.going if bins else 0) == len(after - here(box))
            assert before <= here(box), "what was here before the change is here"
        house.deliver(house.chance.randrange(5))
        house.meddle(house.chance.randrange(4))
        house.remove()
        box.rest()


def test_nothing_of_it_is_stored_and_only_headers_of_examples_are_asked_for(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    for n in range(12):
        box.deliver(letter(f"mail {n}"))
    tables = ("copy", "work", "folder", "mark", "cursor", "thread_work", "skipped", "audit")
    with workspace_scope(team.workspace_id):
        before = [rows(f"SELECT count(*) FROM {table}") for table in tables]
    standin.clear_log()
    ahead = preview(box, ALL, slice_=timedelta(seconds=60))
    with workspace_scope(team.workspace_id):
        assert [rows(f"SELECT count(*) FROM {table}") for table in tables] == before
    assert (ahead.coming, ahead.going) == (12, 0)
    assert [one.subject for one in ahead.place.shown] == [f"mail {n}" for n in (11, 10, 9, 8, 7)]
    asked = [one for one in standin.operations() if one.startswith("gmail.messages.get")]
    assert asked == ["gmail.messages.get:metadata"] * 5


def test_for_contacts_it_asks_for_headers_since_a_search_finds_too_much(team: Team, standin: GoogleStandin) -> None:
    """And says meanwhile how many there may be."""
    box = team.mailbox("")
    team.contact("ann@x.example")
    for n in range(8):
        box.deliver(letter(f"hers {n}", sender="ann@x.example"))
        box.deliver(letter(f"another's {n}", sender="mary.ann@x.example"))
    chosen = Selection("contacts", None, 300, frozenset())
    seen = {(one.coming, one.most) for one in slices(box, chosen)}
    assert (0, 16) in seen
    assert max(coming for coming, _ in seen) == 8
    assert all(coming <= 8 <= most for coming, most in seen if most >= 8)
    ahead = preview(box, chosen)
    assert (ahead.coming, ahead.most) == (8, 8)


def test_a_chosen_label_brings_what_is_later_in_its_threads_and_what_was_sent(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    thread(box, 4, labels=[["SENT"], ["INBOX"], ["INBOX", label], ["INBOX"]])
    look_at_labels(box)
    ahead = preview(box, Selection("labels", None, 300, frozenset({label})))
    assert ahead.coming == 3


def test_where_the_provider_lets_us_ask_no_more_it_goes_on_later_from_there(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    team.contact("carla@nordlicht.example")
    for n in range(30):
        box.deliver(letter(f"mail {n}"))
    chosen = Selection("contacts", None, 300, frozenset())
    with override_settings(GMAIL_UNITS_PER_MINUTE=2000):
        first = last = next(iter(slices(box, chosen, within=timedelta(seconds=60))))
        assert isinstance(first.error, RateLimited)
        assert first.error.retry_at
        assert 0 < first.coming < 30 == first.most
        for _ in range(20):
            clock.advance(20)
            last = next(iter(slices(box, chosen, place=last.place, within=timedelta(seconds=60))))
            if last.over:
                break
    assert (last.coming, last.counted) == (30, True)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("selection", ["all", "labels", "contacts"])
@pytest.mark.parametrize(
    ("kind", "skip"), [("duplicate_page", 0), ("duplicate_page", 1), ("empty_page", 0), ("status", 1), ("status", 2)]
)
def test_pages_that_the_provider_loses_or_repeats_count_once(
    team: Team, standin: GoogleStandin, selection: str, kind: str, skip: int
) -> None:
    box = team.mailbox("")
    team.contact("carla@nordlicht.example")
    label = standin.create_label(box.address, "CRM")
    for n in range(11):
        box.deliver(letter(f"mail {n}"), labels=["INBOX", label])
    look_at_labels(box)
    standin.fault("gmail.messages.list", kind, status=404, skip=skip)
    chosen = Selection(selection, None, 300, frozenset({label}) if selection == "labels" else frozenset())
    assert preview(box, chosen, troubled=True).coming == 11


@given(
    ids=st.frozensets(st.binary(min_size=SHORT, max_size=SHORT)),
    copies=st.frozensets(st.integers(1, 2**62)),
    texts=st.lists(st.text(), max_size=5),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_what_the_page_carries_is_what_it_was_given(
    ids: frozenset[bytes], copies: frozenset[int], texts: list[str], at: datetime
) -> None:
    place = Place(
        stage=Stage.CHECKED, cursor="{}", out=ids, seen=ids, stay=copies, edge=frozenset(texts),
        coming={"listed": 7}, some=tuple(texts), shown=tuple(Example(one, one, at) for one in texts), after=None,
        leaving=tuple(copies), left=(Example("a", "b", at),),
    )  # fmt: skip
    assert Place.load(place.dump()) == place


def _narrow(team: Team, standin: GoogleStandin) -> tuple[Box, set[str], set[str]]:
    """A mailbox from which all that is no contact's goes to the bin: what stays, and what goes."""
    box = team.mailbox("all")
    team.contact("carla@nordlicht.example")
    stays = {box.deliver(letter(f"hers {n}")) for n in range(3)}
    goes = {box.deliver(letter(f"his {n}", sender="tom@globex.example")) for n in range(4)}
    box.rest()
    change(box, CONTACTS, bins=True)
    assert here(box) == stays
    assert box.kept() == stays | goes
    return box, stays, goes


def test_what_went_for_the_settings_comes_back_when_they_let_it_in_again(team: Team, standin: GoogleStandin) -> None:
    box, stays, goes = _narrow(team, standin)
    standin.clear_log()
    change(box, ALL)
    assert here(box) == stays | goes
    assert "gmail.messages.get:raw" not in standin.operations(), "it was here all the time"


def test_a_new_contact_brings_back_what_went_for_want_of_one(team: Team, standin: GoogleStandin) -> None:
    box, stays, goes = _narrow(team, standin)
    team.contact("tom@globex.example")
    box.rest()
    assert here(box) == stays | goes


def test_a_chosen_label_brings_back_its_thread(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    label, other = standin.create_label(box.address, "CRM"), standin.create_label(box.address, "Other")
    ids = thread(box, 3)
    box.rest()
    look_at_labels(box)
    change(box, Selection("labels", None, 300, frozenset({label, other})), bins=True)
    assert here(box) == set()
    standin.label(box.address, [ids[1]], add=[label])
    next_round(box)
    assert here(box) == set(ids[1:])


def test_what_was_removed_by_hand_stays_in_the_bin_whatever_is_undone(team: Team, standin: GoogleStandin) -> None:
    box, stays, goes = _narrow(team, standin)
    with workspace_scope(team.workspace_id):
        [(message_id,)] = rows("SELECT message_id FROM copy WHERE provider_id = %s", [min(stays)])
        do_remove_email(workspace_id=team.workspace_id, mailboxes=[box.mailbox_id], message_id=message_id)
    undone = last(box)
    assert undone
    change(box, undone[1], undoes=undone[0])
    assert here(box) == (stays | goes) - {min(stays)}


def test_an_undoing_can_be_undone(team: Team, standin: GoogleStandin) -> None:
    box, stays, goes = _narrow(team, standin)
    for expected in (stays | goes, stays):
        undone = last(box)
        assert undone
        change(box, undone[1], bins=True, undoes=undone[0])
        assert here(box) == stays | goes
        assert expected <= here(box)


def test_after_thirty_days_a_change_can_be_undone_no_more(team: Team, standin: GoogleStandin) -> None:
    box, _, _ = _narrow(team, standin)
    clock.advance(30 * 24 * 3600 - 60)
    assert last(box)
    clock.advance(61)
    assert last(box) is None


def test_a_mailbox_is_gone_through_page_by_page(team: Team, standin: GoogleStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_module, "AT_ONCE", 2)
    box, stays, goes = _narrow(team, standin)
    assert _binned(box) == goes
    with workspace_scope(team.workspace_id):
        assert read_stored(team.workspace_id) == len(stays)


def _binned(box: Box) -> set[str]:
    with workspace_scope(box.team.workspace_id):
        return {one for (one,) in rows("SELECT provider_id FROM copy WHERE binned_for = 'narrowed'")}
