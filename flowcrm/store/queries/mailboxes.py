"""Mailboxes as Settings → Integrations shows them: what they are, how they fare, how far an import is.

Every function runs inside a workspace scope. Only addresses and names of labels are opened here; mail is not.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowcrm.mail.types import FolderRole
from flowcrm.store.db import row, rows
from flowcrm.vault.seal import WorkspaceVault


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the first walk is.

    listing: more ids may still be found. listed: found so far. left: of those, not looked at yet. kept: emails here from this
    mailbox. oldest: the provider's time of the oldest of them. skipped: rule -> looked at and not kept.
    waiting: all that is on the work-list and not set apart. quarantined: set apart after an error.
    """

    skipped: Mapping[str, int]
    listing: bool
    listed: int
    left: int
    kept: int
    oldest: datetime | None
    waiting: int
    quarantined: int

    @property
    def read(self) -> int:
        return max(self.listed - self.left, 0)


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One mailbox. address: opened. chosen: how many labels are chosen and still exist; lost: are chosen and gone."""

    id: int
    address: str
    progress: Progress
    member_id: int
    owner: str
    kind: str
    direction: str
    selection: str
    since: datetime | None
    interval_s: int
    state: str
    state_since: datetime
    state_code: str
    retry_at: datetime | None
    tries: int
    checked_at: datetime | None
    synced_at: datetime | None
    import_from: datetime | None
    import_done_at: datetime | None
    next_run_at: datetime | None
    chosen: int
    lost: int

    @property
    def importing(self) -> bool:
        return self.import_from is not None and self.import_done_at is None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a copy lies. address: of the mailbox, opened."""

    kind: str
    address: str


@dataclass(frozen=True, slots=True)
class Own:
    """A member's mailboxes by id, and every address that he sends as, normalised."""

    addresses: frozenset[str]
    places: Mapping[int, Place]


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label of the owner's making, by its id at the provider. gone: the provider has it no more; excluded: it keeps out the
    threads of what bears it."""

    provider_id: str
    name: str
    chosen: bool
    gone: bool
    excluded: bool


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A mail that could not be taken in. provider_id: what the provider calls it; reason: an error's name."""

    id: int
    provider_id: str
    reason: str
    tries: int


_MAILBOXES = """
    SELECT m.id, m.s_account,
           coalesce(k.listing, false), coalesce(k.listed, 0), w.remaining, c.kept, c.oldest, w.waiting, w.quarantined,
           s.rules, s.counts,
           m.member_id, o.name, m.kind, m.direction, m.selection, m.since, m.interval_s, m.state, m.state_since, m.state_code,
           m.retry_at, m.tries, m.checked_at, m.synced_at, m.import_from, m.import_done_at, d.next_run_at,
           f.chosen, f.lost
    FROM mailbox m
    JOIN member o ON o.workspace_id = m.workspace_id AND o.id = m.member_id
    LEFT JOIN mailbox_due d ON d.workspace_id = m.workspace_id AND d.mailbox_id = m.id
    LEFT JOIN cursor k ON k.workspace_id = m.workspace_id AND k.mailbox_id = m.id AND k.scope = 'main'
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE chosen AND gone_at IS NULL) AS chosen,
               count(*) FILTER (WHERE chosen AND gone_at IS NOT NULL) AS lost
        FROM folder WHERE workspace_id = m.workspace_id AND mailbox_id = m.id) f
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE state <> 'quarantined' AND lane = 2) AS remaining,
               count(*) FILTER (WHERE state <> 'quarantined' AND NOT recheck) AS waiting,
               count(*) FILTER (WHERE state = 'quarantined') AS quarantined
        FROM work WHERE workspace_id = m.workspace_id AND mailbox_id = m.id) w
    CROSS JOIN LATERAL (
        SELECT count(*) AS kept, min(at) AS oldest FROM copy
        WHERE workspace_id = m.workspace_id AND mailbox_id = m.id AND binned_at IS NULL) c
    CROSS JOIN LATERAL (
        SELECT array_agg(rule) AS rules, array_agg(n) AS counts
        FROM skipped WHERE workspace_id = m.workspace_id AND mailbox_id = m.id) s
    WHERE m.workspace_id = %(workspace)s AND (%(member)s::bigint IS NULL OR m.member_id = %(member)s)
      AND (%(mailbox)s::bigint IS NULL OR m.id = %(mailbox)s)
    ORDER BY m.member_id, m.created_at, m.id"""


def mailbox_rows(
    keys: WorkspaceVault, *, member_id: int | None = None, mailbox_id: int | None = None
) -> tuple[MailboxRow, ...]:
    """The mailboxes of the workspace, or of one member, or one of them."""
    found = rows(_MAILBOXES, {"workspace": keys.workspace_id, "member": member_id, "mailbox": mailbox_id})
    return tuple(_mailbox(keys, one) for one in found)


def own_mailboxes(keys: WorkspaceVault, member_id: int) -> Own:
    """What a member's emails need to speak of him and of where they lie."""
    found = rows(
        """SELECT m.id, m.kind, m.s_account, i.s_address FROM mailbox m
           LEFT JOIN mailbox_identity i ON i.workspace_id = m.workspace_id AND i.mailbox_id = m.id
           WHERE m.workspace_id = %s AND m.member_id = %s""",
        [keys.workspace_id, member_id],
    )
    places = {mailbox_id: (kind, bytes(s_account)) for mailbox_id, kind, s_account, _ in found}
    identities = [(mailbox_id, bytes(s_address)) for mailbox_id, _, _, s_address in found if s_address is not None]
    return Own(
        frozenset(keys.open("identity", mailbox_id, sealed).decode() for mailbox_id, sealed in identities),
        {one: Place(kind, keys.open("account", one, sealed).decode()) for one, (kind, sealed) in places.items()},
    )


def owners(workspace_id: int, mailboxes: Collection[int]) -> dict[int, str]:
    """The names of the members whose mailboxes these are, by mailbox."""
    found = rows(
        """SELECT b.id, o.name FROM mailbox b JOIN member o ON o.workspace_id = b.workspace_id AND o.id = b.member_id
           WHERE b.workspace_id = %s AND b.id = ANY(%s::bigint[])""",
        [workspace_id, sorted(mailboxes)],
    )
    return dict(found)


def labels(keys: WorkspaceVault, mailbox_id: int) -> tuple[LabelRow, ...]:
    """The mailbox's own labels by name; a deleted one only while it is chosen or keeps something out."""
    found = rows(
        """SELECT id, provider_id, s_name, chosen, gone_at IS NOT NULL, excluded FROM folder
           WHERE workspace_id = %s AND mailbox_id = %s AND role = %s AND (gone_at IS NULL OR chosen OR excluded)""",
        [keys.workspace_id, mailbox_id, FolderRole.LABEL],
    )
    opened = (
        LabelRow(pid, keys.open("folder", folder_id, bytes(name)).decode(), *rest) for folder_id, pid, name, *rest in found
    )
    return tuple(sorted(opened, key=lambda label: label.name.casefold()))


def quarantined(workspace_id: int, mailbox_id: int, *, at_most: int = 200) -> tuple[QuarantineRow, ...]:
    """Mails that were set apart, newest first."""
    found = rows(
        """SELECT id, provider_id, reason, tries FROM work
           WHERE workspace_id = %s AND mailbox_id = %s AND state = 'quarantined' ORDER BY id DESC LIMIT %s""",
        [workspace_id, mailbox_id, at_most],
    )
    return tuple(QuarantineRow(*one) for one in found)


def any_contact_address(workspace_id: int) -> bool:
    """Whether there is anybody whose mail "Contacts only" could bring in."""
    return row("SELECT 1 FROM contact_address WHERE workspace_id = %s LIMIT 1", [workspace_id]) is not None


def _mailbox(keys: WorkspaceVault, found: tuple[Any, ...]) -> MailboxRow:
    mailbox_id, s_account, *rest = found
    skipped = dict(zip(rest[7] or (), rest[8] or (), strict=True))
    address = keys.open("account", mailbox_id, bytes(s_account)).decode()
    return MailboxRow(mailbox_id, address, Progress(skipped, *rest[:7]), *rest[9:])
