"""Contacts that were made out of suggestions, one or several at once: said, and taken back."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowcrm.pages import undo
from flowcrm.pages.http import MemberRequest
from flowcrm.queue import wake_sync
from flowcrm.store.writes.made import do_unmake_contacts

# What they are remembered under, for Undo.
MADE = "made"


def say_made(request: MemberRequest, made: Sequence[int]) -> None:
    """made: their ids. Their past emails are looked for at once."""
    if not made:
        messages.info(request, _("They are contacts already."))
        return
    undo.remember(request, made[0], {MADE: list(made)})
    said = ngettext(
        "%(n)s contact was made. Past emails follow within a minute.",
        "%(n)s contacts were made. Past emails follow within a minute.",
        len(made),
    )
    messages.success(request, said % {"n": len(made)}, undo.UNDO)
    wake_sync()


def unmake(request: MemberRequest, contact_ids: list[int]) -> HttpResponse:
    """Undo: those of them that nobody has changed since."""
    gone = do_unmake_contacts(workspace_id=request.workspace.id, contact_ids=contact_ids)
    return say_unmade(request, gone, len(contact_ids) - gone)


def say_unmade(request: MemberRequest, gone: int, left: int) -> HttpResponse:
    """left: how many of the contacts are still there, since they were changed."""
    said = ngettext("%(n)s contact was taken back.", "%(n)s contacts were taken back.", gone) % {"n": gone}
    messages.success(request, said)
    if left:
        said = ngettext(
            "%(n)s was changed meanwhile, or is gone, and was left as it is.",
            "%(n)s were changed meanwhile, or are gone, and were left as they are.",
            left,
        )
        messages.warning(request, said % {"n": left})
    return redirect("contacts")
