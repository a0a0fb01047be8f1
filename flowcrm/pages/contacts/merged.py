"""Old addresses of contacts that were merged away: whoever has one is led to the contact that they are in now."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from flowcrm.pages.http import MemberRequest
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.contacts import merged_into

View = Callable[..., HttpResponse]


def follows_merged(view: View) -> View:
    """For pages of one contact, which raise NotFound where it is not there. What is sent by a form is not followed: it was
    meant for somebody else's record."""

    @wraps(view)
    def following(request: MemberRequest, contact_id: int, **more: Any) -> HttpResponse:
        try:
            return view(request, contact_id=contact_id, **more)
        except NotFound:
            now = merged_into(request.workspace.id, contact_id) if request.method == "GET" else None
            match = request.resolver_match
            if now is None or match is None or match.url_name is None:
                raise
        asked = request.META.get("QUERY_STRING", "")
        return redirect(f"{reverse(match.url_name, args=[now])}{'?' if asked else ''}{asked}")

    return following
