"""The formatted text of an email: a document of its own, for a frame in which nothing runs.

Four layers: mail.html cleans it; this document's own policy allows no script and no form, and pictures and fonts only from
here; the frame's sandbox and the policy's `sandbox` both withhold scripts, also where somebody opens the address by itself;
and pictures from elsewhere are loaded only when asked for. `allow-same-origin` is there so that the page can read the frame's
height and the email's own pictures come with the reader's session; without `allow-scripts` nothing inside can use it.
"""

import re
from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from flowcrm.mail.html import clean
from flowcrm.pages.emails.bodies import trouble
from flowcrm.pages.emails.lists import who_looks
from flowcrm.pages.emails.stream import PICTURES
from flowcrm.pages.http import MemberRequest
from flowcrm.store.reveal import Opened, reveal_message
from flowcrm.vault.errors import VaultError

_POLICY = (
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self' data:{images}; "
    "style-src 'self' 'unsafe-inline'; font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
# An email with colours of its own was made for white paper; one without follows the reader's light or dark.
_COLOURED = re.compile(r"color\s*[:=]|background", re.IGNORECASE)


@require_GET
def formatted(request: MemberRequest, message_id: int) -> HttpResponse:
    """The email's HTML, cleaned; its plain text where it has none. `images`: also load pictures from other servers."""
    with_images = request.GET.get("images") == "1"
    try:
        opened = reveal_message(who_looks(request), message_id, "formatted", parse_at_most=None)
    except VaultError as error:
        return _framed(render(request, "emails/formatted.html", {"trouble": trouble(error)}, status=503), with_images=False)
    cleaned = clean(opened.html or "", images="allowed" if with_images else "blocked", cid=_pictures(opened))
    context = {
        # Safe: nh3 has made it from an allow-list (mail.html), and the policy above holds whatever it let pass.
        "html": mark_safe(cleaned.html) if opened.html is not None else "",
        "text": opened.text if opened.html is None else "",
        "paper": bool(_COLOURED.search(cleaned.html)),
        "blocked": 0 if with_images else cleaned.remote_images,
        "load_images": f"{request.path}?{urlencode({'images': 1})}",
        "theme": request.COOKIES.get("theme", ""),
    }
    return _framed(render(request, "emails/formatted.html", context), with_images=with_images)


def _pictures(opened: Opened) -> Callable[[str], str | None]:
    """Where the email's own pictures are, by content id."""
    places = {
        file.content_id.lower(): f"{reverse('email_file', args=[file.id])}?inline=1"
        for file in opened.files
        if file.content_id and file.type.lower() in PICTURES and not file.over_limit
    }
    return lambda content_id: places.get(content_id.lower())


def _framed(response: HttpResponse, *, with_images: bool) -> HttpResponse:
    response["Content-Security-Policy"] = _POLICY.format(images=" https:" if with_images else "")
    response["Referrer-Policy"] = "no-referrer"
    return response
