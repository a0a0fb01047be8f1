"""Settings, Outgoing email: whether the operator has named a mail server, and a test of it. For admins."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from flowcrm.pages.http import MemberRequest, asks_provider
from flowcrm.pages.notes import note
from flowcrm.pages.words import Text
from flowcrm.post.sending import mail_server, post, test_letter
from flowcrm.post.server import Security, Server
from flowcrm.post.smtp import NotSent, Unsure
from flowcrm.post.trouble import sentence
from flowcrm.store.db import workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.outgoing import waiting
from flowcrm.store.writes.outgoing import TooMany, check_test, do_settle

_WAYS: dict[Security, Text] = {
    Security.STARTTLS: gettext_lazy("TLS, begun by STARTTLS; the certificate is checked"),
    Security.TLS: gettext_lazy("TLS from the first byte; the certificate is checked"),
    Security.NONE: gettext_lazy("without TLS, on this machine only"),
}


@require_http_methods(["GET", "POST"])
@asks_provider
def sending(request: MemberRequest) -> HttpResponse:
    """How it is set up; POST: send a test to whoever asks."""
    if not request.member.is_admin:
        raise NotFound
    server = mail_server()
    if request.method == "POST" and server is not None:
        _test(request, server)
        return redirect("sending")
    with workspace_scope(request.workspace.id):
        context = {
            "server": server,
            "way": _WAYS[server.security] if server else "",
            "waits": waiting(request.workspace.id),
        }
        return render(request, "settings/sending.html", context)


def _test(request: MemberRequest, server: Server) -> None:
    workspace_id, to = request.workspace.id, str(request.user.email)  # type: ignore[union-attr]
    try:
        with workspace_scope(workspace_id):
            mail = check_test(workspace_id=workspace_id, by_id=request.member.id)
            note(request, "mail_test")
    except TooMany:
        messages.error(request, _("Enough tests were sent in the last hour. Try again later."))
        return
    state, reason = "sent", ""
    try:
        post(server, to, test_letter())
    except NotSent as error:
        state, reason = "unsure" if isinstance(error, Unsure) else "failed", str(error.reason)
        messages.error(request, sentence(error))
    else:
        messages.success(request, _("The mail server has taken it. Look into the inbox of %(address)s.") % {"address": to})
    with workspace_scope(workspace_id):
        do_settle(mail, state, reason=reason)
