"""Settings, Integrations, Google set-up: for admins, once for the whole installation."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from flowcrm.mailboxes.open import GMAIL_SCOPES
from flowcrm.pages.http import MemberRequest, asks_provider
from flowcrm.pages.integrations.connect import redirect_uri
from flowcrm.pages.notes import note
from flowcrm.pages.provider.check import Tested, ask_google, sentence
from flowcrm.pages.provider.forms import GoogleForm
from flowcrm.store.db import workspace_scope
from flowcrm.store.writes.instance import do_instance_setting, instance_setting

_KEY = "google_app"

View = Callable[..., HttpResponse]


def for_admins(view: View) -> View:
    """Others are told who can do it."""

    @wraps(view)
    def checked(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.member.is_admin:
            messages.info(request, _("Only an admin can set up Google."))
            return redirect("integrations")
        return view(request, *args, **kwargs)

    return checked


@require_http_methods(["GET", "POST"])
@asks_provider
@for_admins
def google(request: MemberRequest) -> HttpResponse:
    """Step by step: what to enter at Google, then what Google gave, tested at once."""
    stored = instance_setting(_KEY) or {}
    client_id = stored.get("client_id", "")
    form = GoogleForm(request.POST or None, initial={"client_id": client_id}, stored_id=client_id)
    if form.is_valid():
        typed = form.cleaned_data
        _store(request, typed["client_id"], typed["client_secret"] or stored["client_secret"])
        return redirect("google_setup")
    tested = Tested(**stored["tested"]) if "tested" in stored else None
    context = {
        "form": form,
        "stored": bool(stored),
        "tested": tested,
        "verdict": sentence(tested) if tested else "",
        "redirect_uri": redirect_uri(),
        "origin": settings.BASE_URL,
        "scopes": GMAIL_SCOPES,
    }
    with workspace_scope(request.workspace.id):
        return render(request, "provider/google.html", context, status=422 if form.is_bound else 200)


@require_POST
@asks_provider
@for_admins
def google_test(request: MemberRequest) -> HttpResponse:
    """Test again what is stored."""
    stored = instance_setting(_KEY)
    if stored is not None:
        _store(request, stored["client_id"], stored["client_secret"])
    return redirect("google_setup")


def _store(request: MemberRequest, client_id: str, client_secret: str) -> None:
    tested = ask_google(client_id, client_secret, redirect_uri())
    value = {"client_id": client_id, "client_secret": client_secret, "tested": tested.as_json()}
    workspace_id = request.workspace.id
    with workspace_scope(workspace_id):
        do_instance_setting(key=_KEY, value=value)
        note(request, "google_setup")
