"""The bin: what left with its label or with the email at the provider, for 30 days, and Bring back."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from flowcrm.pages.emails import people
from flowcrm.pages.emails.lists import subject, who_looks
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.notes import note
from flowcrm.store.access import access_conversation
from flowcrm.store.errors import NotFound
from flowcrm.store.plans import PLANS
from flowcrm.store.queries.bin import BinRow, access_binned, bin_page
from flowcrm.store.reveal import reveal_binned
from flowcrm.store.writes.bin import BinReason, PlanFull, StillListed, check_bring_back
from flowcrm.store.writes.kept_out import do_let_back, do_remove_email, do_remove_thread

_WHY: dict[BinReason, str | Promise] = {
    BinReason.DELETED: gettext_lazy("deleted in the mailbox"),
    BinReason.LEFT: gettext_lazy("left the chosen labels"),
    BinReason.NARROWED: gettext_lazy("does not fit the mailbox's settings"),
    BinReason.HAND: gettext_lazy("removed by you"),
    BinReason.LISTED: gettext_lazy("kept out by a list"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One copy in the bin, opened as far as a list opens it."""

    row: BinRow
    sender: str
    subject: str
    why: str | Promise


@require_GET
def bin_(request: MemberRequest) -> HttpResponse:
    """The member's own bin, latest first."""
    looking, after = who_looks(request), request.GET.get("after", "")
    page = bin_page(looking, after=int(after) if after.isascii() and after.isdigit() and len(after) <= 18 else None)
    heads = reveal_binned(looking, [row.copy_id for row in page.rows])
    lines = [
        Line(row, people.sender(heads[row.copy_id]), subject(heads[row.copy_id]), _WHY[BinReason(row.reason)])
        for row in page.rows
        if row.copy_id in heads
    ]
    template = "emails/bin_rows.html" if request.htmx else "emails/bin.html"
    return render(request, template, {"lines": lines, "after": page.after})


@require_POST
def remove_email(request: MemberRequest, message_id: int) -> HttpResponse:
    """Out of FlowCRM with the member's own copies of an email, and they do not come in again."""
    looking = who_looks(request)
    if not do_remove_email(workspace_id=looking.workspace_id, mailboxes=looking.own, message_id=message_id):
        raise NotFound
    return _removed(request)


@require_POST
def remove_thread(request: MemberRequest, conversation_id: int) -> HttpResponse:
    """The same for a whole thread, and for what comes later in it."""
    looking = who_looks(request)
    known_as = access_conversation(looking.narrowed(None), conversation_id)
    do_remove_thread(workspace_id=looking.workspace_id, mailboxes=looking.own, conversation_id=known_as)
    return _removed(request)


def _removed(request: MemberRequest) -> HttpResponse:
    note(request, "remove")
    messages.success(
        request,
        _("Removed and kept out; nothing changed in the mailbox. For 30 days it lies here, and Bring back undoes it."),
    )
    return redirect("email_bin")


@require_POST
def bring_back(request: MemberRequest, copy_id: int) -> HttpResponse:
    """Out of the bin: it is everywhere again where it was, whatever the provider says."""
    looking = who_looks(request)
    mailbox_id = access_binned(looking, copy_id)
    try:
        check_bring_back(
            workspace_id=looking.workspace_id, plan=PLANS[request.workspace.plan], mailbox_id=mailbox_id, copy_ids=[copy_id]
        )
    except PlanFull:
        messages.error(
            request,
            _("Your plan's storage is full, so it stays in the bin for now. Remove something else, or ask for more room."),
        )
        return redirect("email_bin")
    except StillListed:
        messages.error(
            request,
            _("It stays in the bin: somebody in it is on a list of what is kept out. See Settings, Kept out."),
        )
        return redirect("email_bin")
    do_let_back(looking.workspace_id, [copy_id])
    note(request, "bring_back", [mailbox_id])
    messages.success(request, _("It is back where it was."))
    return redirect("email_bin")
