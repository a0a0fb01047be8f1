"""Companies: list, record, create, change; and names for the contact's form."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from flowcrm.pages.companies.forms import CompanyForm
from flowcrm.pages.forms import checked
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.lists import as_text, place_after, typed_filter
from flowcrm.store.queries.companies import access_company, company_names, company_page
from flowcrm.store.queries.contacts import contact_page
from flowcrm.store.writes.companies import do_change_company, do_create_company


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """All companies by name, or those of which a word or a domain begins like the filter."""
    typed = typed_filter(request)
    page = company_page(request.workspace.id, prefix=typed, after=place_after(request))
    template = "companies/rows.html" if request.htmx else "companies/list.html"
    return render(request, template, {"page": page, "after": as_text(page.after), "typed": typed})


@require_GET
def record(request: MemberRequest, company_id: int) -> HttpResponse:
    """Tab Overview: domains, and a page of its contacts."""
    company = access_company(request.workspace.id, company_id)
    page = contact_page(request.workspace.id, company_id=company_id, after=place_after(request))
    template = "contacts/rows.html" if request.htmx else "companies/overview.html"
    return render(request, template, {"company": company, "page": page, "after": as_text(page.after), "of_company": True})


@require_http_methods(["GET", "POST"])
def create(request: MemberRequest) -> HttpResponse:
    form = CompanyForm(request.POST or None, workspace_id=request.workspace.id, check_url=request.path)
    if "check" in request.POST:
        return checked(request, form)
    if form.is_valid():
        company_id = do_create_company(workspace_id=request.workspace.id, **form.cleaned_data)
        messages.success(request, _("Company saved."))
        return redirect("company", company_id)
    return render(request, "companies/form.html", {"form": form})


@require_http_methods(["GET", "POST"])
def change(request: MemberRequest, company_id: int) -> HttpResponse:
    company = access_company(request.workspace.id, company_id)
    form = CompanyForm(
        request.POST or None,
        initial={"name": company.name, "domains": company.domains},
        workspace_id=request.workspace.id,
        company_id=company_id,
        check_url=request.path,
    )
    if "check" in request.POST:
        return checked(request, form)
    if form.is_valid():
        do_change_company(workspace_id=request.workspace.id, company_id=company_id, **form.cleaned_data)
        messages.success(request, _("Company saved."))
        return redirect("company", company_id)
    return render(request, "companies/form.html", {"form": form, "company": company})


@require_GET
def names(request: MemberRequest) -> HttpResponse:
    """Options for the contact form's company field."""
    found = company_names(request.workspace.id, request.GET.get("company", "")[:200])
    return render(request, "companies/names.html", {"names": found})
