"""users.history.list: https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.history/list"""

from standins.google.errors import bad_value, invalid, not_found
from standins.google.gmail.call import Call
from standins.mailbox import Event, EventKind, HistoryExpired, UnknownLabel
from standins.web import Json

_TYPES = ("messageAdded", "messageDeleted", "labelAdded", "labelRemoved")


def list_(call: Call) -> Json:
    if not call.text("startHistoryId"):
        raise invalid("Missing/invalid parameter: startHistoryId")
    start = call.number("pageToken", 0) or call.number("startHistoryId", 0)
    wanted = _types(call)
    label_id = call.text("labelId")
    _check_label(call, label_id)
    with call.mailbox.lock:
        try:
            events, more = call.mailbox.history(start, call.max_results())
        except HistoryExpired:
            raise not_found() from None
        answer: Json = {"historyId": str(call.mailbox.history_id)}
    # A page is cut before the filter is applied, as at Gmail: one without any record but with a token for the next is legal.
    records = [record for event in events if (record := _record(event, wanted, label_id))]
    if records:
        answer["history"] = records
    if more:
        answer["nextPageToken"] = str(events[-1].id)
    return answer


def _check_label(call: Call, label_id: str) -> None:
    # A label that was deleted meanwhile answers 404 too: this 404 does not mean that the bookmark is lost.
    if label_id:
        try:
            call.mailbox.label(label_id)
        except UnknownLabel:
            raise not_found() from None


def _types(call: Call) -> frozenset[str]:
    asked = call.many("historyTypes")
    for name in asked:
        if name not in _TYPES:
            raise bad_value("history_types", "type.googleapis.com/gmail.v1.HistoryType", name)
    return frozenset(asked or _TYPES)


def _record(event: Event, wanted: frozenset[str], label_id: str) -> Json | None:
    if label_id and label_id not in event.labels | event.added | event.removed:
        return None
    who: Json = {"id": event.mail_id, "threadId": event.thread_id}
    whole: Json = {**who, "labelIds": sorted(event.labels)} if event.labels else who
    changes: Json = {}
    if event.kind is EventKind.ADDED and "messageAdded" in wanted:
        changes["messagesAdded"] = [{"message": whole}]
    if event.kind is EventKind.DELETED and "messageDeleted" in wanted:
        changes["messagesDeleted"] = [{"message": whole}]
    if event.added and "labelAdded" in wanted:
        changes["labelsAdded"] = [{"message": whole, "labelIds": sorted(event.added)}]
    if event.removed and "labelRemoved" in wanted:
        changes["labelsRemoved"] = [{"message": whole, "labelIds": sorted(event.removed)}]
    return {"id": str(event.id), "messages": [who], **changes} if changes else None
