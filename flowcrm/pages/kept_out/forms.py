"""What a member wants kept out."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from flowcrm.mail.exclusion import ListEntry
from flowcrm.pages.forms import Form
from flowcrm.store.writes.exclusions import EntryInvalid, check_entry

MINE, ACCOUNT = "mine", "account"
# For whom, as members and as admins may choose.
SCOPES = [(MINE, _("my mailboxes")), (ACCOUNT, _("everybody in the account"))]


class EntryForm(Form):
    """One entry, and for whom it is. Only admins are offered the account."""

    entry = forms.CharField(
        label=_("Address or domain"),
        max_length=300,
        help_text=_("anna@example.com for one address, example.com for everybody there and at domains below it."),
        error_messages={"required": _("Enter an email address or a domain.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    scope = forms.ChoiceField(label=_("For"), choices=SCOPES)

    def __init__(self, *args: Any, admin: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not admin:
            self.fields["scope"].choices = SCOPES[:1]  # type: ignore[attr-defined]
            self.fields["scope"].widget = forms.HiddenInput()

    def clean_entry(self) -> ListEntry:
        try:
            return check_entry(self.cleaned_data["entry"])
        except EntryInvalid as error:
            raise ValidationError(
                gettext("“%(typed)s” is neither an address nor a domain. Write anna@example.com, or example.com for all there.")
                % {"typed": error.typed}
            ) from error

    @property
    def for_account(self) -> bool:
        return bool(self.cleaned_data.get("scope") == ACCOUNT)
