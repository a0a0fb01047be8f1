"""A new sign-in."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from flowcrm.pages.forms import Form
from flowcrm.pages.zones import zone_choices
from flowcrm.store.models import Person


class NewcomerForm(Form):
    """Name, address, password and time zone of somebody who has no sign-in here yet. taken: what is said of an address that has
    one."""

    taken: str | Promise = _("There is already a sign-in with this address. Sign in, then open the link once more.")

    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        error_messages={"required": _("Enter your name as colleagues know it.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("Your email address"),
        help_text=_("You sign in with it. It need not be a mailbox that you connect."),
        error_messages={
            "required": _("Enter the address that you want to sign in with."),
            "invalid": _("That is not an email address. It should look like anna@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        error_messages={"required": _("Choose a password.")},
        widget=forms.PasswordInput(render_value=True, attrs={"autocomplete": "new-password"}),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        initial="UTC",
        help_text=_("All times are shown to you in this zone."),
        widget=forms.Select(attrs={"data-guess-zone": ""}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = " ".join(password_validators_help_texts()[1:2])

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if Person.objects.filter(email=email).exists():
            raise ValidationError(str(self.taken))
        return email

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data
        if "password" in typed:
            try:
                validate_password(typed["password"], Person(email=typed.get("email", ""), name=typed.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return typed
