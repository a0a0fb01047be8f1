"""The inside of `house.move_in`: runs in the product's environment, with Django set up. A wish comes on standard input as JSON,
what was made of it goes to standard output."""

import json
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.test import Client

from flowcrm.lib import clock
from flowcrm.queue import wake_sync
from flowcrm.store.db import workspace_scope
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.contacts import ContactFields, do_create_contact
from flowcrm.store.writes.instance import do_instance_setting
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace
from standins.google.client import RemoteStandin
from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.flow.acme import Box, Team, connect

Json = dict[str, Any]


def main() -> None:
    sys.stdout.write(json.dumps(_make(json.load(sys.stdin))))


def _make(wish: Json) -> Json:
    account = f"a{uuid4().hex[:12]}"
    workspace_id = do_make_workspace(NewWorkspace("Acme", account, wish["plan"], "Europe/Berlin"))
    if wish["google"]:
        do_instance_setting(key="google_app", value={"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET})
    with workspace_scope(workspace_id):
        company_id = do_create_company(workspace_id=workspace_id, name="Nordlicht", domains=["nordlicht.example"])
        contacts = [
            do_create_contact(workspace_id=workspace_id, fields=ContactFields(name, tuple(addresses), company_id=company_id))
            for name, *addresses in wish["contacts"]
        ]
    team = Team(RemoteStandin(settings.GMAIL_API_URL), workspace_id)
    members = [_member(team, one) for one in wish["members"]]
    wake_sync()
    return {"account": account, "members": members, "contacts": contacts, "company": company_id}


def _member(team: Team, wanted: Json) -> Json:
    person = do_make_person(email=f"{uuid4().hex[:12]}@acme.example", name=wanted["name"], password=uuid4().hex)
    with workspace_scope(team.workspace_id):
        member_id = do_add_member(
            workspace_id=team.workspace_id,
            person_id=person.id,
            role=wanted["role"],
            name=wanted["name"],
            time_zone="Europe/Berlin",
        )
    browser = Client()
    browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    mailboxes = [_box(team, member_id, one) for one in wanted["boxes"]]
    return {"id": member_id, "name": wanted["name"], "session": session, "mailboxes": mailboxes}


def _box(team: Team, member_id: int, wanted: Json) -> int:
    address = wanted["address"]
    team.google.create_account(address)
    box = Box(team, member_id, connect(team, member_id, address), address)
    if wanted["selection"]:
        box.choose(wanted["selection"], since=clock.now() - timedelta(days=365))
    if wanted["columns"]:
        box.set(**wanted["columns"])
    return box.mailbox_id
