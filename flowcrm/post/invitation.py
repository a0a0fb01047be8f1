"""The words of an invitation by mail."""

import re

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from flowcrm.post.letter import Letter
from flowcrm.store.queries.outgoing import MailedInvite

# Names are chosen by an admin, and this goes to people outside: no room for a message of his own.
_NAME_AT_MOST = 60
_SCHEME = re.compile(r"\s*:/+\s*")
# A dot (also those that IDNA takes for one, RFC 3490 section 3.1, and what looks like one) or a colon, right before more of a
# word.
_JOINT = re.compile("([.:\u2024\u3002\ufe52\uff0e\uff61])(?=[^\\s.:,;!?)\\]\"'\u2019\u201d])")


def join_address(workspace_id: int, secret: str) -> str:
    """Where the link leads."""
    return str(settings.BASE_URL) + reverse("join", args=[workspace_id, secret])


def invitation(workspace_id: int, invite: MailedInvite) -> Letter:
    """What whoever is invited reads."""
    names = {"inviter": _clipped(invite.inviter), "account": _clipped(invite.account), "name": _clipped(invite.name)}
    return Letter(
        _("%(inviter)s invites you to %(account)s on FlowCRM") % names,
        (
            _("Hello %(name)s,") % names,
            _("%(inviter)s invites you to join %(account)s on FlowCRM, where a team keeps its contacts and emails.") % names,
            _("The link works once, for a week. If you expect no invitation, do nothing: without the link nothing happens."),
        ),
        (_("Join %(account)s") % names, join_address(workspace_id, invite.secret)),
        (_("You get this because somebody entered your address. Answers to it are not read."),),
        list_name="invitations",
    )


def _clipped(name: str) -> str:
    """As it stands, but short, and nothing in it that a mail program would make a link of: a space behind each dot. It reads
    well where a dot belongs (Dr. Berg), and is no invisible sign that a program strips or a spam filter takes for a trick."""
    one = _JOINT.sub(r"\1 ", _SCHEME.sub(" ", name))
    return " ".join(one.split())[:_NAME_AT_MOST]
