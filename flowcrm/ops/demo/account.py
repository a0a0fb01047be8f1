"""The demo's account: Acme, its users, companies and contacts, and two mailboxes that are connected already."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.lib import clock
from flowcrm.mail.types import Tokens
from flowcrm.mailboxes.connect import Owner, Visit, do_connect
from flowcrm.mailboxes.open import GMAIL_SCOPES, gmail_settings
from flowcrm.ops.demo.people import Cast, User
from flowcrm.store.db import workspace_scope
from flowcrm.store.levels import Level
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.contacts import ContactFields, do_create_contact
from flowcrm.store.writes.instance import do_instance_setting
from flowcrm.store.writes.mailbox import Selection, do_settings
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.private import do_level
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace
from standins.google.client import Standin
from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

PASSWORD = "acme-demo-2026"
ACCOUNT = "acme"
# What is connected from the start, and what comes in there; the third user tries Connect Gmail.
SELECTIONS = {"admin": "all", "sales": "contacts"}
# What the others see of them.
LEVELS = {"admin": Level.PEOPLE, "sales": Level.EVERYTHING}
SINCE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class DemoMailbox:
    """A connected mailbox of the demo."""

    workspace_id: int
    mailbox_id: int
    address: str
    selection: str


def do_make_account(cast: Cast, google: Standin) -> list[DemoMailbox]:
    """Everything that a team would have typed and clicked in its first days. Returns the connected mailboxes."""
    key_store().create_instance()
    do_instance_setting(key="google_app", value={"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET})
    with transaction.atomic():
        new = NewWorkspace(title=cast.account, slug=ACCOUNT, plan="professional", time_zone=cast.users[0].zone.key)
        workspace_id = do_make_workspace(new)
    with workspace_scope(workspace_id):
        members = {
            user.key: do_join(workspace_id, address=user.address, name=user.name, role=user.role, zone=user.zone.key)
            for user in cast.users
        }
        companies = {
            one.name: do_create_company(workspace_id=workspace_id, name=one.name, domains=[one.domain])
            for one in cast.companies
        }
        for contact in cast.contacts:
            fields = ContactFields(
                contact.name, contact.addresses, contact.title, contact.phone, company_id=companies[contact.company.name]
            )
            do_create_contact(workspace_id=workspace_id, fields=fields)
    return [_connected(workspace_id, members[user.key], user, google) for user in cast.users if user.key in SELECTIONS]


def do_connect_at(
    google: Standin, workspace_id: int, member_id: int, address: str, granted: Sequence[str] = GMAIL_SCOPES
) -> int:
    """Connect an account of the stand-in (again), as after a consent; the mailbox's id. granted: the boxes that were ticked."""
    token = google.access_token(address)
    with closing(GmailConnector(access_token=token, settings=gmail_settings(), spend=_free)) as connector:
        visit = Visit(connector.check(), connector.folders(), _tokens(google, address, granted))
    return do_connect("gmail", Owner(workspace_id, member_id, None), visit)


def _tokens(google: Standin, address: str, granted: Sequence[str]) -> Tokens:
    given = google.tokens(address, granted)
    return Tokens(given["access_token"], given["refresh_token"], clock.now() + timedelta(hours=1), frozenset(granted))


def do_join(workspace_id: int, *, address: str, name: str, role: str, zone: str) -> int:
    """A sign-in with the demo's password, and its place in the account (inside its scope); the member's id."""
    person = do_make_person(email=address, name=name, password=PASSWORD)
    return do_add_member(workspace_id=workspace_id, person_id=person.id, role=role, name=name, time_zone=zone)


def _connected(workspace_id: int, member_id: int, user: User, google: Standin) -> DemoMailbox:
    mailbox_id = do_connect_at(google, workspace_id, member_id, user.address)
    selection = SELECTIONS[user.key]
    with workspace_scope(workspace_id):
        do_settings(
            workspace_id=workspace_id,
            mailbox_id=mailbox_id,
            chosen=Selection(selection, clock.now() - SINCE, 300, frozenset()),
        )
        do_level(workspace_id=workspace_id, mailbox_id=mailbox_id, level=LEVELS[user.key])
    return DemoMailbox(workspace_id, mailbox_id, user.address, selection)


def _free(units: int) -> None:
    del units
