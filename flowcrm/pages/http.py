"""What a view of ours is given, and how htmx asks for a part of a page."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from flowcrm.store.models import Member, Workspace


class MemberRequest(HttpRequest):
    """The request of a signed-in member, inside the workspace's scope (WorkspaceScope has seen to both)."""

    member: Member
    workspace: Workspace
    htmx: HtmxDetails
