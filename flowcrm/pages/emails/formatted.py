"""The formatted text of an email, for a frame."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from flowcrm.pages.http import MemberRequest


@require_GET
def formatted(request: MemberRequest, message_id: int) -> HttpResponse:
    raise NotImplementedError
