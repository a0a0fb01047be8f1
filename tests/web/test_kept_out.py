"""Labels that keep emails out: the mailbox's settings list them, and only its owner lets them in again."""

from typing import Any

import pytest

from flowcrm.mail.types import Folder, FolderRole
from flowcrm.rules.exclusion import excluded_ids
from flowcrm.store.db import rows, run
from flowcrm.store.vaults import vault
from flowcrm.store.writes.mailbox import do_folders
from tests.mail_helper import connect
from tests.people import Someone

pytestmark = pytest.mark.needs_postgres

NO_CRM, OTHER = Folder("L1", "No-CRM", FolderRole.LABEL), Folder("L2", "CRM", FolderRole.LABEL)


def _see(member: Someone, mailbox_id: int, *folders: Folder) -> None:
    with member.scope():
        do_folders(vault(member.workspace_id), mailbox_id=mailbox_id, folders=list(folders), excluded=excluded_ids(folders))


@pytest.fixture
def mailbox_id(member: Someone) -> int:
    made = connect(member)
    _see(member, made, NO_CRM, OTHER)
    with member.scope():
        run(
            "INSERT INTO mark (workspace_id, mailbox_id, provider_id, folder_id, thread_id) VALUES (%s, %s, 'm', 'L1', 't')",
            [member.workspace_id, made],
        )
    return made


def _settings(member: Someone, mailbox_id: int) -> str:
    return str(member.get(f"/settings/integrations/{mailbox_id}/settings").content.decode())


def _let_in(someone: Someone, mailbox_id: int, label: str = "L1") -> Any:
    return someone.post(f"/settings/integrations/{mailbox_id}/let-in", {"label": label})


def _excluded(member: Someone) -> list[str]:
    with member.scope():
        return [one for (one,) in rows("SELECT provider_id FROM folder WHERE excluded")]


def _threads(member: Someone) -> list[str]:
    with member.scope():
        return [one for (one,) in rows("SELECT thread_id FROM thread_work")]


def test_no_crm_is_listed_and_cannot_be_chosen_or_let_in(member: Someone, mailbox_id: int) -> None:
    page = _settings(member, mailbox_id)
    assert "Labels that keep emails out" in page
    assert 'value="L1"' not in page
    _let_in(member, mailbox_id)
    assert _excluded(member) == ["L1"]


def test_a_renamed_or_deleted_one_goes_on_until_its_owner_lets_it_in(member: Someone, mailbox_id: int) -> None:
    _see(member, mailbox_id, Folder("L1", "Private", FolderRole.LABEL), OTHER)
    assert _excluded(member) == ["L1"]
    assert "Let its emails in" in _settings(member, mailbox_id)
    _see(member, mailbox_id, OTHER)
    assert "(deleted in Gmail)" in _settings(member, mailbox_id)

    assert _let_in(member, mailbox_id).status_code == 302
    assert (_excluded(member), _threads(member)) == ([], ["t"])


@pytest.mark.parametrize("who", ["stranger", "colleague"])
def test_nobody_else_lets_it_in(who: str, request: pytest.FixtureRequest, member: Someone, mailbox_id: int) -> None:
    _see(member, mailbox_id, Folder("L1", "Private", FolderRole.LABEL))
    assert _let_in(request.getfixturevalue(who), mailbox_id).status_code == 404
    assert _excluded(member) == ["L1"]
