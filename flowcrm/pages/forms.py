"""Forms as we draw them: label, field, hint, and the error at the field, checked on leaving it.

A form whose view can check one field at a time is made with `check_url`: htmx then posts the form there with `check=<field>`,
and the view answers with `checked(...)`, the errors of that field.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict


class Renderer(DjangoTemplates):
    field_template_name = "parts/field.html"


class Form(forms.Form):
    """The base of all our forms."""

    default_renderer = Renderer()
    use_required_attribute = False  # the browser's own bubbles would come before our sentences

    def __init__(self, *args: Any, check_url: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What a clean_<field> has to say about a value that is right ("acme is free").
        self.good_news: dict[str, str] = {}
        if check_url:
            for name, field in self.fields.items():
                self._check_on_leaving(name, field, check_url)

    def _check_on_leaving(self, name: str, field: forms.Field, url: str) -> None:
        # htmx sends the whole form along, since one field may depend on another. A field that is left for the button is checked
        # with the form: until the button is pressed, the check waits (static/js/app.js).
        wanted = {
            "hx-post": url,
            "hx-trigger": "change delay:150ms",
            "hx-target": f"#id_{name}_check",
            "hx-vals": f'{{"check": "{name}"}}',
        }
        field.widget.attrs = {**wanted, **field.widget.attrs}


def checked(request: HttpRequest, form: Form) -> HttpResponse:
    """What there is to say about the one field that was left, to be put below it."""
    name = request.POST["check"]
    if name not in form.fields:
        return HttpResponseBadRequest()
    # Asking for the errors is what runs the checks, and with them the good news.
    return render(request, "parts/checked.html", {"errors": form[name].errors, "good_news": form.good_news.get(name, "")})


class LinesInput(forms.Widget):
    """Several values of one kind, an input each, and always one empty input more."""

    template_name = "parts/lines.html"
    use_fieldset = True

    def __init__(self, *, kind: str, one: Any, attrs: dict[str, Any] | None = None) -> None:
        """kind: the inputs' HTML type. one: what a single value is called, for screen readers."""
        super().__init__(attrs)
        self.kind = kind
        self.one = one

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"] |= {"values": [*(value or ()), ""], "kind": self.kind, "one": self.one}
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:  # noqa: ARG002  # Django's signature
        return data.getlist(name) if isinstance(data, MultiValueDict) else list(data.get(name, ()))

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0"


class LinesField(forms.Field):
    """Cleans to a tuple of what was filled in, without blanks around."""

    def to_python(self, value: Any) -> tuple[str, ...]:
        lines = (str(line).replace("\x00", "").strip() for line in value or ())
        return tuple(line for line in lines if line)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


class OptionCards(forms.RadioSelect):
    """A choice whose options need explaining. The choices' labels are `Option`s (words.py)."""

    template_name = "parts/option_cards.html"


class LevelCards(OptionCards):
    """The same for levels, each with a small drawing of what colleagues see of an email."""

    template_name = "parts/level_cards.html"
