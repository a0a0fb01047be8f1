"""Connect other email: a server that the member names, and his password there.

The page tries the login before anything is stored. What goes wrong stands at the field that can mend it; the password is never
sent back to the page.
"""

import structlog
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from flowcrm.mail.errors import MailError, NeedsAdmin, NeedsLogin, PermissionMissing
from flowcrm.mailboxes.connect import OtherAddress, OwnedByAnother, Owner, finish_imap, mailbox_address
from flowcrm.mailboxes.snapshot import read_snapshot
from flowcrm.mailboxes.states import State
from flowcrm.pages.http import MemberRequest, asks_provider
from flowcrm.pages.integrations.connect import wanted_mailbox
from flowcrm.pages.integrations.other_form import OtherForm
from flowcrm.queue import wake_sync
from flowcrm.store.access import access_mailbox
from flowcrm.store.db import workspace_scope
from flowcrm.store.plans import PLANS
from flowcrm.store.vaults import vault
from flowcrm.store.writes.secrets import read_login

log = structlog.get_logger(__name__)

# code of the error -> (field, what to do)
_SAID: dict[str, tuple[str, Promise]] = {
    "app_password": (
        "password",
        gettext_lazy("The server wants a password made for this app. Make one in your provider's security settings."),
    ),
    "imap_off": ("host", gettext_lazy("IMAP is switched off for this account. Switch it on in your provider's settings.")),
    "login_disabled": ("host", gettext_lazy("This server lets nobody sign in with a password here. Ask who runs it.")),
    "unreachable": ("host", gettext_lazy("This server cannot be reached. Check the name, the port and the encryption.")),
    "timeout": ("host", gettext_lazy("This server did not answer in time. Check the name, the port and the encryption.")),
    "cut": ("host", gettext_lazy("This server ended the connection. Check the port and the encryption.")),
    "tls": ("security", gettext_lazy("No encrypted connection came about. Does the port belong to this encryption?")),
    "no_tls": ("security", gettext_lazy("The server offers no encryption on this port. Choose TLS and port 993.")),
    "certificate": (
        "host",
        gettext_lazy("The server's certificate is not for this name, or nobody known vouches for it. Nothing was sent to it."),
    ),
    "host_forbidden": (
        "host",
        gettext_lazy(
            "This name leads into a private network. Whoever runs FlowCRM can open it to mail servers"
            " (FLOWCRM_INNER_MAIL_SERVERS)."
        ),
    ),
}
_REFUSED = gettext_lazy("The server refused the user name or the password. Nothing was changed.")
_NOT_READABLE = gettext_lazy("You are signed in, but the server does not let this account read its mail.")
_NO_IMAP = gettext_lazy("What answers there does not speak IMAP as expected. Check the name and the port.")


@require_http_methods(["GET", "POST"])
@asks_provider
def connect_other(request: MemberRequest) -> HttpResponse:
    """The form, and what became of the attempt."""
    if not PLANS[request.workspace.plan].email_integration:
        return redirect("integrations")
    mailbox_id, address, initial = _again(request)
    form = OtherForm(request.POST or None, address=address, initial=initial)
    if form.is_valid():
        connected = _connect(request, form, mailbox_id)
        if connected is not None:
            return _go_on(request, connected)
    with workspace_scope(request.workspace.id):
        context = {"form": form, "mailbox_id": mailbox_id, "address": address}
        return render(request, "integrations/other.html", context, status=422 if form.is_bound else 200)


def _again(request: MemberRequest) -> tuple[int | None, str, dict[str, object]]:
    """The mailbox that is to be connected again, and what is known of its server."""
    with workspace_scope(request.workspace.id):
        mailbox = wanted_mailbox(request)
        if mailbox is None:
            return None, "", {"address": "", "security": "tls"}
        address = mailbox_address(request.workspace.id, mailbox.id)
        login = read_login(vault(request.workspace.id), mailbox_id=mailbox.id)
    snapshot = read_snapshot(request.workspace.id, mailbox.id)
    own = snapshot.own_addresses if snapshot else frozenset[str]()
    # What is left out of the form is forgotten, so it begins with all that is known.
    known: dict[str, object] = {"security": "tls", "aliases": ", ".join(sorted(own - {address}))}
    if login is not None:
        known |= {"host": login.host, "port": login.port, "security": login.security.value, "user": login.user}
    return mailbox.id, address, known


def _connect(request: MemberRequest, form: OtherForm, mailbox_id: int | None) -> int | None:
    typed = form.cleaned_data
    owner = Owner(request.workspace.id, request.member.id, mailbox_id)
    try:
        return finish_imap(owner, typed["address"], typed["aliases"], form.login())
    except (OtherAddress, OwnedByAnother):
        form.add_error("address", _("A colleague has connected this mailbox, and a mailbox belongs to one user."))
    except MailError as error:
        log.info("not connected", error=type(error).__name__, code=error.code)
        form.add_error(*_sentence(error))
    return None


def _sentence(error: MailError) -> tuple[str, str]:
    """(field, sentence)"""
    if error.code in _SAID:
        field, said = _SAID[error.code]
        return field, str(said)
    if isinstance(error, PermissionMissing):
        return "user", str(_NOT_READABLE)
    if isinstance(error, NeedsLogin | NeedsAdmin):
        return "password", str(_REFUSED)
    return "host", str(_NO_IMAP)


def _go_on(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    wake_sync()
    with workspace_scope(request.workspace.id):
        if access_mailbox(request.member, mailbox_id).state == State.CHOOSING:
            return redirect("mailbox_choose", mailbox_id)
    messages.success(request, _("Connected again. The sync goes on where it was and catches up."))
    return redirect("integrations")
