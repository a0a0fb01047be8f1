"""users.labels: https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.labels"""

from standins.google.errors import ApiError, invalid
from standins.google.gmail.call import Call
from standins.mailbox import Label, LabelTaken, Mail
from standins.web import Json

_SETTINGS = ("messageListVisibility", "labelListVisibility", "color")
_CHOICES = {
    "messageListVisibility": ("show", "hide"),
    "labelListVisibility": ("labelShow", "labelShowIfUnread", "labelHide"),
}
_MAX_NAME = 225


def list_(call: Call) -> Json:
    return {"labels": [_short(label) for label in call.mailbox.labels()]}


def get(call: Call) -> Json:
    label = call.mailbox.label(call.path["id"])
    mails = [mail for mail in call.mailbox.newest_first() if label.id in mail.labels]
    unread = [mail for mail in mails if "UNREAD" in mail.labels]
    counts = {
        "messagesTotal": len(mails),
        "messagesUnread": len(unread),
        "threadsTotal": _threads(mails),
        "threadsUnread": _threads(unread),
    }
    return {**_short(label), **counts}


def create(call: Call) -> Json:
    settings = _settings(call, {"messageListVisibility": "show", "labelListVisibility": "labelShow"})
    try:
        return _short(call.mailbox.create_label(_name(call, call.body.get("name")), settings))
    except LabelTaken:
        raise _taken() from None


def patch(call: Call) -> Json:
    """Only what the body names changes."""
    label = _own(call)
    name = _name(call, call.body["name"]) if "name" in call.body else label.name
    return _change(call, name, _settings(call, dict(label.settings)))


def update(call: Call) -> Json:
    """The body is the whole new label."""
    _own(call)
    return _change(call, _name(call, call.body.get("name")), _settings(call, {}))


def delete(call: Call) -> None:
    call.mailbox.delete_label(_own(call).id)


def _change(call: Call, name: str, settings: Json) -> Json:
    try:
        return _short(call.mailbox.change_label(call.path["id"], name, settings))
    except LabelTaken:
        raise _taken() from None


def _own(call: Call) -> Label:
    label = call.mailbox.label(call.path["id"])
    if label.system:
        raise invalid("Invalid delete request" if call.request.method == "DELETE" else "Invalid label name")
    return label


def _short(label: Label) -> Json:
    return {"id": label.id, "name": label.name, **label.settings, "type": "system" if label.system else "user"}


def _name(call: Call, name: object) -> str:
    system = {label.name for label in call.mailbox.labels() if label.system}
    if not isinstance(name, str) or not name.strip() or len(name) > _MAX_NAME or name.upper() in system:
        raise invalid("Invalid label name")
    return name


def _settings(call: Call, known: Json) -> Json:
    for key in _SETTINGS:
        if key in call.body:
            known[key] = call.body[key]
        if key in _CHOICES and key in known and known[key] not in _CHOICES[key]:
            raise invalid(f"Invalid value for {key}")
    return known


def _threads(mails: list[Mail]) -> int:
    return len({mail.thread_id for mail in mails})


def _taken() -> ApiError:
    return ApiError(409, "aborted", "Label name exists or conflicts")
