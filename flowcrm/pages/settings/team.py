"""Settings, Team: who belongs to the account, invitations, roles, and what is preselected for mailboxes."""

from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseForbidden
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from flowcrm.pages.forms import Form
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.notes import note
from flowcrm.pages.settings.forms import DefaultLevelForm
from flowcrm.pages.words import LEVELS, ROLES
from flowcrm.store.levels import Level
from flowcrm.store.queries.members import account_name, team
from flowcrm.store.writes.invites import LastAdmin, check_role, do_invite, do_revoke, read_invites
from flowcrm.store.writes.members import ROLES as ROLE_NAMES
from flowcrm.store.writes.private import do_default_level


class InviteForm(Form):
    """Whom to invite, and as what."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter whom the link is for, so that you know it in this list.")},
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=[(one, ROLES[one]) for one in reversed(ROLE_NAMES)])


@require_http_methods(["GET", "POST"])
def show_team(request: MemberRequest) -> HttpResponse:
    """Everybody in the account; admins also invite, give roles, and choose what is preselected (`what` says which form)."""
    admin, what = request.member.is_admin, request.POST.get("what", "")
    if request.method == "POST" and not admin:
        return HttpResponseForbidden(_("Only admins change this."))
    level = DefaultLevelForm(
        request.POST if what == "level" else None, initial={"default_level": request.workspace.default_level}
    )
    invite = InviteForm(request.POST if what == "invite" else None)
    if what == "level" and level.is_valid():
        do_default_level(workspace_id=request.workspace.id, level=Level(level.cleaned_data["default_level"]))
        note(request, "default_level")
        messages.success(request, _("Saved. Mailboxes that are connected already stay as they are."))
        return redirect("team")
    if what == "invite" and invite.is_valid():
        link = _invite(request, invite)
        # Shown once, in this very answer: only its hash is stored, not even the session has it.
        fresh = {"name": invite.cleaned_data["name"], "url": link}
        return render(request, "settings/team.html", _context(request, level, InviteForm()) | {"fresh": fresh})
    return render(request, "settings/team.html", _context(request, level if admin else None, invite if admin else None))


def _context(request: MemberRequest, level: DefaultLevelForm | None, invite: InviteForm | None) -> dict[str, object]:
    admin = invite is not None
    return {
        "people": [(one, ROLES[one.role]) for one in team(request.workspace.id) if one.active or admin],
        "roles": [(one, ROLES[one]) for one in ROLE_NAMES],
        "account": account_name(request.workspace.id),
        "form": level,
        "invite_form": invite,
        "invites": [(one, ROLES[one.role]) for one in read_invites(request.workspace.id)] if admin else [],
        "default_level": LEVELS[request.workspace.default_level],
    }


def _invite(request: MemberRequest, form: InviteForm) -> str:
    """The new link."""
    typed, workspace_id = form.cleaned_data, request.workspace.id
    invite_id, secret = do_invite(
        workspace_id=workspace_id, member_id=request.member.id, name=typed["name"], role=typed["role"]
    )
    note(request, "invite", [invite_id])
    return str(settings.BASE_URL) + reverse("join", args=[workspace_id, secret])


@require_POST
def revoke_invite(request: MemberRequest, invite_id: int) -> HttpResponse:
    """A link works no more."""
    if not request.member.is_admin:
        return HttpResponseForbidden(_("Only admins change this."))
    do_revoke(workspace_id=request.workspace.id, invite_id=invite_id)
    note(request, "revoke_invite", [invite_id])
    messages.success(request, _("That link works no more."))
    return redirect("team")


@require_POST
def change_role(request: MemberRequest, member_id: int) -> HttpResponse:
    """Make a member an admin, or a user again."""
    role = request.POST.get("role", "")
    if not request.member.is_admin or role not in ROLE_NAMES:
        return HttpResponseForbidden(_("Only admins change this."))
    try:
        check_role(workspace_id=request.workspace.id, member_id=member_id, role=role, by_id=request.member.id)
    except LastAdmin:
        messages.error(request, _("An account needs an admin. Make somebody else one first."))
        return redirect("team")
    note(request, "role", [member_id])
    messages.success(request, _("Saved: %(role)s.") % {"role": cast(str, ROLES[role])})
    return redirect("team")
