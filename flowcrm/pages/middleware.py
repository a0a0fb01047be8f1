"""Two things that hold for every page: what a browser may load, and in whose workspace a view runs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from flowcrm.pages.http import MemberRequest
from flowcrm.store.db import workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.members import Membership, any_workspace, memberships

GetResponse = Callable[[HttpRequest], HttpResponseBase]
View = Callable[..., HttpResponseBase]

# The chosen account of a person who has several.
SESSION_WORKSPACE = "workspace"


class ContentSecurityPolicy:
    """Nothing but our own files: no inline script or style, no other host. A view may set a stricter policy of its own.

    Outermost but one, so that error pages carry the headers too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.policy = _policy(settings.GOOGLE_AUTH_URL)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        # What a member saw must not be found in the browser's cache by the next person at the same machine.
        if hasattr(request, "member"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def _policy(auth_url: str) -> str:
    # Browsers hold form-action against redirects too: Connect is a form, and its answer leads to the provider.
    provider = "{0.scheme}://{0.netloc}".format(urlsplit(auth_url))
    return "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data:",  # data: for the QR code of an authenticator app
            "object-src 'none'",
            "base-uri 'none'",
            f"form-action 'self' {provider}",
            "frame-src 'self'",
            "frame-ancestors 'self'",
        )
    )


class WorkspaceScope:
    """Runs every view inside its member's workspace: one transaction, row-level security set, the member's time zone.

    The view's template is rendered in it too, and an exception rolls it back. Views for everybody are marked with Django's
    `login_not_required`; all others need a signed-in person with a membership. Must be the last middleware: it calls the view.
    allauth's views are let pass, since its own middleware must see their exceptions; they read nothing of a workspace.
    A view that asks a provider (pages.http.asks_provider) opens its scopes by itself, around the network call and not over it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponseBase | None:
        if not getattr(view, "login_required", True):
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        membership = _chosen(request, memberships(request.user.pk))
        if membership is None:
            return render(request, "errors/no_account.html", status=403)
        member, workspace = membership.member, membership.workspace
        request.member, request.workspace = member, workspace  # type: ignore[attr-defined]
        if view.__module__.startswith("allauth."):
            return None
        scope = nullcontext() if getattr(view, "asks_provider", False) else workspace_scope(workspace.id)
        with scope, timezone.override(ZoneInfo(member.time_zone)):
            return _run(view, request, args, kwargs)


def _run(view: View, request: HttpRequest, args: Sequence[Any], kwargs: Mapping[str, Any]) -> HttpResponseBase:
    try:
        response = view(request, *args, **kwargs)
    except NotFound as missing:
        raise Http404 from missing
    # Otherwise it would be rendered after the scope has closed.
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        return response.render()
    return response


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if getattr(request, "htmx", False):
        # A part of a page cannot hold the sign-in: lead the whole window there, and back to the page it was on.
        page = urlsplit(request.htmx.current_url or "/")  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(redirect_to_login(page.path)["Location"])
    if not any_workspace():
        return redirect("set_up")
    return redirect_to_login(request.get_full_path())


def _chosen(request: HttpRequest, found: tuple[Membership, ...]) -> Membership | None:
    wanted = request.session.get(SESSION_WORKSPACE)
    return next((one for one in found if one.workspace.id == wanted), found[0] if found else None)


__all__ = ["SESSION_WORKSPACE", "ContentSecurityPolicy", "MemberRequest", "WorkspaceScope"]
