"""Help: an index and short articles."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from flowcrm.pages.help.articles import ARTICLES, BY_SLUG
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.words import LEVELS


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    return render(request, "help/index.html", {"articles": ARTICLES})


@require_GET
def article(request: MemberRequest, article: str) -> HttpResponse:
    found = BY_SLUG.get(article)
    if found is None:
        raise Http404
    others = [one for one in ARTICLES if one is not found]
    return render(request, found.template, {"article": found, "others": others, "levels": LEVELS})
