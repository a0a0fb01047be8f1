"""users.getProfile, users.watch, users.stop and users.settings.sendAs.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users
"""

import re

from standins.google.errors import ApiError, not_found
from standins.google.gmail.call import Call
from standins.google.gmail.messages import check_labels
from standins.google.world import now_ms
from standins.web import Json

_WATCH_MS = 7 * 24 * 3600 * 1000


def get_profile(call: Call) -> Json:
    with call.mailbox.lock:
        mails, threads = call.mailbox.count()
        history_id = call.mailbox.history_id
    return {"emailAddress": call.account.address, "messagesTotal": mails, "threadsTotal": threads, "historyId": str(history_id)}


def watch(call: Call) -> Json:
    topic = call.body.get("topicName", "")
    if not isinstance(topic, str) or not re.fullmatch(r"projects/[^/]+/topics/[^/]+", topic):
        raise ApiError(400, "invalidArgument", "Invalid topicName does not match projects/*/topics/*")
    check_labels(call, call.strings("labelIds"))
    call.account.watch_until_ms = now_ms() + _WATCH_MS
    return {"historyId": str(call.mailbox.history_id), "expiration": str(call.account.watch_until_ms)}


def stop(call: Call) -> None:
    call.account.watch_until_ms = None


def list_send_as(call: Call) -> Json:
    return {"sendAs": [_send_as(call, address) for address in _addresses(call)]}


def get_send_as(call: Call) -> Json:
    wanted = call.path["sendAsEmail"].lower()
    if wanted not in _addresses(call):
        raise not_found()
    return _send_as(call, wanted)


def _addresses(call: Call) -> list[str]:
    return [call.account.address, *(alias.lower() for alias in call.account.aliases)]


def _send_as(call: Call, address: str) -> Json:
    answer: Json = {"sendAsEmail": address, "displayName": call.account.name, "replyToAddress": "", "signature": ""}
    if address == call.account.address:
        return {**answer, "isPrimary": True, "isDefault": True}
    return {**answer, "treatAsAlias": True, "verificationStatus": "accepted"}
