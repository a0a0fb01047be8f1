"""What people type about a contact."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from flowcrm.pages.contacts.company import SEEN, Found, suggested
from flowcrm.pages.forms import Form, LinesField, LinesInput
from flowcrm.store.queries.contacts import ContactRecord
from flowcrm.store.writes.companies import do_name_company
from flowcrm.store.writes.contacts import AddressInvalid, AddressTaken, ContactFields, check_addresses


class ContactForm(Form):
    """One contact; `contact_id` is the one being changed, None for a new one."""

    name = forms.CharField(
        label=_("Name"), max_length=200, error_messages={"required": _("A contact needs a name: the person's, or the address.")}
    )
    addresses = LinesField(
        label=_("Email addresses"),
        required=False,
        help_text=_("Emails from and to these addresses appear on this contact. An address belongs to one contact only."),
        widget=LinesInput(kind="email", one=_("Email address")),
    )
    company = forms.CharField(
        label=_("Company"),
        max_length=200,
        required=False,
        help_text=_("A name that is not there yet makes a new company."),
        widget=forms.TextInput(attrs={"list": "company-names", "autocomplete": "off", "data-suggest": "#company-names"}),
    )
    title = forms.CharField(label=_("Job title"), max_length=200, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=60, required=False, widget=forms.TextInput(attrs={"type": "tel"}))
    note = forms.CharField(label=_("Note"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, workspace_id: int, contact_id: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace_id = workspace_id
        self.contact_id = contact_id

    def clean_addresses(self) -> tuple[str, ...]:
        try:
            return check_addresses(
                workspace_id=self.workspace_id, addresses=self.cleaned_data["addresses"], contact_id=self.contact_id
            )
        except AddressInvalid as error:
            raise ValidationError(
                gettext("%(address)s is not an email address. It should look like anna@example.com.")
                % {"address": error.address}
            ) from error
        except AddressTaken as error:
            raise ValidationError(_taken(error)) from error

    def fields_to_store(self) -> ContactFields:
        """The cleaned values as the store takes them. A company that is not there yet is made now.

        Left empty, the company of a new contact is the one that has the domain of its address, unless somebody has seen it
        suggested and cleared it.
        """
        typed = self.cleaned_data
        found, seen = suggested(self.workspace_id, typed["addresses"]), self.data.get(SEEN, "")
        is_new = found is not None and found.kind is Found.NEW and found.domain == seen
        company_id = do_name_company(
            workspace_id=self.workspace_id, name=typed["company"], domain=found.domain if found and is_new else ""
        )
        if company_id is None and self.contact_id is None and found and not seen:
            company_id = found.company_id
        return ContactFields(
            " ".join(typed["name"].split()), typed["addresses"], typed["title"], typed["phone"], typed["note"], company_id
        )


def initial(contact: ContactRecord) -> dict[str, Any]:
    """A contact as the form shows it first."""
    return {
        "name": contact.name,
        "addresses": contact.addresses,
        "company": contact.company,
        "title": contact.title,
        "phone": contact.phone,
        "note": contact.note,
    }


def _taken(error: AddressTaken) -> str:
    return format_html(
        gettext("{address} already belongs to {contact}. Remove it there first, or leave it out here."),
        address=error.address,
        contact=format_html('<a href="{}">{}</a>', reverse("contact", args=[error.contact_id]), error.contact_name),
    )
