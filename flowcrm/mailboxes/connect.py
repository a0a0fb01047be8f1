"""From a person's consent to a mailbox: connected, re-connected, disconnected. Mail, settings and cursor stay throughout."""

from dataclasses import dataclass
from functools import partial

import structlog
from django.db import transaction

from flowcrm.connectors import oauth
from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.mail.errors import MailError
from flowcrm.mail.types import Account, Folder, Tokens
from flowcrm.mailboxes.open import gmail_settings, google_app
from flowcrm.mailboxes.states import State, check_move
from flowcrm.rules.exclusion import excluded_ids
from flowcrm.store.db import row, workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.vaults import vault
from flowcrm.store.writes.audit import do_audit
from flowcrm.store.writes.mailbox import do_create_mailbox, do_folders, do_identities, do_state, find_mailbox
from flowcrm.store.writes.secrets import AccountHash, account_hash, do_forget_grant, do_grant, is_granted, read_tokens

log = structlog.get_logger(__name__)


class OtherAddress(Exception):
    """A mailbox was to be re-connected, but the consent is for another address. Nothing was changed."""

    def __init__(self, wanted: str, given: str) -> None:
        super().__init__("the consent is for another address")
        self.wanted = wanted
        self.given = given


class OwnedByAnother(Exception):
    """That address is connected by another member of the account. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What came back from the provider's page, and who had gone there. mailbox_id: to be re-connected, None for a new one."""

    code: str
    verifier: str
    redirect_uri: str
    workspace_id: int
    member_id: int
    mailbox_id: int | None


@dataclass(frozen=True, slots=True)
class Visit:
    """What the first look into the mailbox found, with which grant."""

    account: Account
    folders: tuple[Folder, ...]
    tokens: Tokens


def finish_gmail(consent: Consent) -> int:
    """Exchange the code, see whose mailbox it is, store it sealed; returns the mailbox's id.

    Raises the tree of mail.errors, OtherAddress, OwnedByAnother. Without the permission nobody knows whose mailbox it would be:
    on a first connect nothing is stored; a mailbox that is re-connected gets the state (pages/integrations/connect.py).
    """
    tokens = oauth.exchange(google_app(), consent.code, consent.verifier, consent.redirect_uri)
    connector = GmailConnector(access_token=tokens.access, settings=gmail_settings(), spend=_free)
    try:
        account, folders = connector.check(), connector.folders()
    finally:
        connector.close()
    return do_connect("gmail", consent, Visit(account, folders, tokens))


def do_connect(kind: str, consent: Consent, visit: Visit) -> int:
    """Store the grant for the account: a new mailbox waits for choices, a known one goes on where it was. Raises OtherAddress,
    OwnedByAnother; NotFound for a member who was deactivated while he was at the provider."""
    keys, account = vault(consent.workspace_id), visit.account
    with workspace_scope(consent.workspace_id):
        _check_member(consent)
        if consent.mailbox_id is not None:
            _check_same_address(consent, account)
        mailbox_id = find_mailbox(keys, kind=kind, address=account.address)
        if mailbox_id is None:
            mailbox_id = do_create_mailbox(
                keys, member_id=consent.member_id, kind=kind, address=account.address, state=State.CHOOSING
            )
        else:
            _go_on(consent, mailbox_id)
        do_grant(keys, mailbox_id=mailbox_id, account=account_hash(kind, account.address), tokens=visit.tokens)
        do_folders(keys, mailbox_id=mailbox_id, folders=visit.folders, excluded=excluded_ids(visit.folders))
        do_audit(
            workspace_id=consent.workspace_id,
            actor_id=consent.member_id,
            verb="connect",
            surface="page",
            object_ids=[mailbox_id],
        )
        do_identities(keys, mailbox_id=mailbox_id, addresses=(account.address, *account.identities))
    return mailbox_id


def do_disconnect(*, workspace_id: int, member_id: int, mailbox_id: int) -> None:
    """Forget the grant here, and at the provider unless others live by it. Kept emails, settings and cursor stay."""
    keys = vault(workspace_id)
    with workspace_scope(workspace_id):
        found = row(
            "SELECT state, kind FROM mailbox WHERE workspace_id = %s AND id = %s FOR UPDATE", [workspace_id, mailbox_id]
        )
        if found is None or found[0] == State.DISCONNECTED:
            return
        check_move(State(found[0]), State.DISCONNECTED)
        stored = read_tokens(keys, mailbox_id=mailbox_id)
        account = account_hash(found[1], mailbox_address(workspace_id, mailbox_id))
        do_forget_grant(workspace_id=workspace_id, mailbox_id=mailbox_id)
        do_state(workspace_id=workspace_id, mailbox_id=mailbox_id, state=State.DISCONNECTED)
        do_audit(workspace_id=workspace_id, actor_id=member_id, verb="disconnect", surface="page", object_ids=[mailbox_id])
    if stored is not None and stored.tokens.refresh is not None:
        # After the commit, so that no row is held while the provider is asked.
        transaction.on_commit(partial(_give_back, stored.tokens.refresh, account))


def _give_back(token: str, account: AccountHash) -> None:
    """We have forgotten the grant already; that the provider forgets it too is a courtesy that may fail.

    Google ends with one token all that the account has granted to this app. So not while a mailbox lives by it: in another
    workspace, or this one, connected again meanwhile. Whoever connects while Google is being asked must re-authorize.
    """
    if is_granted(account):
        return
    try:
        oauth.revoke(google_app(), token)
    except MailError as error:
        log.warning("grant not revoked", error=type(error).__name__, code=error.code)


def mailbox_address(workspace_id: int, mailbox_id: int) -> str:
    """The mailbox's address, opened (inside a workspace scope)."""
    found = row("SELECT s_account FROM mailbox WHERE workspace_id = %s AND id = %s", [workspace_id, mailbox_id])
    return vault(workspace_id).open("account", mailbox_id, bytes(found[0])).decode() if found else ""


def _check_member(consent: Consent) -> None:
    # Locked: whoever is being deactivated this moment is waited for, and what he connects before is disconnected with the rest.
    found = row(
        "SELECT 1 FROM member WHERE workspace_id = %s AND id = %s AND deactivated_at IS NULL FOR SHARE",
        [consent.workspace_id, consent.member_id],
    )
    if found is None:
        raise NotFound


def _check_same_address(consent: Consent, account: Account) -> None:
    wanted = mailbox_address(consent.workspace_id, consent.mailbox_id or 0)
    if wanted != account.address:
        raise OtherAddress(wanted, account.address)


def _go_on(consent: Consent, mailbox_id: int) -> None:
    found = row(
        "SELECT member_id, state, import_from IS NOT NULL FROM mailbox WHERE workspace_id = %s AND id = %s FOR UPDATE",
        [consent.workspace_id, mailbox_id],
    )
    if found is None or found[0] != consent.member_id:
        raise OwnedByAnother
    to = State.ON if found[2] else State.CHOOSING
    if State(found[1]) is not State.PAUSED:
        check_move(State(found[1]), to)
        do_state(workspace_id=consent.workspace_id, mailbox_id=mailbox_id, state=to)


def _free(units: int) -> None:
    """The few calls of connecting come before the mailbox has a budget."""
    del units
