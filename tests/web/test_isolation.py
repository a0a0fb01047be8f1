"""Who gets in: nobody without signing in, a stranger nowhere, a colleague everywhere in his own account."""

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from flowcrm.store.db import workspace_scope
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.members import do_add_member
from tests.people import Someone, make_person, make_workspace
from tests.web.pages import PLAIN, of_company, of_contact

pytestmark = pytest.mark.needs_postgres


def _company(of: Someone, name: str = "Nordlicht") -> int:
    with of.scope():
        return do_create_company(workspace_id=of.workspace_id, name=name)


@pytest.mark.parametrize("path", ["/", *PLAIN, *of_contact(1), *of_company(1)])
def test_somebody_who_is_not_signed_in_is_led_to_the_sign_in(path: str, member: Someone) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"] == f"/sign-in/?next={path}"


@pytest.mark.parametrize("path", PLAIN)
def test_a_member_opens_every_room(path: str, member: Someone) -> None:
    assert member.get(path).status_code == 200


def test_a_stranger_gets_404_for_everything_that_has_an_id(member: Someone, colleague: Someone, stranger: Someone) -> None:
    contact_id, company_id = member.contact("Anna Berg", "anna@nordlicht.example"), _company(member)
    for path in (*of_contact(contact_id), *of_company(company_id)):
        assert member.get(path).status_code == 200, path
        assert colleague.get(path).status_code == 200, path
        assert stranger.get(path).status_code == 404, path


def test_a_stranger_changes_nothing(member: Someone, stranger: Someone) -> None:
    contact_id, company_id = member.contact("Anna Berg"), _company(member)
    assert stranger.post(f"/contacts/{contact_id}/delete").status_code == 404
    assert stranger.post(f"/contacts/{contact_id}/edit", {"name": "Mine"}).status_code == 404
    assert stranger.post(f"/companies/{company_id}/edit", {"name": "Mine"}).status_code == 404
    assert "Anna Berg" in member.get(f"/contacts/{contact_id}").content.decode()


def test_lists_show_only_the_own_account(member: Someone, stranger: Someone) -> None:
    member.contact("Anna Berg")
    _company(member)
    for path in ("/contacts?q=anna", "/companies?q=nordlicht", "/companies/names?company=nord"):
        assert "Anna Berg" not in stranger.get(path).content.decode()
        assert 'value="Nordlicht"' not in stranger.get(path).content.decode()


def test_every_address_with_an_id_is_in_these_tests() -> None:
    """A new page with an id must come with its stranger's test: add it to tests/web/pages.py or to the list here."""
    tested = {
        "contact",
        "contact_emails",
        "contact_change",
        "contact_delete",
        "contact_remove",
        "company",
        "company_emails",
        "company_change",
    }
    tested |= {"article"}
    # tests/web/test_contact_csv.py
    tested |= {"contact_import", "contact_import_errors", "contact_import_drop"}
    # tests/web/test_merging.py
    tested |= {"contact_merge", "contact_split", "contact_undo"}
    # tests/web/test_emails.py and test_integrations.py have the strangers of these.
    tested |= {"thread", "email", "email_formatted", "email_original", "email_contact", "email_file"}
    tested |= {f"mailbox_{what}" for what in ("card", "choose", "running", "newest", "act", "disconnect", "set_apart")}
    # tests/web/test_levels.py
    tested |= {"thread_private", "email_private", "mailbox_gain"}
    # tests/web/test_team.py
    tested |= {"join", "invite_revoke", "member_role"}
    # tests/web/test_invitations.py
    tested |= {"invite_again"}
    # tests/web/test_leaving.py
    tested |= {"member_deactivate", "member_reactivate"}
    # tests/web/test_notices.py
    tested |= {"notice"}
    # tests/web/test_notice_mail.py
    tested |= {"notice_mail_stop"}
    # tests/flow/test_explain.py
    tested |= {"mailbox_why"}
    # tests/web/test_preview.py
    tested |= {"mailbox_preview", "mailbox_undo"}
    # tests/web/test_bin.py
    tested |= {"email_bring_back", "email_remove", "thread_remove", "mailbox_let_back"}
    # tests/flow/test_written.py
    tested |= {"mailbox_people", "mailbox_people_decide"}
    # tests/web/test_kept_out.py
    tested |= {"mailbox_let_in"}
    # tests/web/test_exclusions.py
    tested |= {"kept_out_off"}
    with_values = {
        found.name
        for found in get_resolver().url_patterns
        if isinstance(found, URLPattern) and found.pattern.converters and not found.lookup_str.startswith("allauth.")
    }
    assert with_values == tested


def test_a_part_of_a_page_leads_the_whole_window_to_the_sign_in(member: Someone) -> None:
    answer = Client().get(
        "/contacts?q=a", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/contacts?q=secret"}
    )
    assert answer["HX-Redirect"] == "/sign-in/?next=/contacts"


def test_a_person_without_an_account_is_told_so(member: Someone) -> None:
    client = Client()
    client.force_login(make_person(), backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get("/contacts")
    assert answer.status_code == 403
    assert "belong to no account" in answer.content.decode()


def test_a_person_with_two_accounts_chooses_and_stays_there(member: Someone) -> None:
    contact_id, second = member.contact("Anna Berg"), make_workspace("Second")
    assert "Your accounts" not in member.get("/settings/profile").content.decode()
    with workspace_scope(second):
        do_add_member(workspace_id=second, person_id=member.person.id, role="user", name="Mara", time_zone="UTC")
    assert "Second" in member.get("/settings/profile").content.decode()

    member.post("/settings/account", {"workspace": str(second)})
    assert member.get(f"/contacts/{contact_id}").status_code == 404
    member.post("/settings/account", {"workspace": str(member.workspace_id)})
    assert member.get(f"/contacts/{contact_id}").status_code == 200


def test_nobody_chooses_an_account_that_is_not_his(member: Someone, stranger: Someone) -> None:
    contact_id = stranger.contact("Anna Berg")
    member.post("/settings/account", {"workspace": str(stranger.workspace_id)})
    assert member.get(f"/contacts/{contact_id}").status_code == 404
