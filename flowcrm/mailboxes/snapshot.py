"""One mailbox as the engine works with it: read once a slice, in plain values. A change of settings shows in `settings_rev`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from flowcrm.lib import clock
from flowcrm.mail.types import FolderRole
from flowcrm.rules.facts import MailboxRules
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.plans import PLANS, Plan
from flowcrm.store.queries.addresses import member_hashes
from flowcrm.store.queries.exclusions import listed_hashes
from flowcrm.store.vaults import vault
from flowcrm.vault.seal import WorkspaceVault

UNFINISHED = frozenset({FolderRole.DRAFTS.value, FolderRole.SPAM.value, FolderRole.TRASH.value})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """own_addresses: normalised. sent_folders: provider ids. importing: the first walk has not reached its end.

    read_at: when this was read, and so when the slice began. grant_rev: of the grant that there was then, None without one.
    units_per_minute: what the settings let us spend at the provider; less may have been learned (store.writes.budget)."""

    workspace_id: int
    mailbox_id: int
    member_id: int
    kind: str
    state: str
    settings_rev: int
    rules: MailboxRules
    interval: timedelta
    plan: Plan
    zone: ZoneInfo
    vault: WorkspaceVault
    own_addresses: frozenset[str]
    sent_folders: frozenset[str]
    folders_at: datetime | None
    importing: bool
    units_per_minute: float
    grant_rev: int | None
    read_at: datetime

    @property
    def today(self) -> date:
        """The workspace's local day, by which the plan counts."""
        return clock.now().astimezone(self.zone).date()


def read_snapshot(workspace_id: int, mailbox_id: int) -> Snapshot | None:
    """The mailbox now; None where it is gone. Raises KeyMissing where the workspace's keys are not there."""
    keys, read_at = vault(workspace_id).remembering(), clock.now()
    with workspace_scope(workspace_id):
        found = row(
            """SELECT m.member_id, m.kind, m.state, m.settings_rev, m.selection, m.since, m.interval_s, m.folders_at,
                      m.import_done_at IS NULL, w.plan, w.time_zone, s.rev
               FROM mailbox m JOIN workspace w ON w.id = m.workspace_id
               LEFT JOIN mailbox_secret s ON s.workspace_id = m.workspace_id AND s.mailbox_id = m.id
               WHERE m.workspace_id = %s AND m.id = %s""",
            [workspace_id, mailbox_id],
        )
        if found is None:
            return None
        member_id, kind, state, rev, selection, since, interval_s, folders_at, importing, plan, zone, grant_rev = found
        roles, chosen, excluded = _folders(workspace_id, mailbox_id)
        return Snapshot(
            workspace_id=workspace_id,
            mailbox_id=mailbox_id,
            member_id=member_id,
            kind=kind,
            state=state,
            settings_rev=rev,
            rules=MailboxRules(
                selection=selection,
                since=since,
                chosen_ids=chosen,
                excluded_ids=excluded,
                unfinished_ids=frozenset(one for one, role in roles.items() if role in UNFINISHED),
                sent_ids=frozenset(one for one, role in roles.items() if role == FolderRole.SENT.value),
                member_hashes=member_hashes(workspace_id),
                listed=listed_hashes(workspace_id, member_id),
            ),
            interval=timedelta(seconds=interval_s),
            plan=PLANS[plan],
            zone=ZoneInfo(zone),
            vault=keys,
            own_addresses=_own_addresses(keys, mailbox_id),
            sent_folders=frozenset(one for one, role in roles.items() if role == FolderRole.SENT.value),
            folders_at=folders_at,
            importing=importing,
            units_per_minute=settings.IMAP_COMMANDS_PER_MINUTE if kind == "imap" else settings.GMAIL_UNITS_PER_MINUTE,
            grant_rev=grant_rev,
            read_at=read_at,
        )


def _folders(workspace_id: int, mailbox_id: int) -> tuple[dict[str, str], frozenset[str], frozenset[str]]:
    found = rows(
        "SELECT provider_id, role, chosen, excluded FROM folder WHERE workspace_id = %s AND mailbox_id = %s",
        [workspace_id, mailbox_id],
    )
    roles = {provider_id: role for provider_id, role, _, _ in found}
    chosen = frozenset(provider_id for provider_id, _, is_chosen, _ in found if is_chosen)
    excluded = frozenset(provider_id for provider_id, _, _, is_excluded in found if is_excluded)
    return roles, chosen, excluded


def _own_addresses(keys: WorkspaceVault, mailbox_id: int) -> frozenset[str]:
    found = rows(
        "SELECT s_address FROM mailbox_identity WHERE workspace_id = %s AND mailbox_id = %s", [keys.workspace_id, mailbox_id]
    )
    return frozenset(keys.open("identity", mailbox_id, bytes(one)).decode() for (one,) in found)
