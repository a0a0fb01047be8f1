"""The one form of a fresh installation."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from flowcrm.pages.forms import OptionCards
from flowcrm.pages.newcomer import NewcomerForm
from flowcrm.pages.words import LEVELS, PLANS
from flowcrm.store.writes.setup import CodeDead, CodeWrong, FirstPerson
from flowcrm.store.writes.workspaces import (
    LONGEST_NAME,
    AccountNameInvalid,
    AccountNameTaken,
    NewWorkspace,
    check_account_name,
)


class SetupForm(NewcomerForm):
    """Who sets up, and what the account is called. The code is looked at by the view, once all else is right: guesses count."""

    taken = _("There is already a sign-in with this address.")
    field_order = ("code", "name", "email", "password")

    code = forms.CharField(
        label=_("Code from the terminal"),
        max_length=40,
        error_messages={"required": _("Enter the code that FlowCRM showed on the terminal when it started.")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "class": "mono", "placeholder": "XXXX-XXXX-XXXX"}),
    )
    title = forms.CharField(
        label=_("Company or team"),
        max_length=120,
        error_messages={"required": _("Enter what your account is called.")},
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    slug = forms.CharField(
        label=_("Account name"),
        max_length=LONGEST_NAME,
        help_text=_("Short, for addresses: a to z, 0 to 9 and hyphens."),
        error_messages={"required": _("Choose a short name, for instance acme.")},
        widget=forms.TextInput(
            attrs={
                "hx-trigger": "input changed delay:300ms",
                "data-slug-of": "#id_title",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    plan = forms.ChoiceField(label=_("Plan"), choices=list(PLANS.items()), initial="professional", widget=OptionCards)
    default_level = forms.ChoiceField(
        label=_("What colleagues see of somebody's emails"),
        choices=list(LEVELS.items()),
        initial="people_and_times",
        widget=OptionCards,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].help_text = _(
            "Yours, and the one in which the account's day begins at midnight. You can change yours later."
        )

    def clean_slug(self) -> str:
        try:
            slug = check_account_name(self.cleaned_data["slug"])
        except AccountNameInvalid as error:
            raise ValidationError(_("Only a to z, 0 to 9 and single hyphens between them.")) from error
        except AccountNameTaken as error:
            raise ValidationError(_("Another account has that name. Choose another one.")) from error
        self.good_news["slug"] = gettext("%(name)s is free.") % {"name": slug}
        return slug

    def refuse_code(self, error: CodeWrong | CodeDead) -> None:
        """Say at the field what the store said about the code."""
        self.add_error("code", _code_sentence(error))

    def person(self) -> FirstPerson:
        return FirstPerson(self.cleaned_data["name"], self.cleaned_data["email"], self.cleaned_data["password"])

    def workspace(self) -> NewWorkspace:
        typed = self.cleaned_data
        return NewWorkspace(typed["title"], typed["slug"], typed["plan"], typed["time_zone"], typed["default_level"])


def _code_sentence(error: CodeWrong | CodeDead) -> str:
    if isinstance(error, CodeWrong) and error.tries_left:
        return ngettext(
            "That is not the code. One try is left.", "That is not the code. %(count)d tries are left.", error.tries_left
        ) % {"count": error.tries_left}
    return gettext("This code no longer works. Stop FlowCRM on the terminal and start it again: it shows a new one.")
