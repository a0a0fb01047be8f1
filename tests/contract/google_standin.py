"""What the tests of the Google stand-in share: a plain HTTP client, made mails, and Google's schemas as JSON Schema."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import unescape
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from jsonschema import Draft202012Validator

from standins.google.client import READONLY, GoogleStandin
from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.shared import shared

ANN = "ann@acme.test"
BEN = "ben@globex.test"
AT = 1_795_000_000_000
FULL = "https://mail.google.com/"
LABELS = "https://www.googleapis.com/auth/gmail.labels"
BACK = "http://127.0.0.1:9/oauth/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-as-the-rfc-asks"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """The first reason of a Google error."""
        return str(self.json["error"]["errors"][0]["reason"])


class Http:
    """One keep-alive connection, with a bearer token where there is one."""

    def __init__(self, url: str, token: str = "") -> None:
        host = urlsplit(url)
        self._connection = HTTPConnection(host.hostname or "", host.port, timeout=20)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, verb: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        self._connection.request(verb, path, body, {**self._headers, **(headers or {})})
        response = self._connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())

    def get(self, path: str, **query: Any) -> Reply:
        """Lists in `query` become repeated parameters."""
        return self.call("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)

    def send(self, verb: str, path: str, body: Any = None) -> Reply:
        """With a JSON body."""
        data = None if body is None else json.dumps(body).encode()
        return self.call(verb, path, data, {"Content-Type": "application/json"})

    def form(self, path: str, **fields: Any) -> Reply:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.call("POST", path, urlencode(fields, doseq=True).encode(), kind)

    def close(self) -> None:
        self._connection.close()


class Gmail(Http):
    """Gmail paths below /gmail/v1/users/me."""

    def call(self, verb: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        whole = path if path.startswith(("/gmail", "/upload", "/batch")) else f"/gmail/v1/users/me{path}"
        return super().call(verb, whole, body, headers)


def batch_of(gmail: Gmail, paths: list[str]) -> tuple[Reply, list[int]]:
    """One batch of GETs; the whole answer and each part's status."""
    parts = "".join(
        f"--b\r\nContent-Type: application/http\r\nContent-ID: <{at}>\r\n\r\nGET {path}\r\n\r\n"
        for at, path in enumerate(paths)
    )
    reply = gmail.call("POST", "/batch/gmail/v1", f"{parts}--b--\r\n".encode(), {"Content-Type": "multipart/mixed; boundary=b"})
    return reply, [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", reply.body)]


class Person:
    """Someone with a browser: reads the page's form, presses a button, and comes back to the app."""

    def __init__(self, google: GoogleStandin) -> None:
        self.http = Http(google.url)

    def opens(self, **changes: str | None) -> Reply:
        """The app's link. None leaves a parameter out."""
        asked: dict[str, str | None] = {
            "client_id": DEFAULT_CLIENT_ID,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": READONLY,
            "state": "s t/ä",
            "access_type": "offline",
            "login_hint": ANN,
            **changes,
        }
        return self.http.get("/o/oauth2/v2/auth", **{name: value for name, value in asked.items() if value is not None})

    def presses(self, page: Reply, decision: str, *, unticked: tuple[str, ...] = ()) -> Reply:
        fields: list[tuple[str, str]] = [("decision", decision)]
        for tag in re.findall(r"<input [^>]*>", page.body.decode()):
            name, value = (unescape(re.findall(rf'{part}="([^"]*)"', tag)[0]) for part in ("name", "value"))
            if value not in unticked:
                fields.append((name, value))
        body = urlencode(fields).encode()
        return self.http.call("POST", "/o/oauth2/v2/consent", body, {"Content-Type": "application/x-www-form-urlencoded"})

    def consents(self, *, unticked: tuple[str, ...] = (), **asked: str | None) -> str:
        """All the way to the code."""
        return came_back(self.presses(self.opens(**asked), "allow", unticked=unticked))["code"]

    def exchanges(self, code: str, **changes: str) -> Reply:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "client_id": DEFAULT_CLIENT_ID,
            "client_secret": DEFAULT_CLIENT_SECRET,
            **changes,
        }
        return self.http.form("/token", **fields)

    def refreshes(self, token: str, **changes: str) -> Reply:
        client = {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET}
        return self.http.form("/token", grant_type="refresh_token", refresh_token=token, **{**client, **changes})


def came_back(reply: Reply) -> dict[str, str]:
    """What the app is told at its redirect address."""
    assert reply.status == 302, reply.body
    target = urlsplit(reply.headers["location"])
    assert target._replace(query="").geturl() == BACK
    return {name: values[0] for name, values in parse_qs(target.query).items()}


def refusal(reply: Reply) -> tuple[int, str, str]:
    """Status, error and description of the token endpoint's answer."""
    return reply.status, reply.json["error"], reply.json["error_description"]


@contextmanager
def running() -> Iterator[GoogleStandin]:
    """A stand-in with Ann's empty mailbox and no quota."""
    with GoogleStandin() as google:
        google.quota(units_per_minute=0)
        google.create_account(ANN, "Ann Lee", ["sales@acme.test"])
        yield google


@contextmanager
def signed_in(google: GoogleStandin, *scopes: str, account: str = ANN) -> Iterator[Gmail]:
    gmail = Gmail(google.url, google.access_token(account, scopes or (FULL,)))
    try:
        yield gmail
    finally:
        gmail.close()


def mail(
    subject: str = "Hello", *, number: int = 0, sender: str = BEN, to: str = ANN, more: str = "", body: str = "Hi Ann"
) -> bytes:
    """A mail of our making. more: further header lines."""
    lines = [f"From: Ben Berg <{sender}>", f"To: {to}", f"Subject: {subject}", f"Message-ID: <m{number}@globex.test>"]
    lines += ["Date: Mon, 23 Nov 2026 10:00:00 +0000", *more.splitlines()]
    return ("\r\n".join(lines) + f"\r\n\r\n{body}\r\n").encode()


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


@cache
def discovery(name: str = "gmail.v1") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(shared(f"contracts/google/{name}.json").read_text())
    return document


def methods(name: str = "gmail.v1") -> dict[str, dict[str, Any]]:
    """Every method of a discovery document by its id."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [discovery(name)]
    while waiting:
        resource = waiting.pop()
        found |= {method["id"]: method for method in resource.get("methods", {}).values()}
        waiting += resource.get("resources", {}).values()
    return found


@cache
def validator(schema: str, document: str = "gmail.v1") -> Draft202012Validator:
    """Accepts exactly what Google's schema describes: an unknown key is an error."""
    definitions = {name: _converted(given) for name, given in discovery(document)["schemas"].items()}
    return Draft202012Validator({"$ref": f"#/$defs/{schema}", "$defs": definitions})


# Numbers beyond 53 bits travel as strings: https://developers.google.com/discovery/v1/type-format
_FORMATS: dict[str, dict[str, Any]] = {
    "int64": {"pattern": r"^-?\d+$"},
    "uint64": {"pattern": r"^\d+$"},
    "byte": {"pattern": r"^[A-Za-z0-9_-]*={0,2}$"},
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "uint32": {"minimum": 0, "maximum": 2**32 - 1},
}


def _converted(given: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in given:
        return {"$ref": f"#/$defs/{given['$ref']}"}
    schema: dict[str, Any] = {"type": given["type"], **_FORMATS.get(given.get("format", ""), {})}
    if "enum" in given:
        schema["enum"] = given["enum"]
    if "items" in given:
        schema["items"] = _converted(given["items"])
    if given["type"] == "object":
        schema["properties"] = {name: _converted(inner) for name, inner in given.get("properties", {}).items()}
        schema["additionalProperties"] = False
    return schema
