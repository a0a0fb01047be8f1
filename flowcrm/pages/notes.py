"""What somebody did on a page, for the audit log."""

from collections.abc import Sequence

from flowcrm.pages.http import MemberRequest
from flowcrm.store.writes.audit import do_audit


def note(request: MemberRequest, verb: str, object_ids: Sequence[int] = (), *, surface: str = "page") -> None:
    """One record, with who it was and from where. verb: one of pages.settings.audit_words.KINDS."""
    do_audit(
        workspace_id=request.workspace.id,
        actor_id=request.member.id,
        verb=verb,
        surface=surface,
        object_ids=object_ids,
        ip=request.META.get("REMOTE_ADDR") or None,
    )
