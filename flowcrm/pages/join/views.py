"""Join an account by the link that one of its admins handed over."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from flowcrm.pages.middleware import SESSION_WORKSPACE
from flowcrm.pages.newcomer import NewcomerForm
from flowcrm.store.db import workspace_scope
from flowcrm.store.models import Person, Workspace
from flowcrm.store.queries.members import memberships
from flowcrm.store.queries.outgoing import mailed_invites
from flowcrm.store.vaults import vault
from flowcrm.store.writes.audit import do_audit
from flowcrm.store.writes.invites import Invite, InviteDead, Left, check_invite, check_not_left, do_join
from flowcrm.store.writes.members import do_make_person

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, workspace_id: int, secret: str) -> HttpResponse:
    """A form for who is new here; a button for who is signed in already."""
    try:
        with workspace_scope(workspace_id):
            invite = check_invite(workspace_id=workspace_id, secret=secret)
            return _answer(request, workspace_id, invite)
    except InviteDead:
        return render(request, "join/dead.html", status=410)
    except Left:
        return render(request, "join/left.html", status=403)


def _answer(request: HttpRequest, workspace_id: int, invite: Invite) -> HttpResponse:
    title = Workspace.objects.values_list("title", flat=True).get(id=workspace_id)
    context: dict[str, object] = {"title": title}
    if request.user.is_authenticated:
        check_not_left(workspace_id=workspace_id, person_id=request.user.pk)
        if request.method == "POST":
            return _welcome(request, workspace_id, invite, Person.objects.get(pk=request.user.pk), _zone(request.user.pk))
        return render(request, "join/signed_in.html", context)
    form = NewcomerForm(request.POST or None, initial={"name": invite.name, "email": _invited(workspace_id, invite)})
    if form.is_valid():
        typed = form.cleaned_data
        # The sign-in and the membership come together, or neither: all of this is one transaction.
        person = do_make_person(email=typed["email"], name=typed["name"], password=typed["password"])
        return _welcome(request, workspace_id, invite, person, typed["time_zone"])
    return render(request, "join/form.html", {**context, "form": form}, status=422 if form.is_bound else 200)


def _invited(workspace_id: int, invite: Invite) -> str:
    """The address that the link was sent to; "" where it was handed over."""
    mailed = mailed_invites(vault(workspace_id), invite_id=invite.id).get(invite.id)
    return mailed.to if mailed else ""


def _zone(person_id: int) -> str:
    """In which times are shown to him in the account that he has already."""
    return next((one.member.time_zone for one in memberships(person_id)), "UTC")


def _welcome(request: HttpRequest, workspace_id: int, invite: Invite, person: Person, time_zone: str) -> HttpResponse:
    member_id = do_join(
        workspace_id=workspace_id, invite=invite, person_id=person.id, name=person.name or person.email, time_zone=time_zone
    )
    do_audit(
        workspace_id=workspace_id,
        actor_id=member_id,
        verb="join",
        surface="join",
        object_ids=[],
        ip=request.META.get("REMOTE_ADDR") or None,
    )
    if not request.user.is_authenticated:
        login(request, person, backend=_BACKEND)
    request.session[SESSION_WORKSPACE] = workspace_id
    messages.success(request, _("Welcome. Next, connect your mailbox."))
    return redirect("integrations")
