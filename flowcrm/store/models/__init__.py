"""The tables as the ORM sees them. Their truth is migrations/*.sql; tests/store/test_models.py holds the two together."""

from flowcrm.store.models.audit import Audit
from flowcrm.store.models.contact import Company, CompanyDomain, Contact, ContactAddress
from flowcrm.store.models.mail import Attachment, Blob, Conversation, Copy, CopyFolder, Message, Participant, Variant
from flowcrm.store.models.mailbox import (
    Budget,
    Cursor,
    Folder,
    Lease,
    Mailbox,
    MailboxDue,
    MailboxGrant,
    MailboxSecret,
    SettingsChange,
    Skipped,
    Work,
)
from flowcrm.store.models.notice import Notice
from flowcrm.store.models.person import Person
from flowcrm.store.models.workspace import AccountName, InstanceSetting, Member, UsageDay, UsageTotal, Workspace

__all__ = [
    "AccountName",
    "Attachment",
    "Audit",
    "Blob",
    "Budget",
    "Company",
    "CompanyDomain",
    "Contact",
    "ContactAddress",
    "Conversation",
    "Copy",
    "CopyFolder",
    "Cursor",
    "Folder",
    "InstanceSetting",
    "Lease",
    "Mailbox",
    "MailboxDue",
    "MailboxGrant",
    "MailboxSecret",
    "Member",
    "Message",
    "Notice",
    "Participant",
    "Person",
    "SettingsChange",
    "Skipped",
    "UsageDay",
    "UsageTotal",
    "Variant",
    "Work",
    "Workspace",
]
