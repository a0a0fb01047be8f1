"""What a view of ours is given, and how htmx asks for a part of a page."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from flowcrm.store.models import Member, Workspace
from flowcrm.store.queries.members import Counts

View = TypeVar("View", bound=Callable[..., HttpResponse])


class MemberRequest(HttpRequest):
    """The request of a signed-in member, inside the workspace's scope (WorkspaceScope has seen to both). counts: once the
    page's frame has asked for them."""

    member: Member
    workspace: Workspace
    counts: Counts
    htmx: HtmxDetails


def asks_provider(view: View) -> View:
    """Marks a view that speaks to a provider: no transaction may stand open meanwhile, so it opens its scopes by itself."""
    view.asks_provider = True  # type: ignore[attr-defined]
    return view
