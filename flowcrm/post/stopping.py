"""The address in a mail by which its reader ends mails of that kind, without signing in (RFC 8058): signed, so that nobody
makes one for somebody else. It holds for good: a mail may lie about for long."""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse

from flowcrm.store.writes.notice_mail import GROUPS

_SALT = "flowcrm.post.stopping"


class NoSuchStop(Exception):
    """Nobody signed this."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Whose mails of which group are to end."""

    workspace_id: int
    member_id: int
    group: str


def stop_address(stop: Stop) -> str:
    """The whole address, for a mail."""
    token = signing.dumps([stop.workspace_id, stop.member_id, stop.group], salt=_SALT)
    return str(settings.BASE_URL) + reverse("notice_mail_stop", args=[token])


def read_stop(token: str) -> Stop:
    """What an address asks for. Raises NoSuchStop."""
    try:
        workspace_id, member_id, group = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        raise NoSuchStop from None
    if group not in GROUPS:
        raise NoSuchStop
    return Stop(workspace_id, member_id, group)
