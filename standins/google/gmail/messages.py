"""users.messages: https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from standins.google.errors import ApiError, invalid
from standins.google.gmail import render
from standins.google.gmail.call import Call, take_page, wrong_estimate
from standins.google.gmail.search import Query, visible
from standins.mailbox import Mail, UnknownLabel, UnknownMail
from standins.web import Json

METADATA_SCOPE = "https://www.googleapis.com/auth/gmail.metadata"
# Labels that follow from what a mail is: no one puts them on or takes them off.
_FIXED_LABELS = frozenset({"SENT", "DRAFT", "CHAT"})
MAX_BATCH = 1000


def list_(call: Call) -> Json:
    page = take_page(((mail.place, render.reference(mail)) for mail in matching(call)), call.max_results())
    answer: Json = {"resultSizeEstimate": wrong_estimate(len(page.items), page.next_token is not None)}
    if page.items:
        answer["messages"] = page.items
    if page.next_token:
        answer["nextPageToken"] = page.next_token
    return answer


def matching(call: Call) -> Iterator[Mail]:
    """The mails that a list call asks for, newest first, from its page token on."""
    fits = selection(call)
    return (mail for mail in call.mailbox.newest_first(call.page_token()) if fits(mail))


def selection(call: Call) -> Callable[[Mail], bool]:
    """The test that q, labelIds and includeSpamTrash make up."""
    text = call.text("q")
    if text and METADATA_SCOPE in call.scopes:
        raise ApiError(403, "forbidden", "Metadata scope does not support 'q' parameter")
    query = Query(text, call.mailbox.labels())
    wanted = frozenset(call.many("labelIds"))
    check_labels(call, wanted)
    hidden_too = call.flag("includeSpamTrash") or query.reaches_hidden or bool(wanted & {"SPAM", "TRASH"})
    return lambda mail: visible(mail, hidden_too) and wanted <= mail.labels and query.matches(mail)


def get(call: Call) -> Json:
    wanted = readable_format(call, render.FORMATS)
    return render.message(call.mailbox.mail(call.path["id"]), wanted, call.many("metadataHeaders"))


def readable_format(call: Call, allowed: tuple[str, ...]) -> str:
    """The asked format, if the token may see it: a token that holds gmail.metadata may not, whatever else it holds."""
    wanted = render.check_format(call.text("format"), allowed)
    if wanted in ("full", "raw") and METADATA_SCOPE in call.scopes:
        raise ApiError(403, "forbidden", f"Metadata scope doesn't allow format {wanted.upper()}")
    return wanted


def attachment(call: Call) -> Json:
    return render.attachment(call.mailbox.mail(call.path["messageId"]), call.path["id"])


def modify(call: Call) -> Json:
    add, remove = label_changes(call)
    if not add and not remove:
        raise invalid("No label add or removes specified")
    return render.labelled(call.mailbox.change_labels(call.path["id"], add, remove))


def batch_modify(call: Call) -> None:
    ids = _batch_ids(call)
    add, remove = label_changes(call)
    for mail_id in ids:
        # As batchDelete, it says nothing of a mail that is gone.
        with suppress(UnknownMail):
            call.mailbox.change_labels(mail_id, add, remove)


def batch_delete(call: Call) -> None:
    for mail_id in _batch_ids(call):
        with suppress(UnknownMail):
            call.mailbox.delete(mail_id)


def trash(call: Call) -> Json:
    return render.labelled(to_trash(call, call.path["id"]))


def to_trash(call: Call, mail_id: str) -> Mail:
    return call.mailbox.change_labels(mail_id, add=["TRASH"], remove=["INBOX"])


def untrash(call: Call) -> Json:
    return render.labelled(call.mailbox.change_labels(call.path["id"], remove=["TRASH"]))


def delete(call: Call) -> None:
    call.mailbox.delete(call.path["id"])


def label_changes(call: Call) -> tuple[list[str], list[str]]:
    """addLabelIds and removeLabelIds, checked."""
    add, remove = call.strings("addLabelIds"), call.strings("removeLabelIds")
    check_labels(call, {*add, *remove})
    for label_id in (*add, *remove):
        if label_id in _FIXED_LABELS:
            raise invalid(f"Invalid label: {label_id}")
    both = set(add) & set(remove)
    if both:
        raise invalid(f"Cannot both add and remove the same label: {sorted(both)[0]}")
    return add, remove


def check_labels(call: Call, label_ids: Iterable[str]) -> None:
    for label_id in label_ids:
        try:
            call.mailbox.label(label_id)
        except UnknownLabel:
            raise invalid(f"Invalid label: {label_id}") from None


def _batch_ids(call: Call) -> list[str]:
    ids = call.strings("ids")
    if not ids:
        raise invalid("No message ids specified")
    if len(ids) > MAX_BATCH:
        raise invalid(f"Number of ids cannot exceed {MAX_BATCH}")
    return ids
