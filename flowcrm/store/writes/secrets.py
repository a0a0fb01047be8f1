"""A mailbox's grant at its provider: sealed at rest, replaced only under its row lock and only by who read the latest.

A provider ends all grants of one account to this installation together, whichever workspace they are in; `mailbox_grant` says
which live, by a hash that says nothing of the account.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from flowcrm.mail.types import Security, ServerLogin, Tokens
from flowcrm.store.db import router_rows, row, run
from flowcrm.store.vaults import instance_vault
from flowcrm.vault.seal import WorkspaceVault

# A password does not expire by itself.
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stored:
    """A grant as it lies in the database. rev: another one after each replacement."""

    tokens: Tokens
    rev: int


def read_tokens(vault: WorkspaceVault, *, mailbox_id: int, lock: bool = False) -> Stored | None:
    """The grant, opened. lock: keep everybody else from refreshing it until the transaction ends."""
    found = row(
        f"""SELECT s_tokens, rev, expires_at FROM mailbox_secret
            WHERE workspace_id = %s AND mailbox_id = %s {"FOR UPDATE" if lock else ""}""",
        [vault.workspace_id, mailbox_id],
    )
    if found is None:
        return None
    opened = json.loads(vault.open("tokens", mailbox_id, bytes(found[0])))
    if "access" not in opened:
        return None
    tokens = Tokens(opened["access"], opened["refresh"], found[2], frozenset(opened["scopes"]))
    return Stored(tokens, int(found[1]))


@dataclass(frozen=True, slots=True)
class AccountHash:
    """An account at a provider, to be recognised in any workspace."""

    gen: int
    value: bytes


def account_hash(kind: str, address: str) -> AccountHash:
    """`address` is normalised, as the mailbox has it."""
    keys = instance_vault()
    return AccountHash(keys.generation, keys.lookup("granted", f"{kind} {address}"))


def is_granted(account: AccountHash) -> bool:
    """Whether some mailbox of the installation has a living grant for that account right now."""
    found = router_rows("SELECT 1 FROM mailbox_grant WHERE gen = %s AND h_account = %s LIMIT 1", [account.gen, account.value])
    return bool(found)


def do_grant(vault: WorkspaceVault, *, mailbox_id: int, account: AccountHash, tokens: Tokens) -> None:
    """A person has just given consent: this grant replaces what there was. Providers leave the refresh token out of a second
    consent now and then: then the stored one goes on, never nothing in its place."""
    if tokens.refresh is None and (former := read_tokens(vault, mailbox_id=mailbox_id, lock=True)):
        tokens = Tokens(tokens.access, former.tokens.refresh, tokens.expires_at, tokens.scopes)
    _do_store(vault, mailbox_id, _sealed(vault, mailbox_id, tokens), tokens.expires_at, account)


def read_login(vault: WorkspaceVault, *, mailbox_id: int) -> ServerLogin | None:
    """How the mailbox signs in with a password, opened; None where it does not."""
    found = row(
        "SELECT s_tokens FROM mailbox_secret WHERE workspace_id = %s AND mailbox_id = %s", [vault.workspace_id, mailbox_id]
    )
    opened = json.loads(vault.open("tokens", mailbox_id, bytes(found[0]))) if found else {}
    if "password" not in opened:
        return None
    return ServerLogin(opened["host"], int(opened["port"]), Security(opened["security"]), opened["user"], opened["password"])


def do_keep_login(vault: WorkspaceVault, *, mailbox_id: int, account: AccountHash, login: ServerLogin) -> None:
    """A person has just given a password with which signing in works: it replaces what there was."""
    plain = {
        "host": login.host,
        "port": login.port,
        "security": login.security.value,
        "user": login.user,
        "password": login.password,
    }
    _do_store(vault, mailbox_id, vault.seal("tokens", mailbox_id, json.dumps(plain).encode()), _NEVER, account)


def do_replace(vault: WorkspaceVault, *, mailbox_id: int, former: Stored, tokens: Tokens) -> bool:
    """Compare and set: store refreshed tokens unless somebody replaced the grant meanwhile. A refresh token is never lost:
    an answer without one keeps the stored one."""
    kept = Tokens(
        tokens.access, tokens.refresh or former.tokens.refresh, tokens.expires_at, tokens.scopes or former.tokens.scopes
    )
    changed = run(
        """UPDATE mailbox_secret SET s_tokens = %s, expires_at = %s, rev = nextval('flow_id')
           WHERE workspace_id = %s AND mailbox_id = %s AND rev = %s""",
        [_sealed(vault, mailbox_id, kept), kept.expires_at, vault.workspace_id, mailbox_id, former.rev],
    )
    return changed == 1


def do_expire(*, workspace_id: int, mailbox_id: int, at: datetime) -> None:
    """The provider refused the access token before its time: the next use refreshes it."""
    run(
        "UPDATE mailbox_secret SET expires_at = least(expires_at, %s) WHERE workspace_id = %s AND mailbox_id = %s",
        [at, workspace_id, mailbox_id],
    )


def do_grant_ended(*, workspace_id: int, mailbox_id: int) -> None:
    """The provider says that the grant is dead: nothing need be spared for it."""
    run("DELETE FROM mailbox_grant WHERE workspace_id = %s AND mailbox_id = %s", [workspace_id, mailbox_id])


def do_forget_grant(*, workspace_id: int, mailbox_id: int) -> None:
    """Disconnect: the tokens go, everything else stays."""
    run("DELETE FROM mailbox_secret WHERE workspace_id = %s AND mailbox_id = %s", [workspace_id, mailbox_id])


def _do_store(vault: WorkspaceVault, mailbox_id: int, sealed: bytes, expires_at: datetime, account: AccountHash) -> None:
    run(
        """INSERT INTO mailbox_secret (workspace_id, mailbox_id, s_tokens, expires_at) VALUES (%s, %s, %s, %s)
           ON CONFLICT (workspace_id, mailbox_id) DO UPDATE
           SET s_tokens = EXCLUDED.s_tokens, expires_at = EXCLUDED.expires_at, rev = nextval('flow_id')""",
        [vault.workspace_id, mailbox_id, sealed, expires_at],
    )
    run(
        """INSERT INTO mailbox_grant (workspace_id, mailbox_id, gen, h_account) VALUES (%s, %s, %s, %s)
           ON CONFLICT (workspace_id, mailbox_id) DO UPDATE SET gen = EXCLUDED.gen, h_account = EXCLUDED.h_account""",
        [vault.workspace_id, mailbox_id, account.gen, account.value],
    )


def _sealed(vault: WorkspaceVault, mailbox_id: int, tokens: Tokens) -> bytes:
    plain = {"access": tokens.access, "refresh": tokens.refresh, "scopes": sorted(tokens.scopes)}
    return vault.seal("tokens", mailbox_id, json.dumps(plain).encode())
