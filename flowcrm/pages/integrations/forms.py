"""What may come in: the form of a mailbox's settings, the same after connecting and later."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from flowcrm.lib import clock
from flowcrm.pages.forms import Form, LevelCards, OptionCards
from flowcrm.pages.integrations.wording import wording
from flowcrm.pages.integrations.words import INTERVALS, SELECTIONS, STAYING
from flowcrm.pages.words import LEVELS
from flowcrm.store.models import Mailbox
from flowcrm.store.queries.changes import Settings
from flowcrm.store.queries.mailboxes import LabelRow
from flowcrm.store.writes.mailbox import Selection

DEFAULT_MONTHS = "6"
_EVERYTHING, _DAY, _AS_NOW = "everything", "day", "as_now"
_SINCE = [
    ("1", _("1 month ago")),
    ("3", _("3 months ago")),
    ("6", _("6 months ago")),
    ("12", _("12 months ago")),
    (_EVERYTHING, _("the beginning: everything")),
    (_DAY, _("a day of your choice")),
]


class ChoiceForm(Form):
    """One mailbox's settings. Its labels are those that the provider had when it was last asked."""

    selection = forms.ChoiceField(
        label=_("What to sync"),
        choices=list(SELECTIONS.items()),
        widget=OptionCards,
        error_messages={"required": _("Choose what may come in.")},
    )
    labels = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    since = forms.ChoiceField(label=_("Import since"), choices=_SINCE)
    since_day = forms.DateField(
        label=_("Day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a day, for instance 2026-05-23.")},
    )
    interval_s = forms.TypedChoiceField(label=_("Sync frequency"), choices=list(INTERVALS.items()), coerce=int)

    on_leave = forms.ChoiceField(choices=list(STAYING.items()))
    on_delete = forms.ChoiceField(choices=list(STAYING.items()))
    level = forms.ChoiceField(label=_("Who may see it"), choices=list(LEVELS.items()), widget=LevelCards)

    def __init__(self, *args: Any, mailbox: Mailbox, labels: Sequence[LabelRow], default_level: str, **kwargs: Any) -> None:
        super().__init__(*args, initial=_initial(mailbox, labels, default_level), **kwargs)
        self.mailbox = mailbox
        self.wording = wording(mailbox.kind)
        chosen = {**SELECTIONS, "labels": self.wording.chosen}
        self.fields["selection"].choices = list(chosen.items())  # type: ignore[attr-defined]
        self.fields["labels"].label = str(self.wording.folders)
        self.fields["on_leave"].label = str(self.wording.leave)
        self.fields["on_delete"].label = str(self.wording.delete)
        # A deleted label can be taken out of the choice, and not be put back.
        self.fields["labels"].choices = [(one.provider_id, one.name) for one in labels if not one.gone]  # type: ignore[attr-defined]
        if mailbox.import_from is not None:
            self.fields["since"].choices = [(_AS_NOW, _as_now(mailbox.since)), *_SINCE]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data
        if typed.get("selection") == "labels" and not typed.get("labels") and "labels" not in self.errors:
            self.add_error("labels", ValidationError(str(self.wording.choose_one)))
        if typed.get("since") == _DAY and "since_day" not in self.errors:
            self._check_day(typed.get("since_day"))
        return typed

    def _check_day(self, chosen: date | None) -> None:
        if chosen is None:
            self.add_error("since_day", ValidationError(_("Enter the day from which emails should come in.")))
        elif chosen > timezone.localtime(clock.now()).date():
            self.add_error("since_day", ValidationError(_("That day is still to come. Choose today or a day before.")))

    def chosen(self) -> Selection:
        """The cleaned values as the store takes them."""
        typed = self.cleaned_data
        labels = frozenset(typed["labels"]) if typed["selection"] == "labels" else frozenset()
        return Selection(typed["selection"], self._since(), typed["interval_s"], labels)

    def settings(self) -> Settings:
        """All that is set by the cleaned values."""
        typed, chosen = self.cleaned_data, self.chosen()
        return Settings(
            *(chosen.selection, chosen.since, chosen.interval_s, chosen.folder_ids),
            *(typed["on_leave"], typed["on_delete"], typed["level"]),
        )

    def only_interval(self, labels: Sequence[LabelRow]) -> bool:
        """Whether what comes in stays as it is: then nothing needs to be listed again."""
        chosen, mailbox = self.chosen(), self.mailbox
        before = frozenset(one.provider_id for one in labels if one.chosen)
        same_labels = chosen.selection != "labels" or chosen.folder_ids == before
        since_stays = self.cleaned_data["since"] == _AS_NOW
        return mailbox.state == "on" and chosen.selection == mailbox.selection and same_labels and since_stays

    def _since(self) -> datetime | None:
        since = self.cleaned_data["since"]
        if since == _AS_NOW:
            return self.mailbox.since
        if since == _EVERYTHING:
            return None
        today = timezone.localtime(clock.now()).date()
        return _midnight(self.cleaned_data["since_day"] if since == _DAY else months_before(today, int(since)))


def months_before(today: date, months: int) -> date:
    """The same day of the month so many months ago, or the last one where that month is shorter."""
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    for last in (today.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(today.day, last))
        except ValueError:
            continue
    raise ValueError(f"no such day: {year}-{month + 1}-{today.day}")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=timezone.get_current_timezone())


def _initial(mailbox: Mailbox, labels: Sequence[LabelRow], default_level: str) -> dict[str, Any]:
    return {
        # Nothing of a mailbox has been read before its owner has chosen: until then nobody sees anything of it.
        "level": default_level if mailbox.import_from is None else mailbox.level,
        "selection": mailbox.selection,
        "labels": [one.provider_id for one in labels if one.chosen],
        "since": DEFAULT_MONTHS if mailbox.import_from is None else _AS_NOW,
        "interval_s": mailbox.interval_s,
        "on_leave": mailbox.on_leave,
        "on_delete": mailbox.on_delete,
    }


def _as_now(since: datetime | None) -> str:
    if since is None:
        return gettext("the beginning, as now")
    return gettext("%(day)s, as now") % {"day": date_format(timezone.localtime(since), gettext("j F Y"))}
