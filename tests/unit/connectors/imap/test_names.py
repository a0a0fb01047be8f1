"""Folders are known by what mail programs call them, in any language; a name that is somebody's own is his."""

import pytest

from flowcrm.connectors.imap.names import role_of
from flowcrm.mail.types import FolderRole


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Sent Items", FolderRole.SENT),
        ("INBOX/Sent", FolderRole.SENT),
        ("Gesendete Objekte", FolderRole.SENT),
        ("Éléments envoyés", FolderRole.SENT),
        ("Отправленные", FolderRole.SENT),
        ("送信済みアイテム", FolderRole.SENT),
        ("Papierkorb", FolderRole.TRASH),
        ("Deleted-Items", FolderRole.TRASH),
        ("Corbeille", FolderRole.TRASH),
        ("Unerwünschte Werbung", FolderRole.SPAM),
        ("垃圾邮件", FolderRole.SPAM),
        ("Entwürfe", FolderRole.DRAFTS),
        ("Borradores", FolderRole.DRAFTS),
        ("Archiv", FolderRole.ARCHIVE),
        ("Sent to customers", None),
        ("Customers/Sent", None),
        ("Trashy", None),
    ],
)
def test_roles(name: str, role: FolderRole | None) -> None:
    assert role_of(name) is role
