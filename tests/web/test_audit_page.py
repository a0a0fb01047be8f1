"""Settings, Audit: for admins, in words, filtered, as a file; and on each email who has viewed it, for its owners."""

import csv
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.lib import clock
from flowcrm.pages.csv_cells import plain, safe
from flowcrm.pages.settings.audit_words import GROUPS, KINDS
from flowcrm.store.db import rows
from flowcrm.store.levels import Level
from flowcrm.store.writes.audit import do_audit
from flowcrm.store.writes.private import do_level
from tests.mail_helper import connect, keep, raw
from tests.people import Someone, colleague, member, stranger

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres

AUDIT = "/settings/audit"


def _page(someone: Someone, path: str = AUDIT) -> str:
    answer = someone.get(path)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def _csv(someone: Someone, query: str = "") -> list[list[str]]:
    answer = someone.get(f"{AUDIT}/csv?{query}")
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))[1:]


def _shared(owner: Someone, *, level: Level = Level.EVERYTHING) -> int:
    """An email in his mailbox, at that level."""
    box = connect(owner)
    (kept,) = keep(owner.workspace_id, box, raw("Budget", "The figures.", html="<p>The figures.</p>"))
    with owner.scope():
        do_level(workspace_id=owner.workspace_id, mailbox_id=box, level=level)
    return kept


def _record(someone: Someone, verb: str, **more: Any) -> None:
    usual = {"workspace_id": someone.workspace_id, "actor_id": someone.member_id, "surface": "page", "object_ids": []}
    with someone.scope():
        do_audit(**usual | {"verb": verb} | more)


def test_only_an_admin_reads_it_and_only_his_own_account_s(member: Someone, colleague: Someone, stranger: Someone) -> None:
    member.get("/emails")
    kept = _shared(member)
    member.get(f"/emails/message/{kept}")
    assert "Read an email" in _page(member)
    for path in (AUDIT, f"{AUDIT}/csv"):
        assert colleague.get(path).status_code == 404
    assert "Read an email" not in _page(stranger)
    assert {line[1] for line in _csv(stranger)} == {"Sten Strange"}
    assert 'href="/settings/audit"' in _page(member)
    assert 'href="/settings/audit"' not in _page(colleague, "/settings/team")


def test_a_record_says_who_what_when_from_where_and_by_which_surface(member: Someone, colleague: Someone) -> None:
    kept = _shared(colleague)
    member.get(f"/emails/message/{kept}")
    page = " ".join(_page(member, f"{AUDIT}?what=opened").split())
    assert "Mara Lindt" in page
    assert "Read an email" in page
    assert "open its thread" in page
    assert 'thread · <span class="number">127.0.0.1</span>' in page
    assert "Budget" not in page


def test_an_admin_learns_where_an_email_lies_and_no_more_of_it(member: Someone, colleague: Someone) -> None:
    kept = _shared(colleague, level=Level.ONLY_ME)
    colleague.get(f"/emails/message/{kept}")
    page = _page(member, f"{AUDIT}?what=opened")
    assert "in the mailbox of Ben Keller" in page
    assert "open its thread" not in page
    with colleague.scope():
        rows("DELETE FROM copy RETURNING 1")
        rows("DELETE FROM message RETURNING 1")
    assert "that is not here any more" in _page(member, f"{AUDIT}?what=opened")


def test_every_kind_that_is_written_has_its_words_and_belongs_to_one_group(member: Someone) -> None:
    grouped = [verb for _, verbs in GROUPS.values() for verb in verbs]
    assert sorted(grouped) == sorted(KINDS)
    for verb in KINDS:
        _record(member, verb)
    of_groups = [line for name in GROUPS for line in _csv(member, f"what={name}")]
    written = {tuple(line) for line in _csv(member)}
    assert {tuple(line) for line in of_groups} <= written
    assert {line[3] for line in of_groups} == set(KINDS)


def test_filters_by_person_surface_and_days_of_the_viewer_s_zone(member: Someone, colleague: Someone) -> None:
    _record(member, "settings")
    _record(colleague, "level", surface="thread")
    _record(member, "prune", actor_id=None, surface="command_line")
    assert {line[3] for line in _csv(member, f"who={colleague.member_id}")} == {"level"}
    assert {line[3] for line in _csv(member, "who=0")} == {"prune"}
    assert {line[3] for line in _csv(member, "where=thread")} == {"level"}
    today = clock.now().astimezone(UTC)
    assert _csv(member, "until=2020-01-01") == []
    assert len(_csv(member, f"since={today.year}-01-01")) >= 3
    nonsense = member.get(f"{AUDIT}?who=77&what=x&since=yesterday&after=1:x")
    assert nonsense.status_code == 200
    assert "Enter a valid date" in nonsense.content.decode()


def test_a_long_log_is_walked_to_its_end_once(member: Someone) -> None:
    moment = datetime(2026, 11, 2, 8, tzinfo=UTC)
    for number in range(120):
        with member.scope():
            rows(
                """INSERT INTO audit (workspace_id, id, at, actor_id, verb, surface, object_ids)
                   VALUES (%s, nextval('flow_id'), %s, %s, 'settings', 'page', '{}') RETURNING id""",
                [member.workspace_id, moment.replace(minute=number // 40), member.member_id],
            )
    seen, page = 0, _page(member, f"{AUDIT}?what=mailboxes")
    while True:
        seen += page.count('class="audit-row"')
        if "Show more" not in page:
            break
        query = page.rsplit('hx-get="?', 1)[1].split('"', 1)[0].replace("&amp;", "&")
        page = str(member.part(f"{AUDIT}?{query}").content.decode())
    assert seen == 120
    assert len(_csv(member, "what=mailboxes")) == 120


def test_taking_the_file_is_a_record_too(member: Someone) -> None:
    assert [line[3] for line in _csv(member)][:1] == ["audit_export"]
    assert "Exported the audit log" in _page(member)


@given(st.text(max_size=20))
def test_no_cell_is_a_formula_and_none_is_lost(cell: str) -> None:
    written = safe(cell)
    assert plain(written) == cell
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_the_owner_of_a_copy_sees_who_has_viewed_it(member: Someone, colleague: Someone) -> None:
    kept = _shared(colleague)
    assert "Viewed by" not in _page(colleague, f"/emails/message/{kept}")
    member.get("/emails?only=all")
    assert "Viewed by" not in _page(colleague, f"/emails/message/{kept}")
    for _ in range(2):
        member.get(f"/emails/message/{kept}")
        member.get(f"/emails/message/{kept}/formatted")
    page = " ".join(_page(colleague, f"/emails/message/{kept}").split())
    assert "Viewed by Mara Lindt" in page
    assert "2 times" in page


def test_who_has_no_copy_is_not_told_who_viewed_it(member: Someone, colleague: Someone) -> None:
    kept = _shared(colleague)
    colleague.get(f"/emails/message/{kept}")
    assert "Viewed by" not in _page(member, f"/emails/message/{kept}")


def test_viewings_survive_when_two_emails_turn_out_to_be_one(member: Someone, colleague: Someone) -> None:
    box = connect(colleague)
    with colleague.scope():
        do_level(workspace_id=colleague.workspace_id, mailbox_id=box, level=Level.EVERYTHING)
    head = b"From: a@x.example\r\nTo: b@x.example\r\nDate: Mon, 02 Nov 2026 08:00:00 +0000\r\nSubject: Plan\r\n"
    first = b"Message-ID: <1@x>\r\n" + head + b"\r\nThe plan.\r\n"
    second = b"Message-ID: <2@x>\r\n" + head.replace(b"Plan", b"Other") + b"\r\nThe plan.\r\n"
    both = b"Message-ID: <1@x>\r\n" + head.replace(b"Plan", b"Other") + b"\r\nThe plan.\r\n"
    one, other = keep(colleague.workspace_id, box, first, second)
    assert one != other
    for message in (one, other, other):
        member.get(f"/emails/message/{message}")
    keep(colleague.workspace_id, box, both)
    with colleague.scope():
        assert rows("SELECT message_id, member_id, times FROM viewing") == [(one, member.member_id, 3)]


def test_records_about_people_say_whom(member: Someone, colleague: Someone) -> None:
    member.post("/settings/team", {"what": "invite", "name": "Nora", "role": "user"})
    member.post(f"/settings/team/{colleague.member_id}/role", {"role": "admin"})
    with member.scope():
        [(invite,)] = rows("SELECT id FROM invite")
    member.post(f"/settings/team/invites/{invite}/revoke")
    page = " ".join(_page(member, f"{AUDIT}?what=account").split())
    for said in ("Invited somebody", "Took an invitation back"):
        assert f'{said} <span class="quiet">· Nora</span>' in page
    assert 'Changed a role <span class="quiet">· Ben Keller</span>' in page
