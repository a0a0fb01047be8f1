"""The stand-in as tests and the demo hold it: `GoogleStandin` runs it in this process, `RemoteStandin` drives one elsewhere."""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from standins.google.server import GoogleServer
from standins.log import LogLine
from standins.web import Json

READONLY = "https://www.googleapis.com/auth/gmail.readonly"
MODIFY = "https://www.googleapis.com/auth/gmail.modify"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail to put into a mailbox: the arguments of `deliver`. at_ms: epoch milliseconds, None for now."""

    raw: bytes
    labels: Sequence[str] = ("INBOX", "UNREAD")
    at_ms: int | None = None
    thread: str | None = None

    def to_json(self) -> Json:
        raw = base64.b64encode(self.raw).decode("ascii")
        return {"raw": raw, "labels": list(self.labels), "internal_date": self.at_ms, "thread": self.thread}


class Standin(ABC):
    """The controls with types. What each does stands in standins/google/control.py."""

    @property
    @abstractmethod
    def url(self) -> str:
        """http://127.0.0.1:PORT"""

    @abstractmethod
    def control(self, name: str, /, **arguments: Any) -> Json:
        """Any control by its name. Raises ControlError, or ConnectionError where the server is gone."""

    def settings(self) -> dict[str, str]:
        """The product's settings that point it at this stand-in."""
        return {
            "GOOGLE_AUTH_URL": f"{self.url}/o/oauth2/v2/auth",
            "GOOGLE_TOKEN_URL": f"{self.url}/token",
            "GOOGLE_REVOKE_URL": f"{self.url}/revoke",
            "GMAIL_API_URL": self.url,
        }

    def create_account(self, address: str, name: str = "", aliases: Iterable[str] = (), *, listed: bool = True) -> None:
        self.control("create_account", address=address, name=name, aliases=list(aliases), listed=listed)

    def access_token(self, account: str, scopes: Iterable[str] = (READONLY,)) -> str:
        return str(self.tokens(account, scopes)["access_token"])

    def tokens(self, account: str, scopes: Iterable[str] = (READONLY,)) -> Json:
        """access_token and refresh_token, without a browser."""
        return self.control("token", account=account, scopes=list(scopes))

    def deliver(
        self,
        account: str,
        raw: bytes,
        labels: Sequence[str] = ("INBOX", "UNREAD"),
        at_ms: int | None = None,
        thread: str | None = None,
    ) -> str:
        """The new mail's id."""
        return str(self.control("deliver", account=account, **Delivery(raw, labels, at_ms, thread).to_json())["id"])

    def deliver_many(self, account: str, mails: Iterable[Delivery]) -> list[str]:
        """The new ids, in order."""
        answer = self.control("deliver_many", account=account, mails=[mail.to_json() for mail in mails])
        return [str(mail["id"]) for mail in answer["delivered"]]

    def label(self, account: str, ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        self.control("label", account=account, ids=list(ids), add=list(add), remove=list(remove))

    def create_label(self, account: str, name: str) -> str:
        """The new label's id."""
        return str(self.control("create_label", account=account, name=name)["id"])

    def delete(self, account: str, ids: Iterable[str]) -> None:
        self.control("delete", account=account, ids=list(ids))

    def expire_history(self, account: str) -> None:
        self.control("expire_history", account=account)

    def revoke(self, account: str) -> None:
        self.control("revoke", account=account)

    def fault(self, match: str, kind: str, **rest: Any) -> None:
        self.control("fault", match=match, kind=kind, **rest)

    def quota(self, **settings: Any) -> None:
        self.control("quota", **settings)

    def snapshot(self, account: str) -> Json:
        return self.control("snapshot", account=account)

    def log(self) -> list[LogLine]:
        return [LogLine(**line) for line in self.control("log")["log"]]

    def operations(self) -> list[str]:
        """The operations asked for, in order, with their format: "gmail.messages.get:raw"."""
        return [f"{line.operation}:{line.variant}" if line.variant else line.operation for line in self.log()]

    def clear_log(self) -> None:
        self.control("clear_log")


class GoogleStandin(Standin):
    """The stand-in on a free port of this process: `with GoogleStandin() as google: … google.url …`."""

    def __init__(self, port: int = 0) -> None:
        self.server = GoogleServer(port)

    @property
    def url(self) -> str:
        return self.server.url

    def control(self, name: str, /, **arguments: Any) -> Json:
        return self.server.controls.call(name, arguments)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.server.stop()


class RemoteStandin(Standin):
    """A stand-in in another process, driven over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    @property
    def url(self) -> str:
        return self._url

    def control(self, name: str, /, **arguments: Any) -> Json:
        host = urlsplit(self._url)
        connection = HTTPConnection(host.hostname or "127.0.0.1", host.port, timeout=60)
        try:
            connection.request("POST", f"/control/{name}", json.dumps(arguments), {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer: Mapping[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(answer["error"])
        return dict(answer)
