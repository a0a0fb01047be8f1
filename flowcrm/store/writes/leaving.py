"""Members who leave the account, and come back. Inside the account's scope; their mailboxes are mailboxes/leaving.py's."""

from flowcrm.lib import clock
from flowcrm.store.db import run
from flowcrm.store.errors import NotFound
from flowcrm.store.writes.invites import LastAdmin, locked_admins


def check_deactivate(*, workspace_id: int, member_id: int, by_id: int) -> None:
    """He gets in no more, from his next request on, and links that he made work no more: else he could come back by one.
    by_id: the admin who does it. Raises LastAdmin; NotFound, also for who is deactivated already."""
    admins = locked_admins(workspace_id)
    if admins == {member_id}:
        raise LastAdmin
    # Whoever lost his own place while this page was open takes nobody else's.
    gone = by_id in admins and run(
        "UPDATE member SET deactivated_at = %s WHERE workspace_id = %s AND id = %s AND deactivated_at IS NULL",
        [clock.now(), workspace_id, member_id],
    )
    if not gone:
        raise NotFound
    run(
        """UPDATE invite SET revoked_at = %s, s_mail = NULL
           WHERE workspace_id = %s AND invited_by = %s AND used_at IS NULL AND revoked_at IS NULL""",
        [clock.now(), workspace_id, member_id],
    )


def check_reactivate(*, workspace_id: int, member_id: int) -> None:
    """He gets in again, in the role that he had. Raises NotFound."""
    if not run(
        "UPDATE member SET deactivated_at = NULL WHERE workspace_id = %s AND id = %s AND deactivated_at IS NOT NULL",
        [workspace_id, member_id],
    ):
        raise NotFound
