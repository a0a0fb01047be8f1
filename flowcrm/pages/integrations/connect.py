"""Connect Gmail: to Google and back (RFC 6749 with PKCE; developers.google.com/identity/protocols/oauth2/web-server).

The page before leaving says what will be asked; the errand is remembered; Google sends the person back with a code or a
refusal; then the mailbox waits for its owner's choices, or goes on where it was.
"""

import structlog
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from flowcrm.connectors import oauth
from flowcrm.mail.errors import MailError, PermissionMissing
from flowcrm.mailboxes.connect import Consent, OtherAddress, OwnedByAnother, Owner, finish_gmail, mailbox_address
from flowcrm.mailboxes.open import GMAIL_SCOPES, google_app
from flowcrm.mailboxes.states import Forbidden, State, check_move
from flowcrm.pages.http import MemberRequest, asks_provider
from flowcrm.pages.integrations import errand
from flowcrm.pages.integrations.errand import Errand, NoSuchErrand
from flowcrm.pages.integrations.refusals import refusal
from flowcrm.queue import wake_sync
from flowcrm.store.access import access_mailbox
from flowcrm.store.db import workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.models import Mailbox
from flowcrm.store.plans import PLANS
from flowcrm.store.writes.instance import instance_setting
from flowcrm.store.writes.mailbox import do_state

log = structlog.get_logger(__name__)

REFUSED = (NoSuchErrand, OtherAddress, OwnedByAnother, MailError)


def redirect_uri() -> str:
    """Where Google sends people back to; the same text stands in the registration."""
    return settings.BASE_URL + reverse("gmail_return")


@require_http_methods(["GET", "POST"])
def connect_gmail(request: MemberRequest) -> HttpResponse:
    """GET: what will be asked, and why. POST: off to Google."""
    mailbox = wanted_mailbox(request)
    if not PLANS[request.workspace.plan].email_integration:
        return redirect("integrations")
    if instance_setting("google_app") is None:
        return render(request, "integrations/not_set_up.html", {"setup_url": _setup_url()})
    if request.method == "POST":
        return _leave(request, mailbox)
    address = mailbox_address(request.workspace.id, mailbox.id) if mailbox else ""
    return render(request, "integrations/before_google.html", {"mailbox": mailbox, "address": address})


def _leave(request: MemberRequest, mailbox: Mailbox | None) -> HttpResponse:
    begun = errand.begin(request, mailbox.id if mailbox else None)
    hint = mailbox_address(request.workspace.id, mailbox.id) if mailbox else None
    url = oauth.authorization_url(google_app(), redirect_uri(), begun.state, begun.verifier, hint, GMAIL_SCOPES)
    return HttpResponseRedirect(url)


@require_GET
@asks_provider
def gmail_return(request: MemberRequest) -> HttpResponse:
    """Back from Google, with a code or a refusal."""
    begun: Errand | None = None
    try:
        begun = errand.finish(request, request.GET.get("state", ""))
        mailbox_id = _finish(request, begun)
    except REFUSED as error:
        with workspace_scope(request.workspace.id):
            return _refused(request, error, begun.mailbox_id if begun else None)
    with workspace_scope(request.workspace.id):
        return _go_on(request, mailbox_id)


def _go_on(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    wake_sync()
    if access_mailbox(request.member, mailbox_id).state == State.CHOOSING:
        return redirect("mailbox_choose", mailbox_id)
    messages.success(request, _("Connected again. The sync goes on where it was and catches up."))
    return redirect("integrations")


def _finish(request: MemberRequest, begun: Errand) -> int:
    if "code" not in request.GET:
        raise oauth.refusal(request.GET.get("error", ""))
    owner = Owner(request.workspace.id, request.member.id, begun.mailbox_id)
    return finish_gmail(owner, Consent(request.GET["code"], begun.verifier, redirect_uri()))


def _refused(request: MemberRequest, error: Exception, mailbox_id: int | None) -> HttpResponse:
    log.info("not connected", error=type(error).__name__, code=getattr(error, "code", ""))
    if isinstance(error, PermissionMissing) and mailbox_id is not None:
        _note_missing(request, mailbox_id, error)
    said = refusal(error, mailbox_id)
    context = {"refusal": said, "setup_url": _setup_url()}
    return render(request, "integrations/refused.html", context, status=said.status)


def _note_missing(request: MemberRequest, mailbox_id: int, error: PermissionMissing) -> None:
    """K07: the box that was left empty at Google becomes the mailbox's state."""
    try:
        mailbox = access_mailbox(request.member, mailbox_id)
        check_move(State(mailbox.state), State.PERMISSION_MISSING)
    except (NotFound, Forbidden):
        return
    do_state(workspace_id=request.workspace.id, mailbox_id=mailbox_id, state=State.PERMISSION_MISSING, code=error.code)


def wanted_mailbox(request: MemberRequest) -> Mailbox | None:
    """The mailbox to be re-connected (`mailbox`, in the address). Raises NotFound for what is not the member's own."""
    wanted = request.GET.get("mailbox", "")
    if not wanted:
        return None
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= 18):
        raise NotFound
    return access_mailbox(request.member, int(wanted))


def _setup_url() -> str:
    return settings.BASE_URL + reverse("google_setup")
