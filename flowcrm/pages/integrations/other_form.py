"""A mailbox at a server that its owner names: what he has to say of it."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from flowcrm.lib.hosts import wire_host
from flowcrm.mail.addresses import is_domain, normalise
from flowcrm.mail.types import Security, ServerLogin
from flowcrm.pages.forms import Form

_PORTS = {Security.TLS: 993, Security.STARTTLS: 143, Security.NONE: 143}
_SECURITY = [(Security.TLS.value, _("TLS (usual)")), (Security.STARTTLS.value, _("STARTTLS"))]
_PLAIN = (Security.NONE.value, _("None, on this machine only"))
_MOST_ALIASES = 50


class OtherForm(Form):
    """address: of a mailbox that is to be connected again; it is not to be changed then."""

    address = forms.CharField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": _("Enter the mailbox's email address.")},
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=500,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Many providers want a password made for this app; it can be withdrawn there by itself."),
        error_messages={"required": _("Enter the password.")},
    )
    host = forms.CharField(
        label=_("IMAP server"),
        max_length=253,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "imap.example.com"}),
        error_messages={"required": _("Enter the server, as your provider's help names it: often imap. and the domain.")},
    )
    security = forms.ChoiceField(label=_("Encryption"), choices=_SECURITY)
    port = forms.IntegerField(
        label=_("Port"),
        required=False,
        min_value=1,
        max_value=65535,
        help_text=_("Empty: 993 with TLS, 143 with STARTTLS."),
        error_messages={
            "invalid": _("A port is a number from 1 to 65535."),
            "min_value": _("A port is a number from 1 to 65535."),
            "max_value": _("A port is a number from 1 to 65535."),
        },
    )
    user = forms.CharField(
        label=_("User name"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
        help_text=_("Empty: the email address."),
    )
    aliases = forms.CharField(
        label=_("Other addresses that you send from"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("So that your own emails are known as yours. Parted by spaces, commas or lines."),
    )

    def __init__(self, *args: Any, address: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.ALLOW_LOOPBACK_PROVIDERS:
            self.fields["security"].choices = [*_SECURITY, _PLAIN]  # type: ignore[attr-defined]
        self.again = address
        if address:
            self.fields["address"].disabled = True
            self.initial["address"] = address

    def clean_address(self) -> str:
        address = normalise(self.cleaned_data["address"])
        if not _is_address(address):
            raise ValidationError(_("That is not an email address: it needs a name, @ and a domain."))
        return address

    def clean_host(self) -> str:
        try:
            return wire_host(self.cleaned_data["host"])
        except ValueError:
            raise ValidationError(_("That is not a server's name: for instance imap.example.com, without https://.")) from None

    def clean_user(self) -> str:
        return _printable(self.cleaned_data["user"].strip())

    def clean_password(self) -> str:
        return _printable(self.cleaned_data["password"])

    def clean_aliases(self) -> tuple[str, ...]:
        typed = [normalise(one) for one in re.split(r"[\s,;]+", self.cleaned_data["aliases"]) if one]
        for one in typed:
            if not _is_address(one):
                raise ValidationError(_("%(text)s is not an email address.") % {"text": one})
        if len(typed) > _MOST_ALIASES:
            raise ValidationError(_("At most %(most)s addresses.") % {"most": _MOST_ALIASES})
        return tuple(dict.fromkeys(typed))

    def login(self) -> ServerLogin:
        """The cleaned values."""
        typed = self.cleaned_data
        security = Security(typed["security"])
        port = typed["port"] or _PORTS[security]
        return ServerLogin(typed["host"], port, security, typed["user"] or typed["address"], typed["password"])


def _is_address(text: str) -> bool:
    name, at, domain = text.rpartition("@")
    return bool(name and at and text.isprintable() and " " not in text and is_domain(domain))


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValidationError(_("It holds a character that cannot be typed. Enter it anew."))
    return text
