"""End mails of one kind by the address that stands in them: by a button, or by the mail program itself (RFC 8058)."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from flowcrm.post.notice_letter import WHEN
from flowcrm.post.stopping import NoSuchStop, read_stop
from flowcrm.store.db import workspace_scope
from flowcrm.store.writes.notice_mail import do_stop_mail


# The signature in the address says that it may; a mail program has neither cookie nor token.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
def stop_mail(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, since programs that check links open them; POST does it."""
    try:
        stop = read_stop(token)
    except NoSuchStop:
        raise Http404 from None
    done = request.method == "POST"
    if done:
        with workspace_scope(stop.workspace_id):
            do_stop_mail(workspace_id=stop.workspace_id, member_id=stop.member_id, group=stop.group)
    return render(request, "notices/stop_mail.html", {"when": WHEN[stop.group], "done": done})
