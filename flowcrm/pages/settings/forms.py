"""What a member says of himself, and an admin for the account."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from flowcrm.pages.forms import Form, LevelCards
from flowcrm.pages.words import LEVELS
from flowcrm.pages.zones import zone_choices
from flowcrm.post.notice_letter import WHEN


class ProfileForm(Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        error_messages={"required": _("Enter your name as colleagues know it.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, help_text=_("All times are shown to you in this zone.")
    )


class MailForm(Form):
    """What a member hears of by email; a box for each group of notices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for group, words in WHEN.items():
            self.fields[group] = forms.BooleanField(label=cast(str, words), required=False)

    @property
    def chosen(self) -> frozenset[str]:
        return frozenset(name for name, wanted in self.cleaned_data.items() if wanted)


class DefaultLevelForm(Form):
    """What is preselected for mailboxes that are connected from now on."""

    default_level = forms.ChoiceField(label=_("Preselected for new mailboxes"), choices=list(LEVELS.items()), widget=LevelCards)
