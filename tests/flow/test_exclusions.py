"""Exclusion lists: mail with somebody on them stays out, what is stored of it goes into the bin, and taking an entry off undoes
both."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from flowcrm.jobs.upkeep import empty_bins
from flowcrm.lib import clock
from flowcrm.mail.exclusion import read_entry
from flowcrm.mailboxes.snapshot import read_snapshot
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.plans import PLANS
from flowcrm.store.queries.exclusions import read_entry_by_id
from flowcrm.store.vaults import vault
from flowcrm.store.writes import exclusions
from flowcrm.store.writes.bin import LIFE, StillListed, check_bring_back
from flowcrm.store.writes.exclusions import do_exclude, do_include
from flowcrm.store.writes.kept_out import do_remove_email
from flowcrm.store.writes.lease import take
from flowcrm.store.writes.page import Hold, Page, SettingsChanged, do_page
from flowcrm.store.writes.usage import read_stored
from flowcrm.sync.archive import ArchiveMail, import_mails, open_archive
from flowcrm.sync.follow import follow_lists
from standins.google.client import GoogleStandin
from tests.flow.acme import OLD, Box, Team, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def _exclude(team: Team, typed: str, member_id: int | None = None) -> int:
    entry = read_entry(typed)
    assert entry is not None
    with workspace_scope(team.workspace_id):
        return do_exclude(vault(team.workspace_id), member_id=member_id, entry=entry)[0]


def _include(team: Team, entry_id: int) -> bool:
    keys = vault(team.workspace_id)
    with workspace_scope(team.workspace_id):
        listed = read_entry_by_id(keys, entry_id)
        assert listed is not None
        return do_include(keys, listed=listed)


def _shown(box: Box) -> set[str]:
    """What is kept, and not in the bin; *stored* agrees."""
    with workspace_scope(box.team.workspace_id):
        found = rows("SELECT provider_id FROM copy WHERE mailbox_id = %s AND binned_at IS NULL", [box.mailbox_id])
        at_rest = row("SELECT count(DISTINCT message_id) FROM copy WHERE binned_at IS NULL")
        assert at_rest == (read_stored(box.team.workspace_id),)
    return {one for (one,) in found}


def _next(box: Box) -> None:
    clock.advance(301)
    box.rest()


def _mails(box: Box) -> dict[str, str]:
    """Field or kind -> provider id; of all but `other` somebody is at nordlicht.example, or below it."""
    letters = {
        "from": letter("1"),
        "to": letter("2", sender=box.address, to="Carla <CARLA@Nordlicht.example>"),
        "cc": letter("3", sender="tom@x.example", cc="a@x.example, carla@nordlicht.example"),
        "reply_to": letter("4", sender="tom@x.example", reply_to="carla@nordlicht.example"),
        "bcc": letter("5", sender=box.address, to="tom@x.example").replace(
            b"Subject:", b"Bcc: carla@nordlicht.example\nSubject:", 1
        ),
        "below": letter("6", sender="robot@mail.shop.nordlicht.example"),
        "beside": letter("7", sender="tom@notnordlicht.example"),
        "other": letter("8", sender="tom@x.example"),
    }
    return {name: box.deliver(raw) for name, raw in letters.items()}


def _somebody(out: set[str]) -> str:
    return "carla@nordlicht.example" if "from" in out else "robot@shop.nordlicht.example"


PERSON = {"from", "to", "cc", "reply_to", "bcc"}


@pytest.mark.parametrize("stored", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("typed", "out"),
    [("carla@nordlicht.example", PERSON), ("*@NORDLICHT.example", PERSON | {"below"}), ("shop.nordlicht.example", {"below"})],
)
@pytest.mark.parametrize("selection", ["all", "contacts"])
def test_whoever_is_listed_stays_out_wherever_he_stands_and_whenever_he_was_listed(
    team: Team, stored: bool, typed: str, out: set[str], selection: str
) -> None:
    for address in (
        "carla@nordlicht.example",
        "robot@mail.shop.nordlicht.example",
        "tom@x.example",
        "tom@notnordlicht.example",
    ):
        team.contact(address)
    box = team.mailbox("")
    mails = _mails(box)
    if not stored:
        _exclude(team, typed, box.member_id)
    box.choose(selection)
    box.rest()
    if stored:
        assert _shown(box) == set(mails.values())
        _exclude(team, typed, box.member_id)
    to_stay, to_go = box.deliver(letter("9", sender="tom@x.example")), box.deliver(letter("10", sender=_somebody(out)))
    _next(box)
    assert _shown(box) == {*mails.values(), to_stay} - {mails[one] for one in out} - {to_go}
    assert box.work() == {}
    if not stored:
        assert box.skipped().get("exclusion_list", 0) > 0
        assert box.kept() == _shown(box), "nothing of it was ever stored"


def test_taking_an_entry_off_brings_back_what_went_and_what_was_left_out(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    stored, other = box.deliver(letter("1")), box.deliver(letter("2", sender="tom@x.example"))
    box.rest()
    entry = _exclude(team, "nordlicht.example", box.member_id)
    left_out = box.deliver(letter("3"))
    _next(box)
    assert _shown(box) == {other}
    assert not _include(team, entry)
    assert _shown(box) == {stored, other}, "at once"
    _next(box)
    assert _shown(box) == {stored, left_out, other}
    assert standin.snapshot(box.address)["mails"], "nothing changes at the provider"


def test_what_another_entry_keeps_out_stays_out(team: Team) -> None:
    box = team.mailbox("all")
    both = box.deliver(letter("1", cc="tom@x.example"))
    box.rest()
    first, second = _exclude(team, "carla@nordlicht.example", box.member_id), _exclude(team, "x.example")
    _include(team, first)
    _next(box)
    assert _shown(box) == set()
    _include(team, second)
    assert _shown(box) == {both}


def test_a_members_list_is_for_his_mailboxes_and_the_accounts_for_all(team: Team) -> None:
    box, his = team.mailbox("all"), team.mailbox("all")
    raw = letter("to both", message_id="<b@x>")
    mine, other = box.deliver(raw), his.deliver(raw)
    box.rest()
    his.rest()
    entry = _exclude(team, "carla@nordlicht.example", box.member_id)
    assert (_shown(box), _shown(his)) == (set(), {other})
    _exclude(team, "carla@nordlicht.example")
    assert (_shown(box), _shown(his)) == (set(), set())
    _include(team, entry)
    assert (_shown(box), _shown(his)) == (set(), set())
    assert box.kept() == {mine}


def test_what_is_listed_does_not_come_out_of_the_bin_whatever_put_it_there(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    removed = box.deliver(letter("1"))
    box.rest()
    with workspace_scope(team.workspace_id):
        [(copy_id, message_id)] = rows("SELECT id, message_id FROM copy")
        do_remove_email(workspace_id=team.workspace_id, mailboxes=[box.mailbox_id], message_id=message_id)
    _exclude(team, "nordlicht.example", box.member_id)
    with workspace_scope(team.workspace_id), pytest.raises(StillListed):
        check_bring_back(
            workspace_id=team.workspace_id, plan=PLANS["professional"], mailbox_id=box.mailbox_id, copy_ids=[copy_id]
        )
    assert (box.kept(), _shown(box)) == ({removed}, set())


def test_after_thirty_days_it_is_gone_for_good_and_does_not_come_in_again(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    box.deliver(letter("1"))
    box.rest()
    _exclude(team, "nordlicht.example")
    clock.advance(LIFE.total_seconds() + 1)
    empty_bins()
    standin.expire_history(box.address)
    box.choose("all")
    box.rest()
    assert box.kept() == set()
    with workspace_scope(team.workspace_id):
        assert [rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("message", "participant", "search_row")] == [0, 0, 0]


def test_a_page_that_was_decided_before_is_not_written(team: Team) -> None:
    box = team.mailbox("all")
    box.rest()
    lease = take(team.workspace_id, box.mailbox_id, "sync", "test")
    decided_by = read_snapshot(team.workspace_id, box.mailbox_id)
    assert lease is not None
    assert decided_by is not None
    _exclude(team, "nordlicht.example")
    with pytest.raises(SettingsChanged):
        do_page(Hold(lease, decided_by.settings_rev), Page(plan=decided_by.plan, today=decided_by.today))


def test_what_is_too_much_to_wait_for_follows_by_a_job_that_may_be_killed(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    box = team.mailbox("all")
    mails = {box.deliver(letter(str(n))) for n in range(7)}
    box.rest()
    monkeypatch.setattr(exclusions, "AT_ONCE", 2)
    entry = _exclude(team, "nordlicht.example")
    assert len(_shown(box)) == 5
    stops = iter([False, True])
    follow_lists(stop=lambda: next(stops))
    assert len(_shown(box)) == 3
    follow_lists(stop=lambda: False)
    assert _shown(box) == set()
    _state(team, "on")
    assert _include(team, entry)
    follow_lists(stop=lambda: False)
    assert _shown(box) == mails
    _state(team)


def _state(team: Team, *states: str) -> None:
    with workspace_scope(team.workspace_id):
        assert [one for (one,) in rows("SELECT state FROM exclusion")] == list(states)


def test_a_file_that_is_imported_is_held_to_the_lists_too(team: Team, tmp_path: Path) -> None:
    box = team.mailbox("all")
    _exclude(team, "nordlicht.example")
    archive = open_archive(team.workspace_id, box.member_id, "old@acme.example")

    def mails() -> Iterable[ArchiveMail]:
        for raw in (letter("1"), letter("2", sender="tom@x.example")):
            yield ArchiveMail("file", raw, None, unread=False, undated_at=OLD)

    count = import_mails(team.workspace_id, archive, mails(), lambda count: None)
    assert (count.read, count.kept, count.listed) == (2, 1, 1)


def test_a_name_that_looks_like_a_listed_address_keeps_nothing_out(team: Team) -> None:
    box = team.mailbox("contacts")
    team.contact("forum@x.example")
    _exclude(team, "carla@nordlicht.example", box.member_id)
    box.rest()
    mail = box.deliver(letter("1", sender='"carla@nordlicht.example via Forum" <forum@x.example>'), at=OLD + timedelta(days=1))
    _next(box)
    assert _shown(box) == {mail}


def test_what_is_on_a_list_cannot_be_read_in_the_database(team: Team) -> None:
    _exclude(team, "qvzkjxwpfb.example")
    with workspace_scope(team.workspace_id):
        assert "qvzkjxwpfb" not in str(rows("SELECT * FROM exclusion"))
