"""What a member says of himself."""

from django import forms
from django.utils.translation import gettext_lazy as _

from flowcrm.pages.forms import Form
from flowcrm.pages.zones import zone_choices


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
