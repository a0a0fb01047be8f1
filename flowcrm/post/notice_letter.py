"""A notice as a mail: the words that stand under the bell, and nothing else. Whoever wants to know more signs in."""

from collections.abc import Mapping

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flowcrm.post.letter import Letter
from flowcrm.post.stopping import Stop, stop_address
from flowcrm.post.words import said
from flowcrm.store.queries.outgoing import MailedNotice
from flowcrm.store.writes.notice_mail import JOINED, LIMITS, NEEDED

# When a member is written to, by what he chose.
WHEN: Mapping[str, str | Promise] = {
    NEEDED: gettext_lazy("When a mailbox needs me"),
    LIMITS: gettext_lazy("When a limit of the plan is reached"),
    JOINED: gettext_lazy("When somebody joins by my invitation"),
}


def notice_letter(mailed: MailedNotice) -> Letter:
    """What its reader gets."""
    words = said(mailed.notice, mailed.reader)
    why = _("You get this as a member of %(account)s on FlowCRM. Your choice: %(when)s.")
    return Letter(
        f"FlowCRM: {words.title}",
        (words.title, words.text) if words.text else (words.title,),
        (_("Look at it in FlowCRM"), _address(reverse("notice", args=[mailed.notice.id]))),
        (
            why % {"account": mailed.account, "when": str(WHEN[mailed.group])},
            _("Choose what you hear of by email: %(address)s") % {"address": _address(reverse("profile"))},
        ),
        list_name="notices",
        stop=stop_address(Stop(mailed.reader.workspace_id, mailed.reader.id, mailed.group)),
    )


def _address(path: str) -> str:
    return str(settings.BASE_URL) + path
