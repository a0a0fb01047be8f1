"""What people type about a company."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from flowcrm.pages.forms import Form, LinesField, LinesInput
from flowcrm.store.writes.companies import (
    DomainInvalid,
    DomainOfEverybody,
    DomainTaken,
    NameTaken,
    check_company_name,
    check_domains,
)


class CompanyForm(Form):
    """One company; `company_id` is the one being changed, None for a new one."""

    name = forms.CharField(label=_("Name"), max_length=200, error_messages={"required": _("A company needs a name.")})
    domains = LinesField(
        label=_("Domains"),
        required=False,
        help_text=_(
            "Where its people's addresses end, for instance example.com; what lies below it counts too. New contacts with such "
            "an address become this company's. A domain belongs to one company only."
        ),
        widget=LinesInput(kind="text", one=_("Domain")),
    )

    def __init__(self, *args: Any, workspace_id: int, company_id: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace_id = workspace_id
        self.company_id = company_id

    def clean_name(self) -> str:
        try:
            return check_company_name(
                workspace_id=self.workspace_id, name=self.cleaned_data["name"], company_id=self.company_id
            )
        except NameTaken as error:
            raise ValidationError(
                format_html(
                    gettext("There is already a company called {company}."), company=_link(error.company_id, error.name)
                )
            ) from error

    def clean_domains(self) -> tuple[str, ...]:
        try:
            return check_domains(
                workspace_id=self.workspace_id, domains=self.cleaned_data["domains"], company_id=self.company_id
            )
        except DomainInvalid as error:
            raise ValidationError(
                gettext("%(domain)s is not a domain. It should look like example.com.") % {"domain": error.domain}
            ) from error
        except DomainOfEverybody as error:
            raise ValidationError(
                gettext(
                    "At %(domain)s anybody can have an address, so it cannot tell who belongs to a company. Leave it out, and "
                    "name the company on the contact instead."
                )
                % {"domain": error.domain}
            ) from error
        except DomainTaken as error:
            raise ValidationError(
                format_html(
                    gettext("{domain} already belongs to {company}. Remove it there first, or leave it out here."),
                    domain=error.domain,
                    company=_link(error.company_id, error.company_name),
                )
            ) from error


def _link(company_id: int, name: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("company", args=[company_id]), name)
