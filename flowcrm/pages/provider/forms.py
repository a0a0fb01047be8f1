"""The installation's registration at Google, as its admin enters it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from flowcrm.pages.forms import Form

# What Google's console shows; a secret or a project id in its place is the usual slip.
_ID_ENDS = ".apps.googleusercontent.com"


class GoogleForm(Form):
    """Client id and secret. A stored secret is never shown again; an empty field keeps it, for the same client id."""

    client_id = forms.CharField(
        label=_("Client ID"),
        max_length=300,
        error_messages={"required": _("Enter the client ID; it ends in .apps.googleusercontent.com.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    client_secret = forms.CharField(
        label=_("Client secret"),
        max_length=300,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "mono"}),
    )

    def __init__(self, *args: Any, stored_id: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored_id = stored_id
        if stored_id:
            self.fields["client_secret"].help_text = _("It is stored, sealed. Leave this empty to keep it.")
        else:
            self.fields["client_secret"].required = True
            self.fields["client_secret"].error_messages["required"] = _("Enter the client secret.")

    def clean_client_id(self) -> str:
        client_id: str = self.cleaned_data["client_id"].strip()
        if not client_id.endswith(_ID_ENDS):
            raise ValidationError(_("That is not a client ID: it ends in .apps.googleusercontent.com."))
        return client_id

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data
        typed["client_secret"] = (typed.get("client_secret") or "").strip()
        if not typed["client_secret"] and typed.get("client_id") not in (None, self.stored_id):
            self.add_error("client_secret", ValidationError(_("Another client ID needs its own secret.")))
        return typed
