"""From a person's consent to a mailbox: connected, re-connected, disconnected. Mail, settings and cursor stay throughout."""

from dataclasses import dataclass
from functools import partial

import structlog
from django.db import transaction

from flowcrm.connectors import oauth
from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.mail.errors import MailError
from flowcrm.mail.types import Account, Folder, ServerLogin, Tokens
from flowcrm.mailboxes.catalogue import StoredCatalogue
from flowcrm.mailboxes.imap import make_imap
from flowcrm.mailboxes.open import gmail_settings, google_app
from flowcrm.mailboxes.states import State, check_move
from flowcrm.rules.exclusion import excluded_ids
from flowcrm.store.db import row, workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.vaults import vault
from flowcrm.store.writes.audit import do_audit
from flowcrm.store.writes.mailbox import do_create_mailbox, do_folders, do_identities, do_state, find_mailbox
from flowcrm.store.writes.secrets import (
    AccountHash,
    account_hash,
    do_forget_grant,
    do_grant,
    do_keep_login,
    is_granted,
    read_tokens,
)
from flowcrm.vault.seal import WorkspaceVault

log = structlog.get_logger(__name__)

_NO_MAILBOX = 0


class OtherAddress(Exception):
    """A mailbox was to be re-connected, but the consent is for another address. Nothing was changed."""

    def __init__(self, wanted: str, given: str) -> None:
        super().__init__("the consent is for another address")
        self.wanted = wanted
        self.given = given


class OwnedByAnother(Exception):
    """That address is connected by another member of the account. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who connects. mailbox_id: to be re-connected, None for a new one."""

    workspace_id: int
    member_id: int
    mailbox_id: int | None


@dataclass(frozen=True, slots=True)
class Consent:
    """What came back from the provider's page."""

    code: str
    verifier: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Visit:
    """What the first look into the mailbox found, with which grant."""

    account: Account
    folders: tuple[Folder, ...]
    grant: Tokens | ServerLogin


def finish_gmail(owner: Owner, consent: Consent) -> int:
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
    return do_connect("gmail", owner, Visit(account, folders, tokens))


def finish_imap(owner: Owner, address: str, aliases: tuple[str, ...], login: ServerLogin) -> int:
    """See whether the login opens a mailbox, store it sealed; returns the mailbox's id. address, aliases: the owner's own,
    normalised, since no server tells them.

    Raises the tree of mail.errors, OtherAddress, OwnedByAnother.
    """
    with workspace_scope(owner.workspace_id):
        keys = _keys_for_ids(owner.workspace_id, address)
    # Who it is and which folders it has: no mail is placed yet.
    connector = make_imap(keys, address, login, _free, StoredCatalogue(keys, _NO_MAILBOX), aliases)
    try:
        account, folders = connector.check(), connector.folders()
    finally:
        connector.close()
    return do_connect("imap", owner, Visit(account, folders, login))


def do_connect(kind: str, owner: Owner, visit: Visit) -> int:
    """Store the grant for the account: a new mailbox waits for choices, a known one goes on where it was. Raises OtherAddress,
    OwnedByAnother; NotFound for a member who was deactivated while he was at the provider."""
    keys, account = vault(owner.workspace_id), visit.account
    with workspace_scope(owner.workspace_id):
        _check_member(owner)
        if owner.mailbox_id is not None:
            _check_same_address(owner, account)
        mailbox_id = find_mailbox(keys, kind=kind, address=account.address)
        if mailbox_id is None:
            mailbox_id = do_create_mailbox(
                keys, member_id=owner.member_id, kind=kind, address=account.address, state=State.CHOOSING
            )
        else:
            _go_on(owner, mailbox_id)
        _do_keep_grant(keys, mailbox_id, account_hash(kind, account.address), visit.grant)
        do_folders(keys, mailbox_id=mailbox_id, folders=visit.folders, excluded=excluded_ids(visit.folders))
        do_audit(
            workspace_id=owner.workspace_id,
            actor_id=owner.member_id,
            verb="connect",
            surface="page",
            object_ids=[mailbox_id],
        )
        do_identities(keys, mailbox_id=mailbox_id, addresses=(account.address, *account.identities))
    return mailbox_id


def _do_keep_grant(keys: WorkspaceVault, mailbox_id: int, account: AccountHash, grant: Tokens | ServerLogin) -> None:
    if isinstance(grant, ServerLogin):
        do_keep_login(keys, mailbox_id=mailbox_id, account=account, login=grant)
    else:
        do_grant(keys, mailbox_id=mailbox_id, account=account, tokens=grant)


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


def _check_member(owner: Owner) -> None:
    # Locked: whoever is being deactivated this moment is waited for, and what he connects before is disconnected with the rest.
    found = row(
        "SELECT 1 FROM member WHERE workspace_id = %s AND id = %s AND deactivated_at IS NULL FOR SHARE",
        [owner.workspace_id, owner.member_id],
    )
    if found is None:
        raise NotFound


def _check_same_address(owner: Owner, account: Account) -> None:
    wanted = mailbox_address(owner.workspace_id, owner.mailbox_id or 0)
    if wanted != account.address:
        raise OtherAddress(wanted, account.address)


def _go_on(owner: Owner, mailbox_id: int) -> None:
    found = row(
        "SELECT member_id, state, import_from IS NOT NULL FROM mailbox WHERE workspace_id = %s AND id = %s FOR UPDATE",
        [owner.workspace_id, mailbox_id],
    )
    if found is None or found[0] != owner.member_id:
        raise OwnedByAnother
    to = State.ON if found[2] else State.CHOOSING
    if State(found[1]) is not State.PAUSED:
        check_move(State(found[1]), to)
        do_state(workspace_id=owner.workspace_id, mailbox_id=mailbox_id, state=to)


def _keys_for_ids(workspace_id: int, address: str) -> WorkspaceVault:
    """The keys of which the mailbox's ids are made: those of the day when it was made, of a new one today's."""
    keys = vault(workspace_id)
    known = find_mailbox(keys, kind="imap", address=address)
    found = row("SELECT gen FROM mailbox WHERE workspace_id = %s AND id = %s", [workspace_id, known])
    return keys.at_generation(found[0]) if found else keys


def _free(units: int) -> None:
    """The few calls of connecting come before the mailbox has a budget."""
    del units
