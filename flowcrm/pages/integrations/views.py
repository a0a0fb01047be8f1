"""Settings, Integrations: the member's mailboxes, how they fare and their buttons; for admins also the state of all others."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowcrm.mailboxes.connect import do_disconnect, mailbox_address
from flowcrm.mailboxes.control import do_pause, do_resume, do_stop_import, do_sync_now, do_try_again
from flowcrm.mailboxes.states import Forbidden
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.integrations.cards import Card, Limits, card, read_limits
from flowcrm.pages.integrations.checks import Check, checks
from flowcrm.pages.settings.plan_view import plan_view
from flowcrm.queue import wake_sync
from flowcrm.store.access import access_mailbox
from flowcrm.store.queries.mailboxes import any_contact_address, mailbox_rows, quarantined
from flowcrm.store.vaults import vault


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """The section "Email Integration" (K06)."""
    member, limits = request.member, read_limits(request.workspace)
    found = mailbox_rows(vault(request.workspace.id), member_id=None if member.is_admin else member.id)
    cards = [card(row, limits) for row in found]
    mine = [one for one in cards if one.row.member_id == member.id]
    context = {
        "plan": plan_view(request.workspace),
        "mine": mine,
        "others": [one for one in cards if one.row.member_id != member.id],
        "broken": [one for one in mine if one.broken],
        "checked": _checked(request, mine, limits),
    }
    return render(request, "integrations/index.html", context)


@require_GET
def one_card(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """One card again, with what else the page says of its mailbox, while there is something to see on them."""
    access_mailbox(request.member, mailbox_id)
    (row,) = mailbox_rows(vault(request.workspace.id), mailbox_id=mailbox_id)
    limits = read_limits(request.workspace)
    one = card(row, limits)
    context = {"card": one, "mine": True, "checked": _checked(request, [one], limits)}
    return render(request, "integrations/one_card.html", context)


@require_POST
def act(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """Pause, Resume, Sync now, Stop import: whichever button (`do`) was pressed."""
    mailbox = access_mailbox(request.member, mailbox_id)
    act_on, said = {
        "pause": (do_pause, _("Paused. Nothing is read until you resume.")),
        "resume": (do_resume, _("The sync goes on where it was.")),
        "sync": (do_sync_now, _("Looking for new emails now.")),
        "stop": (do_stop_import, _("Stopped. What came in stays; an earlier “Import since” in Settings takes it up again.")),
    }.get(request.POST.get("do", ""), (None, ""))
    if act_on is None:
        return redirect("integrations")
    try:
        act_on(mailbox)
    except Forbidden:
        messages.warning(request, _("The mailbox's state has changed meanwhile. This is how it is now."))
    else:
        wake_sync()
        messages.success(request, said)
    return redirect("integrations")


@require_POST
def disconnect(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """Give the grant back. Emails, settings and place stay (K37, K39)."""
    access_mailbox(request.member, mailbox_id)
    workspace_id = request.workspace.id
    address = mailbox_address(workspace_id, mailbox_id)
    try:
        do_disconnect(workspace_id=workspace_id, member_id=request.member.id, mailbox_id=mailbox_id)
    except Forbidden:
        messages.warning(request, _("The mailbox's state has changed meanwhile. This is how it is now."))
    else:
        messages.success(request, _("%(address)s is disconnected. Its emails stay here.") % {"address": address})
    return redirect("integrations")


@require_http_methods(["GET", "POST"])
def set_apart(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """Mails that could not be taken in; POST tries one (`work`) or all of them again."""
    mailbox = access_mailbox(request.member, mailbox_id)
    if request.method == "POST":
        wanted = request.POST.get("work", "")
        tried = do_try_again(mailbox, int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 18 else None)
        wake_sync()
        said = ngettext("%(n)s email is tried again.", "%(n)s emails are tried again.", tried) % {"n": tried}
        messages.success(request, said)
        return redirect("mailbox_set_apart", mailbox_id)
    address = mailbox_address(request.workspace.id, mailbox_id)
    found = quarantined(request.workspace.id, mailbox_id)
    return render(request, "integrations/set_apart.html", {"mailbox": mailbox, "address": address, "found": found})


def _checked(request: MemberRequest, mine: list[Card], limits: Limits) -> list[tuple[Card, tuple[Check, ...]]]:
    looked_at = [one for one in mine if one.row.kind != "archive"]
    if not looked_at or not limits.plan.email_integration:
        return []
    any_contact = any_contact_address(request.workspace.id)
    return [(one, checks(one, limits, any_contact=any_contact)) for one in looked_at]
