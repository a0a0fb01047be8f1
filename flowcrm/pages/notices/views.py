"""The bell: a member's notices, as a sheet below it on every page, and as a page of their own."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from flowcrm.pages.http import MemberRequest
from flowcrm.post.words import Said, said
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.notices import MOST, NoticeRow, notices, unread
from flowcrm.store.vaults import vault
from flowcrm.store.writes.notices import do_read

# As many as the sheet below the bell has room for.
_LATEST = 8


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """All of 90 days. Looking at the list reads nothing: a notice is read by opening it, or all by the button."""
    return render(request, "notices/index.html", _context(request, MOST))


@require_GET
def latest(request: MemberRequest) -> HttpResponse:
    """The newest, for the sheet."""
    return render(request, "notices/latest.html", _context(request, _LATEST))


@require_GET
def bell(request: MemberRequest) -> HttpResponse:
    """How many are unread; 204 if that is what the page shows already, so that screen readers do not say it twice."""
    count = unread(request.member)
    if request.GET.get("shown") == str(count):
        return HttpResponse(status=204)
    return render(request, "notices/said.html", {"unread": count, "elsewhere": True})


@require_GET
def open_notice(request: MemberRequest, notice_id: int) -> HttpResponse:
    """Read it, and go where it can be mended or seen."""
    found = notices(vault(request.workspace.id), request.member, notice_id=notice_id)
    if not found:
        raise NotFound
    do_read(workspace_id=request.workspace.id, member_id=request.member.id, notice_id=notice_id)
    return redirect(said(found[0], request.member).place)


@require_POST
def read_all(request: MemberRequest) -> HttpResponse:
    """Mark all read."""
    do_read(workspace_id=request.workspace.id, member_id=request.member.id)
    if request.htmx:
        return render(request, "notices/latest.html", _context(request, _LATEST) | {"elsewhere": True})
    return redirect("notices")


def _context(request: MemberRequest, at_most: int) -> dict[str, object]:
    found = notices(vault(request.workspace.id), request.member, at_most=at_most)
    lines: list[tuple[NoticeRow, Said]] = [(one, said(one, request.member)) for one in found]
    return {"lines": lines, "unread": unread(request.member)}
