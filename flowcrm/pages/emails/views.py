"""Emails: the list of threads."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from flowcrm.pages.http import MemberRequest


@require_GET
def home(_request: MemberRequest) -> HttpResponse:
    """Where a member begins."""
    return redirect("emails")


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    return render(request, "emails/list.html")
