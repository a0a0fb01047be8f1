"""What other settings would mean, shown before they are saved: asked at the provider, live, a slice at a time. Between two
looks only the page knows how far it is, sealed; nothing of it is stored."""

import base64
import binascii
import hashlib
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from flowcrm.lib import clock
from flowcrm.mail.errors import MailError, RateLimited
from flowcrm.mailboxes.connect import mailbox_address
from flowcrm.mailboxes.open import open_connector
from flowcrm.mailboxes.snapshot import read_snapshot
from flowcrm.mailboxes.states import CLOSED
from flowcrm.pages.emails import people
from flowcrm.pages.emails.lists import subject, who_looks
from flowcrm.pages.http import MemberRequest, asks_provider
from flowcrm.pages.integrations.cards import moment
from flowcrm.pages.integrations.forms import ChoiceForm
from flowcrm.pages.integrations.words import trouble
from flowcrm.store.access import access_mailbox
from flowcrm.store.db import workspace_scope
from flowcrm.store.models import Mailbox
from flowcrm.store.queries.changes import ChangeRow, Settings, last_change, read_settings
from flowcrm.store.queries.mailboxes import labels
from flowcrm.store.reveal import reveal_heads
from flowcrm.store.vaults import vault
from flowcrm.sync.preview import Ahead, look_ahead, proposed
from flowcrm.sync.preview_place import Example, Place
from flowcrm.vault.errors import SealBroken

_KIND = "preview"
_DIGEST = 16
# How long the page waits before it asks on: the provider's allowance refills within seconds.
_PAUSE, _LONG_PAUSE = 1, 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """Settings that are looked at. change: what they take back, None where somebody chose them. fields: the form's, to be sent
    with Save."""

    settings: Settings
    change: ChangeRow | None
    fields: tuple[tuple[str, str], ...]


@require_http_methods(["GET", "POST"])
@asks_provider
def preview(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """The form's values, or `undo` with the number of a change, stand in the address. POST goes on with `place`."""
    workspace_id = request.workspace.id
    with workspace_scope(workspace_id):
        mailbox = access_mailbox(request.member, mailbox_id)
        wanted = None if mailbox.state in CLOSED else _wanted(request, mailbox)
        now = read_settings(workspace_id, mailbox_id)
        address = mailbox_address(workspace_id, mailbox_id)
    if wanted is None:
        if "undo" in request.GET:
            messages.warning(request, _("That change cannot be undone any more: it was undone, changed again, or is too old."))
        return redirect("mailbox_choose", mailbox_id)
    fresh = mailbox.import_from is None
    listed = fresh or wanted.change is None or not wanted.settings.lets_in_as(now)
    ahead = _look(request, mailbox_id, wanted) if listed else None
    with workspace_scope(workspace_id):
        context = {
            "frame": "plain.html" if fresh else "app.html",
            "fresh": fresh,
            "mailbox": mailbox,
            "address": address,
            "wanted": wanted,
            "narrows": not fresh and _narrows(wanted.settings, ahead),
            **(_shown(request, mailbox_id, ahead) if ahead else {}),
        }
        return render(request, "integrations/ahead.html" if request.htmx else "integrations/preview.html", context)


def _narrows(settings: Settings, ahead: Ahead | None) -> bool:
    """May something that is here not fit? What has no limits leaves nothing out."""
    return (settings.selection != "all" or settings.since is not None) and not (ahead and ahead.weighed and not ahead.going)


def _wanted(request: MemberRequest, mailbox: Mailbox) -> Wanted | None:
    workspace_id, asked = request.workspace.id, request.GET
    if "undo" in asked:
        change = last_change(workspace_id, mailbox.id)
        return Wanted(change.before, change, ()) if change and asked["undo"] == str(change.id) else None
    known = [one for one in labels(vault(workspace_id), mailbox.id) if not one.excluded]
    form = ChoiceForm(asked, mailbox=mailbox, labels=known, default_level=request.workspace.default_level)
    if not form.is_valid():
        return None
    fields = tuple((name, value) for name in form.fields for value in asked.getlist(name))
    return Wanted(form.settings(), None, fields)


def _look(request: MemberRequest, mailbox_id: int, wanted: Wanted) -> Ahead:
    snapshot = read_snapshot(request.workspace.id, mailbox_id)
    place = _carried(request, mailbox_id)
    if snapshot is None:
        return Ahead(place)
    undoes = wanted.change.id if wanted.change else None
    try:
        with closing(open_connector(snapshot)) as connector:
            return look_ahead(proposed(snapshot, wanted.settings), connector, place, undoes=undoes)
    except MailError as error:
        return Ahead(place, error)


def _shown(request: MemberRequest, mailbox_id: int, ahead: Ahead) -> dict[str, object]:
    """What the page says of it, and carries along. Inside the workspace's scope."""
    ahead = replace(ahead, place=_with_leaving(request, mailbox_id, ahead.place))
    keys, error, pause = vault(request.workspace.id), ahead.error, _PAUSE
    if isinstance(error, RateLimited) and error.retry_at is not None:
        pause = min(max(round((error.retry_at - clock.now()) / timedelta(seconds=1)), 2), _LONG_PAUSE)
    elif error is not None:
        pause = 10
    sealed = keys.seal(_KIND, mailbox_id, _digest(request) + ahead.place.dump())
    # Our own pacing passes within seconds: nobody need read of it.
    paced = isinstance(error, RateLimited) and error.code == "budget"
    return {
        "ahead": ahead,
        "place": base64.b64encode(sealed).decode(),
        "pause": pause,
        "trouble": trouble(error, moment) if error is not None and not paced else "",
    }


def _with_leaving(request: MemberRequest, mailbox_id: int, place: Place) -> Place:
    """With what a person knows of stored mails that do not fit: opened once, and recorded once."""
    missing = place.leaving[len(place.left) :]
    if not missing:
        return place
    heads = reveal_heads(who_looks(request).within(mailbox_id), missing, "preview")
    some = [one for one in missing if one in heads]
    left = [Example(people.sender(heads[one]), subject(heads[one]), heads[one].date) for one in some]
    return replace(place, leaving=(*place.leaving[: len(place.left)], *some), left=(*place.left, *left))


def _carried(request: MemberRequest, mailbox_id: int) -> Place:
    """Where the page says that it is; the beginning, where it says nothing, or something of other settings."""
    try:
        sealed = base64.b64decode(request.POST.get("place", ""), validate=True)
        opened = vault(request.workspace.id).open(_KIND, mailbox_id, sealed)
    except (binascii.Error, SealBroken):
        return Place()
    return Place.load(opened[_DIGEST:]) if opened[:_DIGEST] == _digest(request) else Place()


def _digest(request: MemberRequest) -> bytes:
    return hashlib.sha256(request.META.get("QUERY_STRING", "").encode()).digest()[:_DIGEST]
