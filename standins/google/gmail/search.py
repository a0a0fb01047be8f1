"""The part of Gmail's search language that mail software uses, over the headers, labels and times of a mail.

https://support.google.com/mail/answer/7190. Words are matched as Gmail does: whole words in a row, so that `from:ann@x.com`
finds mary.ann@x.com too. Bodies are not searched.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from flowcrm.lib import clock
from standins.mailbox import Label, Mail
from standins.rfc822 import fenced

Test = Callable[[Mail], bool]

_TOKEN = re.compile(
    r'\s*(?:(?P<open>[({])|(?P<close>[)}])|(?P<minus>-)|(?P<key>[A-Za-z0-9_]+):|"(?P<phrase>[^"]*)"|(?P<word>[^\s(){}"]+))'
)
_OR = re.compile(r"\s*(?:OR\b|\|)")
_HEADERS = {
    "from": ("from",),
    "to": ("to", "cc", "bcc"),
    "cc": ("cc",),
    "bcc": ("bcc",),
    "subject": ("subject",),
    "list": ("list-id",),
}
_TEXT_HEADERS = ("subject", "from", "to", "cc")
_IS = {"unread": "UNREAD", "starred": "STARRED", "important": "IMPORTANT", "sent": "SENT", "draft": "DRAFT"}
_PLACES = {
    "drafts": "DRAFT",
    "draft": "DRAFT",
    "chats": "CHAT",
    "chat": "CHAT",
    "sent": "SENT",
    "inbox": "INBOX",
    "spam": "SPAM",
    "trash": "TRASH",
}
_HIDDEN = frozenset({"SPAM", "TRASH"})
_AGE = {"d": 1, "m": 30, "y": 365}
_SIZES = {"k": 1024, "m": 1024 * 1024}


class Query:
    """A compiled search. `reaches_hidden`: it asks for spam or trash by name, so that they are not left out."""

    def __init__(self, text: str, labels: Iterable[Label]) -> None:
        parser = _Parser(text, labels)
        self._test = parser.all_of(closing="")
        self.reaches_hidden = parser.reaches_hidden

    def matches(self, mail: Mail) -> bool:
        return self._test(mail)


def visible(mail: Mail, include_hidden: bool) -> bool:
    """Spam and trash are shown only where they are asked for."""
    return include_hidden or not mail.labels & _HIDDEN


class _Parser:
    def __init__(self, text: str, labels: Iterable[Label]) -> None:
        self._text = text
        self._at = 0
        self._labels = {_label_key(label.name): label.id for label in labels}
        self.reaches_hidden = False

    # Grammar: all := either*; either := one ("OR" one)*; one := "-"? (group | key ":" value | phrase | word)

    def all_of(self, closing: str) -> Test:
        tests: list[Test] = []
        while (token := self._next()) is not None:
            if token.group("close"):
                if closing:
                    break
                continue
            test = self._one(token)
            while self._take_or():
                following = self._next()
                if following is None:
                    break
                test = _any([test, self._one(following)])
            tests.append(test)
        # {a b} is OR, (a b) is AND.
        return _any(tests) if closing == "}" else _all(tests)

    def _next(self) -> re.Match[str] | None:
        token = _TOKEN.match(self._text, self._at)
        if token is not None:
            self._at = token.end()
        return token

    def _take_or(self) -> bool:
        found = _OR.match(self._text, self._at)
        if found:
            self._at = found.end()
        return bool(found)

    def _one(self, token: re.Match[str]) -> Test:
        if token.group("minus"):
            following = self._next()
            return _not(self._one(following)) if following is not None else _all([])
        if token.group("open"):
            return self.all_of("}" if token.group("open") == "{" else ")")
        if token.group("key"):
            return self._keyed(token.group("key").lower())
        return _words(_TEXT_HEADERS, token.group("phrase") or token.group("word") or "")

    def _keyed(self, key: str) -> Test:
        token = self._next()
        if token is None:
            return _all([])
        if token.group("open"):
            return self._group(key, "}" if token.group("open") == "{" else ")")
        value = token.group("phrase") if token.group("phrase") is not None else token.group(0).strip()
        if token.group("key") or token.group("minus"):
            # A value may itself hold a colon or begin with a dash, as a Message-ID does.
            value += self._rest_of_word()
        return self._value(key, value)

    def _group(self, key: str, closing: str) -> Test:
        tests: list[Test] = []
        while (token := self._next()) is not None and not token.group("close"):
            value = token.group("phrase") if token.group("phrase") is not None else token.group(0).strip()
            if value != "OR":
                tests.append(self._value(key, value))
        return _any(tests) if closing == "}" else _all(tests)

    def _rest_of_word(self) -> str:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in " \t(){}":
            self._at += 1
        return self._text[start : self._at]

    def _value(self, key: str, value: str) -> Test:
        if key in _HEADERS:
            return _words(_HEADERS[key], value)
        if key in ("in", "label", "is", "category", "has"):
            return self._place(key, value)
        if key in ("after", "newer", "before", "older"):
            return _time(key in ("after", "newer"), value)
        if key in ("newer_than", "older_than"):
            return _age(key == "newer_than", value)
        if key in ("larger", "smaller", "size"):
            return _size(key != "smaller", value)
        if key == "rfc822msgid":
            wanted = value.strip("<>")
            return lambda mail: mail.head.message_id == wanted
        if key == "filename":
            return lambda mail: value.lower().encode() in mail.raw.lower()
        return _words(_TEXT_HEADERS, f"{key} {value}")

    def _place(self, key: str, value: str) -> Test:
        lowered = value.lower()
        if key == "has":
            return _has(lowered, frozenset(self._labels.values()))
        if key == "is":
            return (lambda mail: "UNREAD" not in mail.labels) if lowered == "read" else _labelled(_IS.get(lowered, "?"))
        if key == "category":
            return _labelled("CATEGORY_PERSONAL" if lowered == "primary" else f"CATEGORY_{lowered.upper()}")
        if lowered == "anywhere":
            self.reaches_hidden = True
            return _all([])
        label_id = _PLACES.get(lowered) or self._labels.get(_label_key(value), "?")
        if label_id in _HIDDEN:
            self.reaches_hidden = True
        return _labelled(label_id)


def _label_key(name: str) -> str:
    # In a search, a label's blanks and slashes may be written as dashes.
    return re.sub(r"[\s/]+", "-", name).casefold()


def _words(headers: tuple[str, ...], value: str) -> Test:
    wanted = fenced(value)
    if not wanted.strip():
        return _all([])
    return lambda mail: any(wanted in mail.head.words.get(header, "") for header in headers)


def _labelled(label_id: str) -> Test:
    return lambda mail: label_id in mail.labels


def _has(what: str, known: frozenset[str]) -> Test:
    if what == "attachment":
        return lambda mail: b"content-disposition: attachment" in mail.raw.lower()
    own = frozenset(label_id for label_id in known if label_id.startswith("Label_"))
    if what == "userlabels":
        return lambda mail: bool(mail.labels & own)
    if what == "nouserlabels":
        return lambda mail: not mail.labels & own
    return lambda _mail: False


def _time(after: bool, value: str) -> Test:
    bound = _moment(value)
    if bound is None:
        return lambda _mail: False
    return (lambda mail: mail.at_ms >= bound) if after else (lambda mail: mail.at_ms < bound)


def _moment(value: str) -> int | None:
    """Epoch seconds, or a day as 2026/11/23 (midnight; Gmail takes Pacific time for days, the stand-in UTC)."""
    if value.isascii() and value.isdigit():
        return int(value) * 1000
    found = re.fullmatch(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})", value)
    if found is None:
        return None
    try:
        day = datetime(*(int(number) for number in found.groups()), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    return int(day.timestamp() * 1000)


def _age(newer: bool, value: str) -> Test:
    found = re.fullmatch(r"(\d+)([dmy])", value.lower())
    if found is None:
        return lambda _mail: False
    bound = int((clock.now() - timedelta(days=int(found.group(1)) * _AGE[found.group(2)])).timestamp() * 1000)
    return (lambda mail: mail.at_ms >= bound) if newer else (lambda mail: mail.at_ms < bound)


def _size(larger: bool, value: str) -> Test:
    found = re.fullmatch(r"(\d+)([km]?)b?", value.lower())
    if found is None:
        return lambda _mail: False
    bound = int(found.group(1)) * _SIZES.get(found.group(2), 1)
    return (lambda mail: len(mail.raw) >= bound) if larger else (lambda mail: len(mail.raw) < bound)


def _all(tests: list[Test]) -> Test:
    return lambda mail: all(test(mail) for test in tests)


def _any(tests: list[Test]) -> Test:
    return lambda mail: any(test(mail) for test in tests)


def _not(test: Test) -> Test:
    return lambda mail: not test(mail)
