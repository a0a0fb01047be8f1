"""Settings, Team: who belongs to the account, invitations, roles, and what is preselected for mailboxes."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseForbidden
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from flowcrm.mail.addresses import normalise
from flowcrm.pages.accounts import can_send_mail
from flowcrm.pages.forms import Form
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.notes import note
from flowcrm.pages.settings.forms import DefaultLevelForm
from flowcrm.pages.words import LEVELS, ROLES
from flowcrm.post.invitation import join_address
from flowcrm.post.server import wire_address
from flowcrm.queue import wake_post
from flowcrm.store.errors import NotFound
from flowcrm.store.levels import Level
from flowcrm.store.queries.members import account_name, team
from flowcrm.store.queries.outgoing import MailedInvite, mailed_invites, sealed_invite
from flowcrm.store.vaults import vault
from flowcrm.store.writes.invites import (
    InviteRow,
    LastAdmin,
    check_role,
    do_address_invite,
    do_invite,
    do_revoke,
    locked_admins,
    read_invites,
)
from flowcrm.store.writes.members import ROLES as ROLE_NAMES
from flowcrm.store.writes.outgoing import TooMany, check_room_for_invite, do_mail_invite
from flowcrm.store.writes.private import do_default_level


class InviteForm(Form):
    """Whom to invite, as what, and where the link goes if FlowCRM can send it."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter whom the link is for, so that you know it in this list.")},
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=[(one, ROLES[one]) for one in reversed(ROLE_NAMES)])
    email = forms.EmailField(
        label=gettext_lazy("Email address"),
        required=False,
        help_text=gettext_lazy("The link is sent there. Leave it empty to hand the link over yourself."),
        error_messages={"invalid": gettext_lazy("That is not an email address. It should look like anna@example.com.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not can_send_mail():
            del self.fields["email"]

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        try:
            return wire_address(email) if email else ""
        except ValueError:
            raise forms.ValidationError(str(self.fields["email"].error_messages["invalid"])) from None


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
    if what == "invite" and invite.is_valid() and (link := _invite(request, invite)):
        # Shown once, in this very answer: it is stored as a hash (or sealed, for the mail), not even the session has it.
        fresh = {"name": invite.cleaned_data["name"], "url": link, "email": invite.cleaned_data.get("email", "")}
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
        "invites": _invites(request) if admin else [],
        "mail": can_send_mail(),
        "default_level": LEVELS[request.workspace.default_level],
    }


def _invites(request: MemberRequest) -> list[tuple[InviteRow, object, MailedInvite | None]]:
    """Each open invitation with its role's name, and how its mail fares if it goes by mail."""
    mailed = mailed_invites(vault(request.workspace.id))
    return [(one, ROLES[one.role], mailed.get(one.id)) for one in read_invites(request.workspace.id)]


def _invite(request: MemberRequest, form: InviteForm) -> str:
    """The new link; "" where it cannot go by mail, which is said at the field."""
    typed, workspace_id = form.cleaned_data, request.workspace.id
    keys, email = vault(workspace_id), typed.get("email", "")
    h_to = keys.lookup("address", normalise(email))
    try:
        if email:
            check_room_for_invite(workspace_id=workspace_id, gen=keys.generation, h_to=h_to)
    except TooMany as refusal:
        form.add_error("email", _too_many(refusal))
        return ""
    invite_id, secret = do_invite(
        workspace_id=workspace_id, member_id=request.member.id, name=typed["name"], role=typed["role"]
    )
    note(request, "invite", [invite_id])
    if email:
        s_mail = sealed_invite(keys, invite_id, to=email, secret=secret)
        do_address_invite(workspace_id=workspace_id, invite_id=invite_id, gen=keys.generation, h_to=h_to, s_mail=s_mail)
        _mail(request, invite_id)
    return join_address(workspace_id, secret)


def _mail(request: MemberRequest, invite_id: int) -> None:
    do_mail_invite(workspace_id=request.workspace.id, invite_id=invite_id, by_id=request.member.id)
    note(request, "mail_invite", [invite_id])
    wake_post()


def _too_many(refusal: TooMany) -> str:
    if refusal.to_one:
        return _("Enough was sent to this address today. Hand the link over yourself, or try again tomorrow.")
    return _("So many invitations were sent today that no more go out. Leave the address empty and hand over the link.")


@require_POST
def send_invite_again(request: MemberRequest, invite_id: int) -> HttpResponse:
    """Send the same link to the same address once more."""
    if not request.member.is_admin:
        return HttpResponseForbidden(_("Only admins change this."))
    keys = vault(request.workspace.id)
    # Of two presses at once the second sees what the first has done.
    locked_admins(request.workspace.id)
    invite = mailed_invites(keys, invite_id=invite_id).get(invite_id)
    if invite is None:
        raise NotFound
    if not can_send_mail() or invite.on_its_way:
        messages.info(request, _("It is on its way already.") if can_send_mail() else _("This FlowCRM sends no emails."))
        return redirect("team")
    try:
        h_to = keys.lookup("address", normalise(invite.to))
        check_room_for_invite(workspace_id=request.workspace.id, gen=keys.generation, h_to=h_to)
    except TooMany as refusal:
        messages.error(request, _too_many(refusal))
        return redirect("team")
    _mail(request, invite_id)
    messages.success(request, _("Sent once more to %(address)s.") % {"address": invite.to})
    return redirect("team")


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
