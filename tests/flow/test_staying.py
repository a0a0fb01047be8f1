"""What stays when an email is archived, filed away or deleted at the provider, with each setting; and the bin."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flowcrm.jobs.upkeep import empty_bins
from flowcrm.lib import clock
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.plans import PLANS
from flowcrm.store.writes.bin import LIFE, PlanFull, check_bring_back, do_staying
from flowcrm.store.writes.kept_out import do_let_all_back, do_let_back, do_remove_email, do_remove_thread
from flowcrm.store.writes.usage import read_stored
from standins.google.client import GoogleStandin
from tests.flow.acme import OLD, Box, Team, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]

EITHER = pytest.mark.parametrize("setting", ["keep", "remove"])


def _stay(box: Box, *, on_leave: str = "keep", on_delete: str = "keep") -> None:
    with workspace_scope(box.team.workspace_id):
        do_staying(workspace_id=box.team.workspace_id, mailbox_id=box.mailbox_id, on_leave=on_leave, on_delete=on_delete)


def _binned(box: Box) -> dict[str, str]:
    """Provider id -> why."""
    with workspace_scope(box.team.workspace_id):
        found = rows(
            "SELECT provider_id, binned_for FROM copy WHERE mailbox_id = %s AND binned_at IS NOT NULL", [box.mailbox_id]
        )
    return dict(found)


def _copy(box: Box, provider_id: str) -> int:
    with workspace_scope(box.team.workspace_id):
        found = row("SELECT id FROM copy WHERE mailbox_id = %s AND provider_id = %s", [box.mailbox_id, provider_id])
    assert found
    return int(found[0])


def _stored(box: Box) -> int:
    with workspace_scope(box.team.workspace_id):
        stored = read_stored(box.team.workspace_id)
        at_rest = row("SELECT count(DISTINCT message_id) FROM copy WHERE binned_at IS NULL")
    assert at_rest == (stored,)
    return stored


def _bring_back(box: Box, provider_id: str, plan: str = "professional") -> int:
    copy_id, workspace_id = _copy(box, provider_id), box.team.workspace_id
    with workspace_scope(workspace_id):
        return check_bring_back(workspace_id=workspace_id, plan=PLANS[plan], mailbox_id=box.mailbox_id, copy_ids=[copy_id])


def _next(box: Box) -> None:
    clock.advance(301)
    box.rest()


@EITHER
def test_archiving_empties_nothing(team: Team, standin: GoogleStandin, setting: str) -> None:
    box = team.mailbox("all")
    _stay(box, on_leave=setting, on_delete=setting)
    mail = box.deliver(letter("one"))
    box.rest()
    standin.label(box.address, [mail], remove=["INBOX"])
    _next(box)
    assert box.kept() == {mail}
    assert _binned(box) == {}


@EITHER
def test_what_leaves_the_chosen_label_stays_or_goes_with_its_thread(team: Team, standin: GoogleStandin, setting: str) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    first = box.deliver(letter("offer", message_id="<1@x>"), labels=["INBOX", label])
    box.choose("labels", labels=[label])
    box.rest()
    day = timedelta(days=1)
    reply = box.deliver(letter("Re: offer", answers="<1@x>", at=OLD + day), at=OLD + day)
    _stay(box, on_leave=setting)
    _next(box)
    assert box.kept() == {first, reply}

    standin.label(box.address, [first], remove=[label])
    _next(box)
    assert _binned(box) == ({} if setting == "keep" else {first: "left", reply: "left"})
    assert _stored(box) == (2 if setting == "keep" else 0)

    standin.label(box.address, [reply], add=[label])
    _next(box)
    assert reply not in _binned(box)


@EITHER
def test_what_is_deleted_stays_or_goes(team: Team, standin: GoogleStandin, setting: str) -> None:
    box = team.mailbox("all")
    mail, other = box.deliver(letter("one")), box.deliver(letter("two"))
    box.rest()
    _stay(box, on_delete=setting)
    standin.delete(box.address, [mail])
    _next(box)
    assert box.kept(gone=True) == {mail}
    assert _binned(box) == ({} if setting == "keep" else {mail: "deleted"})
    assert _stored(box) == (2 if setting == "keep" else 1)
    assert other in box.kept(gone=False)


@EITHER
def test_the_provider_s_trash_is_as_good_as_deleted_and_taking_it_out_again_too(
    team: Team, standin: GoogleStandin, setting: str
) -> None:
    box = team.mailbox("all")
    _stay(box, on_delete=setting)
    mail = box.deliver(letter("one"))
    box.rest()
    standin.label(box.address, [mail], add=["TRASH"], remove=["INBOX"])
    _next(box)
    assert _binned(box) == ({} if setting == "keep" else {mail: "deleted"})
    standin.label(box.address, [mail], add=["INBOX"], remove=["TRASH"])
    _next(box)
    assert _binned(box) == {}
    assert _stored(box) == 1


def test_what_was_brought_back_stays_though_the_provider_says_the_same_again(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    _stay(box, on_delete="remove")
    trashed, deleted = box.deliver(letter("one")), box.deliver(letter("two"))
    box.rest()
    standin.label(box.address, [trashed], add=["TRASH"], remove=["INBOX"])
    standin.delete(box.address, [deleted])
    _next(box)
    assert set(_binned(box)) == {trashed, deleted}
    assert [_bring_back(box, one) for one in (trashed, deleted)] == [1, 1]
    assert _stored(box) == 2

    standin.label(box.address, [trashed], add=["STARRED"])
    standin.expire_history(box.address)
    _next(box)
    assert _binned(box) == {}


def test_the_same_email_of_a_colleague_stays_in_his_mailbox(team: Team, standin: GoogleStandin) -> None:
    box, his = team.mailbox("all"), team.mailbox("all")
    _stay(box, on_delete="remove")
    raw = letter("to both", message_id="<b@x>")
    mail, _other = box.deliver(raw), his.deliver(raw)
    box.rest()
    his.rest()
    assert _stored(box) == 1
    standin.delete(box.address, [mail])
    _next(box)
    assert set(_binned(box)) == {mail}
    assert _binned(his) == {}
    assert _stored(box) == 1


def test_an_email_that_lies_in_the_bin_and_comes_to_a_colleague_counts_again(team: Team, standin: GoogleStandin) -> None:
    box, his = team.mailbox("all"), team.mailbox("all")
    _stay(box, on_delete="remove")
    raw = letter("to both", message_id="<b@x>")
    mail = box.deliver(raw)
    box.rest()
    his.rest()
    standin.delete(box.address, [mail])
    _next(box)
    assert _stored(box) == 0
    his.deliver(raw)
    _next(his)
    assert _stored(box) == 1


def test_after_thirty_days_it_goes_for_good_and_not_before(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    _stay(box, on_delete="remove")
    mail, other = box.deliver(letter("one")), box.deliver(letter("two"))
    box.rest()
    standin.delete(box.address, [mail])
    _next(box)
    clock.advance(LIFE.total_seconds() - 3600)
    empty_bins()
    assert box.kept() == {mail, other}
    clock.advance(3601)
    assert empty_bins() >= 1
    assert box.kept() == {other}
    assert _stored(box) == 1
    with workspace_scope(team.workspace_id):
        left = [rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("message", "variant", "blob", "search_row")]
    assert left == [1, 1, 1, 1]


def test_a_full_plan_keeps_it_in_the_bin_and_says_so(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    _stay(box, on_delete="remove")
    mail = box.deliver(letter("one"))
    box.deliver(letter("two"))
    box.rest()
    standin.delete(box.address, [mail])
    _next(box)
    full = replace(PLANS["professional"], stored=1)
    with workspace_scope(team.workspace_id), pytest.raises(PlanFull):
        check_bring_back(workspace_id=team.workspace_id, plan=full, mailbox_id=box.mailbox_id, copy_ids=[_copy(box, mail)])
    assert set(_binned(box)) == {mail}


def _remove(box: Box, provider_id: str, *, thread: bool = False) -> None:
    workspace_id = box.team.workspace_id
    with workspace_scope(workspace_id):
        [(message_id, conversation_id)] = rows(
            """SELECT m.id, m.conversation_id FROM copy c JOIN message m ON m.id = c.message_id
               WHERE c.mailbox_id = %s AND c.provider_id = %s""",
            [box.mailbox_id, provider_id],
        )
        if thread:
            do_remove_thread(workspace_id=workspace_id, mailboxes=[box.mailbox_id], conversation_id=conversation_id)
        else:
            do_remove_email(workspace_id=workspace_id, mailboxes=[box.mailbox_id], message_id=message_id)


def test_what_was_removed_stays_out_also_when_the_bin_is_empty_and_the_mailbox_is_walked_again(
    team: Team, standin: GoogleStandin
) -> None:
    box = team.mailbox("all")
    mail, other = box.deliver(letter("one")), box.deliver(letter("two"))
    box.rest()
    _remove(box, mail)
    assert _binned(box) == {mail: "hand"}
    assert _stored(box) == 1
    clock.advance(LIFE.total_seconds() + 1)
    empty_bins()
    standin.expire_history(box.address)
    box.choose("all")
    box.rest()
    assert box.kept() == {other}
    assert standin.snapshot(box.address)["mails"], "nothing changes at the provider"

    with workspace_scope(team.workspace_id):
        assert do_let_all_back(workspace_id=team.workspace_id, mailbox_id=box.mailbox_id) == 1
    _next(box)
    assert box.kept() == {mail, other}


def test_a_removed_thread_keeps_out_what_comes_later_in_it(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("offer", message_id="<1@x>"))
    box.rest()
    _remove(box, first, thread=True)
    later = OLD + timedelta(days=1)
    reply = box.deliver(letter("Re: offer", answers="<1@x>", at=later), at=later)
    standin.clear_log()
    _next(box)
    assert box.kept() == {first}
    assert [one for one in standin.operations() if one.startswith("gmail.messages.get")] == []

    _bring_back(box, first)
    with workspace_scope(team.workspace_id):
        do_let_back(team.workspace_id, [_copy(box, first)])
    box.choose("all")
    box.rest()
    assert box.kept() == {first, reply}
    assert _binned(box) == {}


def test_a_removed_thread_stays_out_with_what_lay_in_the_bin_of_it_before(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    _stay(box, on_delete="remove")
    first = box.deliver(letter("offer", message_id="<1@x>"))
    later = OLD + timedelta(days=1)
    reply = box.deliver(letter("Re: offer", answers="<1@x>", at=later), at=later)
    box.rest()
    standin.label(box.address, [reply], ["TRASH"], ["INBOX"])
    _next(box)
    assert _binned(box) == {reply: "deleted"}
    _remove(box, first, thread=True)
    standin.label(box.address, [reply], ["INBOX"], ["TRASH"])
    _next(box)
    assert _binned(box) == {first: "hand", reply: "hand"}


def test_what_a_colleague_has_of_it_stays_his(team: Team) -> None:
    box, his = team.mailbox("all"), team.mailbox("all")
    raw = letter("to both", message_id="<b@x>")
    mail, other = box.deliver(raw), his.deliver(raw)
    box.rest()
    his.rest()
    _remove(box, mail)
    assert _binned(box) == {mail: "hand"}
    assert _binned(his) == {}
    assert his.kept() == {other}
    assert _stored(box) == 1
