"""Settings: team, plan, profile, and the small switches of the user menu."""

from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowcrm.lib import clock
from flowcrm.pages.accounts import can_send_mail
from flowcrm.pages.forms import checked
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.middleware import SESSION_WORKSPACE
from flowcrm.pages.settings.forms import MailForm, ProfileForm
from flowcrm.pages.settings.plan_view import plan_view
from flowcrm.store.queries.members import account_name, memberships
from flowcrm.store.queries.outgoing import mail_choice
from flowcrm.store.writes.members import do_set_profile
from flowcrm.store.writes.notice_mail import do_choose_mail

THEMES = ("light", "dark", "system")
_YEAR = 365 * 24 * 3600


@require_GET
def index(_request: MemberRequest) -> HttpResponse:
    return redirect("integrations")


@require_GET
def show_plan(request: MemberRequest) -> HttpResponse:
    account = account_name(request.workspace.id)
    return render(request, "settings/plan.html", {"plan": plan_view(request.workspace), "account": account})


@require_http_methods(["GET", "POST"])
def profile(request: MemberRequest) -> HttpResponse:
    me, mailing = request.member, request.POST.get("what") == "mail"
    mail = _mail_form(request, mailing)
    if mailing and mail is not None and mail.is_valid():
        do_choose_mail(workspace_id=request.workspace.id, member_id=me.id, groups=mail.chosen)
        messages.success(request, _("Saved what you hear of by email."))
        return redirect("profile")
    typed = None if mailing else request.POST or None
    form = ProfileForm(typed, initial={"name": me.name, "time_zone": me.time_zone}, check_url=request.path)
    if "check" in request.POST:
        return checked(request, form)
    if form.is_valid():
        do_set_profile(workspace_id=request.workspace.id, member_id=me.id, **form.cleaned_data)
        messages.success(request, _("Profile saved."))
        return redirect("profile")
    accounts = memberships(me.person_id)
    context = {
        "form": form,
        "mail": mail,
        "accounts": accounts if len(accounts) > 1 else (),
        "now": timezone.localtime(clock.now()),
    }
    return render(request, "settings/profile.html", context)


def _mail_form(request: MemberRequest, mailing: bool) -> MailForm | None:
    """None where nothing is sent."""
    if not can_send_mail():
        return None
    chosen = mail_choice(request.workspace.id, request.member.id)
    return MailForm(request.POST if mailing else None, initial=dict.fromkeys(chosen, True))


@require_POST
def choose_account(request: MemberRequest) -> HttpResponse:
    """Go on in another account of the same person; what is not his is not chosen (see WorkspaceScope)."""
    wanted = request.POST.get("workspace", "")
    if wanted in {str(one.workspace.id) for one in memberships(request.member.person_id)}:
        request.session[SESSION_WORKSPACE] = int(wanted)
    return redirect("home")


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the colours in this browser."""
    chosen = request.POST.get("theme", "")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = redirect(urlsplit(back).geturl())
    if chosen == "system":
        response.delete_cookie("theme", samesite="Lax")
    elif chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=_YEAR, samesite="Lax", secure=request.is_secure())
    return response
