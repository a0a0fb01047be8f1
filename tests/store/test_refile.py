"""Kept mails that were filed elsewhere or read: what a page of such changes writes."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.writes.page import Hold
from flowcrm.store.writes.refile import Filed, do_refile
from tests.store.pages import Mail, keep, new_hold, new_workspace

pytestmark = pytest.mark.needs_postgres


def _refile(hold: Hold, *mails: Filed) -> None:
    with workspace_scope(hold.workspace_id):
        do_refile(hold, mails)


def _stands(hold: Hold) -> Sequence[tuple[Any, ...]]:
    """(mail, its folders, whether it and its people's lists say that it is unread)"""
    with workspace_scope(hold.workspace_id):
        return rows(
            """SELECT c.provider_id, array_agg(f.provider_id ORDER BY f.provider_id), c.unread, bool_and(p.unread)
               FROM copy c LEFT JOIN copy_folder f ON f.copy_id = c.id JOIN participant p ON p.copy_id = c.id
               WHERE c.mailbox_id = %s GROUP BY c.id, c.provider_id, c.unread ORDER BY c.id""",
            [hold.mailbox_id],
        )


def test_a_page_files_each_mail_as_its_last_word_says_and_passes_over_what_is_not_kept() -> None:
    hold = new_hold(new_workspace())
    keep(hold, [Mail(one, one, one, one, unread=True) for one in ("a", "b", "c")])

    _refile(
        hold,
        Filed("a", frozenset({"X"}), unread=False),
        Filed("unknown", frozenset({"X"}), unread=False),
        Filed("b", frozenset(), unread=None),
        Filed("a", frozenset({"INBOX", "Y"}), unread=None),
    )

    assert _stands(hold) == [("a", ["INBOX", "Y"], False, False), ("b", [None], True, True), ("c", ["INBOX"], True, True)]


def test_nothing_known_and_nothing_said_change_nothing() -> None:
    hold = new_hold(new_workspace())
    _refile(hold)
    _refile(hold, Filed("unknown", frozenset({"X"}), unread=True))
    assert _stands(hold) == []


def test_a_page_takes_as_many_statements_as_one_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    hold = new_hold(new_workspace())
    keep(hold, [Mail(str(n), str(n), str(n), str(n)) for n in range(30)])
    execute, sent = psycopg.Cursor.execute, 0

    def counting(*arguments: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        return execute(*arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", counting)
    counts = []
    for mails in (range(1), range(1, 30)):
        sent = 0
        _refile(hold, *(Filed(str(n), frozenset({"X"}), unread=True) for n in mails))
        counts.append(sent)

    assert counts[0] == counts[1]
    assert [one[1:] for one in _stands(hold)] == [(["X"], True, True)] * 30
