"""Settings, Team: deactivate a member, after a page that says what will happen, and let him in again."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseForbidden
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from flowcrm.lib import clock
from flowcrm.mailboxes.leaving import check_leave
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.notes import note
from flowcrm.store.queries.members import leaving
from flowcrm.store.writes.invites import LastAdmin
from flowcrm.store.writes.leaving import check_reactivate


@require_http_methods(["GET", "POST"])
def deactivate(request: MemberRequest, member_id: int) -> HttpResponse:
    """GET: what will happen. POST: it happens, at once and whole."""
    if not request.member.is_admin:
        return HttpResponseForbidden(_("Only admins change this."))
    who = leaving(request.workspace.id, member_id, clock.now())
    if who.id == request.member.id:
        messages.error(request, _("You cannot deactivate yourself. Another admin can."))
        return redirect("team")
    if request.method != "POST":
        return render(request, "settings/deactivate.html", {"who": who})
    try:
        check_leave(workspace_id=request.workspace.id, member_id=member_id, by_id=request.member.id)
    except LastAdmin:
        messages.error(request, _("An account needs an admin. Make somebody else one first."))
        return redirect("team")
    note(request, "deactivate", [member_id])
    messages.success(request, _("%(name)s gets in no more.") % {"name": who.name})
    return redirect("team")


@require_POST
def reactivate(request: MemberRequest, member_id: int) -> HttpResponse:
    """Let somebody in again. His mailboxes he connects himself: nobody else can."""
    if not request.member.is_admin:
        return HttpResponseForbidden(_("Only admins change this."))
    check_reactivate(workspace_id=request.workspace.id, member_id=member_id)
    note(request, "reactivate", [member_id])
    messages.success(request, _("Let in again. The mailboxes stay disconnected until their owner connects them."))
    return redirect("team")
