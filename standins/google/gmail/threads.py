"""users.threads: https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.threads"""

from collections.abc import Iterator
from typing import Any

from standins.google.errors import invalid
from standins.google.gmail import messages, render
from standins.google.gmail.call import Call, take_page, wrong_estimate
from standins.mailbox import Mail
from standins.web import Json

_FORMATS = ("minimal", "full", "metadata")


def list_(call: Call) -> Json:
    page = take_page(_matching(call), call.max_results())
    answer: Json = {"resultSizeEstimate": wrong_estimate(len(page.items), page.next_token is not None)}
    if page.items:
        answer["threads"] = page.items
    if page.next_token:
        answer["nextPageToken"] = page.next_token
    return answer


def get(call: Call) -> Json:
    wanted = messages.readable_format(call, _FORMATS)
    mails = call.mailbox.thread(call.path["id"])
    headers = call.many("metadataHeaders")
    return {
        "id": call.path["id"],
        "historyId": _history_id(mails),
        "messages": [render.message(mail, wanted, headers) for mail in mails],
    }


def modify(call: Call) -> Json:
    add, remove = messages.label_changes(call)
    if not add and not remove:
        raise invalid("No label add or removes specified")
    return _changed(call, [call.mailbox.change_labels(mail.id, add, remove) for mail in _mails(call)])


def trash(call: Call) -> Json:
    return _changed(call, [messages.to_trash(call, mail.id) for mail in _mails(call)])


def untrash(call: Call) -> Json:
    return _changed(call, [call.mailbox.change_labels(mail.id, remove=["TRASH"]) for mail in _mails(call)])


def delete(call: Call) -> None:
    for mail in _mails(call):
        call.mailbox.delete(mail.id)


def _mails(call: Call) -> tuple[Mail, ...]:
    return call.mailbox.thread(call.path["id"])


def _changed(call: Call, mails: list[Mail]) -> Json:
    return {"id": call.path["id"], "messages": [render.labelled(mail) for mail in mails]}


def _matching(call: Call) -> Iterator[tuple[tuple[int, int], Any]]:
    """Each thread at the place of its newest fitting mail, so that it stands on one page only."""
    fits = messages.selection(call)
    for mail in call.mailbox.newest_first(call.page_token()):
        if not fits(mail):
            continue
        thread = call.mailbox.thread(mail.thread_id)
        if max(other.place for other in thread if fits(other)) == mail.place:
            item = {"id": mail.thread_id, "snippet": thread[-1].head.snippet, "historyId": _history_id(thread)}
            yield mail.place, item


def _history_id(mails: tuple[Mail, ...]) -> str:
    return str(max(mail.history_id for mail in mails))
