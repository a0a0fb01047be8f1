"""Content of emails as bytes: an attachment, the original. Each download is a record of its own."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from flowcrm.pages.emails.bodies import trouble
from flowcrm.pages.emails.lists import who_looks
from flowcrm.pages.emails.stream import download, in_pieces
from flowcrm.pages.http import MemberRequest
from flowcrm.store.reveal import reveal_attachment, reveal_original
from flowcrm.vault.errors import VaultError


@require_GET
def attachment(request: MemberRequest, attachment_id: int) -> HttpResponseBase:
    """An attachment, saved; with `inline` a picture that a formatted text shows by its content id."""
    inline = "inline" in request.GET
    try:
        opened = reveal_attachment(who_looks(request), attachment_id, "inline" if inline else "download")
    except VaultError as error:
        return _cannot(request, error)
    file = opened.file
    return download(in_pieces(opened.content), name=file.name, type=file.type, size=len(opened.content), inline=inline)


@require_GET
def original(request: MemberRequest, message_id: int) -> HttpResponseBase:
    """The email byte for byte, in a stream."""
    try:
        opened = reveal_original(who_looks(request), message_id, "download")
    except VaultError as error:
        return _cannot(request, error)
    # A subject is no path: its slashes must not cut it short.
    subject = opened.subject.replace("/", "-").replace("\\", "-").strip()
    return download(opened.pieces, name=f"{subject or message_id}.eml", type="message/rfc822", size=opened.size)


def _cannot(request: MemberRequest, error: VaultError) -> HttpResponse:
    return render(request, "emails/trouble.html", {"trouble": trouble(error)}, status=503)
