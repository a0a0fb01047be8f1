"""The stand-in against Google's own discovery documents: every route, every scope, every shape of answer."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from standins.google.client import GoogleStandin
from standins.google.gmail.routes import FULL_SCOPE, ROUTES
from standins.google.quota import COSTS
from tests.contract.google_standin import (
    ANN,
    AT,
    BEN,
    Gmail,
    Http,
    discovery,
    encoded,
    mail,
    methods,
    running,
    signed_in,
    validator,
)

pytestmark = pytest.mark.needs_shared

_WITH_FILE = (
    b"From: ben@globex.test\r\nTo: ann@acme.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <file@globex.test>\r\n"
    b"Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n"
    b"--b2\r\nContent-Type: text/plain\r\n\r\nSee the file\r\n"
    b"--b2\r\nContent-Type: text/html\r\n\r\n<p>See the file</p>\r\n--b2--\r\n"
    b"--b1\r\nContent-Type: application/pdf; name=offer.pdf\r\nContent-Disposition: attachment; filename=offer.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--b1\r\nContent-Type: message/rfc822\r\n"
    b"Content-Disposition: attachment; filename=old.eml\r\n\r\nFrom: x@y.test\r\nSubject: Inner\r\n\r\nOld\r\n--b1--\r\n"
)


class Ground:
    """A mailbox with one of everything, and a caller that may do all."""

    def __init__(self, google: GoogleStandin, gmail: Gmail) -> None:
        self.google = google
        self.gmail = gmail
        self.start = gmail.get("/profile").json["historyId"]
        self.label = google.create_label(ANN, "Customers/Globex")
        self.file = google.deliver(ANN, _WITH_FILE, ["INBOX", "UNREAD", self.label], AT)
        self.plain = google.deliver(ANN, mail(number=1), ["INBOX"], AT + 1)
        self.reply = google.deliver(ANN, mail("Re: Hello", number=2, more="In-Reply-To: <m1@globex.test>"), [], AT + 2)
        gone = google.deliver(ANN, mail("Gone", number=3), ["INBOX"], AT + 3)
        google.label(ANN, [self.plain], add=["STARRED"], remove=["INBOX"])
        google.delete(ANN, [gone])
        self.draft = gmail.send("POST", "/drafts", {"message": {"raw": encoded(mail("Draft", to=BEN))}}).json["id"]


@pytest.fixture
def ground() -> Iterator[Ground]:
    with running() as google, signed_in(google) as gmail:
        yield Ground(google, gmail)


def _body(**fields: Any) -> dict[str, Any]:
    return fields


# One or more calls for each route: (verb, path, body), made on the ground.
_Call = Callable[[Ground], tuple[str, str, Any]]
CALLS: list[tuple[str, _Call]] = [
    ("getProfile", lambda on: ("GET", "/profile", None)),
    ("watch", lambda on: ("POST", "/watch", _body(topicName="projects/p/topics/t", labelIds=["INBOX"]))),
    ("stop", lambda on: ("POST", "/stop", None)),
    ("messages.list", lambda on: ("GET", "/messages?maxResults=1", None)),
    ("messages.list", lambda on: ("GET", "/messages?q=nothing-like-this", None)),
    ("messages.get", lambda on: ("GET", f"/messages/{on.file}", None)),
    ("messages.get", lambda on: ("GET", f"/messages/{on.file}?format=raw", None)),
    ("messages.get", lambda on: ("GET", f"/messages/{on.file}?format=minimal", None)),
    ("messages.get", lambda on: ("GET", f"/messages/{on.reply}?format=METADATA&metadataHeaders=From", None)),
    ("messages.insert", lambda on: ("POST", "/messages", _body(raw=encoded(mail()), labelIds=["INBOX"]))),
    ("messages.import", lambda on: ("POST", "/messages/import", _body(raw=encoded(mail())))),
    ("messages.send", lambda on: ("POST", "/messages/send", _body(raw=encoded(mail(to=BEN))))),
    ("messages.modify", lambda on: ("POST", f"/messages/{on.plain}/modify", _body(addLabelIds=[on.label]))),
    ("messages.batchModify", lambda on: ("POST", "/messages/batchModify", _body(ids=[on.plain], addLabelIds=["UNREAD"]))),
    ("messages.batchDelete", lambda on: ("POST", "/messages/batchDelete", _body(ids=[on.plain]))),
    ("messages.trash", lambda on: ("POST", f"/messages/{on.plain}/trash", None)),
    ("messages.untrash", lambda on: ("POST", f"/messages/{on.plain}/untrash", None)),
    ("messages.delete", lambda on: ("DELETE", f"/messages/{on.plain}", None)),
    ("messages.attachments.get", lambda on: ("GET", _attachment_path(on), None)),
    ("threads.list", lambda on: ("GET", "/threads?maxResults=1", None)),
    ("threads.list", lambda on: ("GET", "/threads?labelIds=SPAM", None)),
    ("threads.get", lambda on: ("GET", f"/threads/{on.plain}", None)),
    ("threads.get", lambda on: ("GET", f"/threads/{on.plain}?format=minimal", None)),
    ("threads.modify", lambda on: ("POST", f"/threads/{on.plain}/modify", _body(removeLabelIds=["STARRED"]))),
    ("threads.trash", lambda on: ("POST", f"/threads/{on.plain}/trash", None)),
    ("threads.untrash", lambda on: ("POST", f"/threads/{on.plain}/untrash", None)),
    ("threads.delete", lambda on: ("DELETE", f"/threads/{on.plain}", None)),
    ("labels.list", lambda on: ("GET", "/labels", None)),
    ("labels.get", lambda on: ("GET", f"/labels/{on.label}", None)),
    ("labels.create", lambda on: ("POST", "/labels", _body(name="New", color=_body(textColor="#000000")))),
    ("labels.patch", lambda on: ("PATCH", f"/labels/{on.label}", _body(name="Renamed"))),
    ("labels.update", lambda on: ("PUT", f"/labels/{on.label}", _body(name="Again", labelListVisibility="labelHide"))),
    ("labels.delete", lambda on: ("DELETE", f"/labels/{on.label}", None)),
    ("history.list", lambda on: ("GET", f"/history?startHistoryId={on.start}", None)),
    ("history.list", lambda on: ("GET", f"/history?startHistoryId={on.start}&maxResults=1", None)),
    ("history.list", lambda on: ("GET", f"/history?startHistoryId={on.start}&maxResults=1&historyTypes=messageDeleted", None)),
    ("drafts.list", lambda on: ("GET", "/drafts", None)),
    ("drafts.get", lambda on: ("GET", f"/drafts/{on.draft}?format=full", None)),
    ("drafts.create", lambda on: ("POST", "/drafts", _body(message=_body(raw=encoded(mail()))))),
    ("drafts.update", lambda on: ("PUT", f"/drafts/{on.draft}", _body(message=_body(raw=encoded(mail()))))),
    ("drafts.send", lambda on: ("POST", "/drafts/send", _body(id=on.draft))),
    ("drafts.delete", lambda on: ("DELETE", f"/drafts/{on.draft}", None)),
    ("settings.sendAs.list", lambda on: ("GET", "/settings/sendAs", None)),
    ("settings.sendAs.get", lambda on: ("GET", "/settings/sendAs/sales%40acme.test", None)),
]


def _attachment_path(on: Ground) -> str:
    payload = on.gmail.get(f"/messages/{on.file}").json["payload"]
    return f"/messages/{on.file}/attachments/{payload['parts'][1]['body']['attachmentId']}"


@pytest.mark.parametrize(("method", "make"), CALLS, ids=[method for method, _ in CALLS])
def test_every_answer_has_the_shape_that_google_describes(ground: Ground, method: str, make: _Call) -> None:
    described = methods()[f"gmail.users.{method}"]

    verb, path, body = make(ground)
    reply = ground.gmail.send(verb, path, body)

    assert verb == described["httpMethod"]
    if "response" not in described:
        assert (reply.status, reply.body) == (204, b"")
        return
    assert reply.status == 200, reply.body
    assert list(validator(described["response"]["$ref"]).iter_errors(reply.json)) == []


def test_every_route_is_among_the_checked_calls() -> None:
    assert {method for method, _ in CALLS} == {route.method for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.method)
def test_every_route_stands_in_the_discovery_document_with_its_verb_path_and_scopes(route: Any) -> None:
    described = methods()[f"gmail.users.{route.method}"]

    assert route.verb == described["httpMethod"]
    assert route.template == described["flatPath"]
    assert set(route.scopes) == set(described["scopes"])
    assert route.upload == ("mediaUpload" in described)
    assert FULL_SCOPE in route.scopes


def test_every_route_has_a_price() -> None:
    assert set(COSTS) == {route.method for route in ROUTES}


def test_the_schema_check_itself_refuses_an_unknown_key() -> None:
    assert list(validator("Message").iter_errors({"id": "1", "thread": "2"})) != []
    assert list(validator("Message").iter_errors({"id": "1", "historyId": 7})) != []


def test_userinfo_has_the_shape_of_the_oauth2_document() -> None:
    scopes = ["openid", *(f"https://www.googleapis.com/auth/userinfo.{name}" for name in ("email", "profile"))]
    with running() as google:
        http = Http(google.url, google.access_token(ANN, scopes))
        info = http.get("/oauth2/v2/userinfo")
        token = http.form("/oauth2/v2/tokeninfo", access_token=google.access_token(ANN, scopes))
        http.close()

    assert info.json["email"] == ANN
    assert list(validator("Userinfo", "oauth2.v2").iter_errors(info.json)) == []
    assert list(validator("Tokeninfo", "oauth2.v2").iter_errors(token.json)) == []


def test_the_document_read_here_is_gmail_v1() -> None:
    assert (discovery()["name"], discovery()["version"]) == ("gmail", "v1")
