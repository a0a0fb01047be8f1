"""The one way out: every HTTP request of the product leaves here, and only this module imports httpx2.

It builds on httpx2's values (URL, Request, Response) and httpcore2's connection pool, but not on `httpx2.Client`: that one
writes each URL to the log (ours carry addresses to search for), keeps cookies, and reads proxies from the environment.

What holds for every request:
- three time-outs, none optional: for connecting, for one silence, and for the whole exchange;
- an answer larger than the caller's cap is not read to its end;
- TLS 1.2 or newer with a verified certificate; plain http only to this machine, and only where a setting allows it (stand-ins);
- the address behind a host name is checked at the moment of connecting, so a name that changes its address gains nothing;
- no redirect is followed (a provider's API has none; following one would carry the token elsewhere);
- nothing sleeps and nothing is tried twice: the caller gets one of the errors below.

    HttpError
    ├── HttpTimeout       one of the three time-outs
    ├── HttpUnreachable   no address, refused, no route
    ├── HttpForbidden     the guard: an address that may not be asked
    ├── HttpUntrusted     the other side's certificate, or its TLS is too old
    ├── HttpBroken        cut in the middle, or not HTTP
    ├── HttpTooLarge      more than the cap
    └── HttpStatus        a whole answer, but not 2xx
"""

import socket
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpcore2
import httpx2

from flowcrm import __version__
from flowcrm.lib import clock
from flowcrm.lib.hosts import inner, is_listed, look_up

# Google compresses only for clients whose agent says "gzip" (developers.google.com/workspace/gmail/api/guides/performance).
USER_AGENT = f"FlowCRM/{__version__} (gzip)"

# An error is explained in a few hundred bytes; what is longer is a page for a browser.
_ERROR_BYTES = 64 * 1024

# Providers close idle connections after minutes; keeping ours shorter avoids writing into one that is just being closed.
_IDLE_SECONDS = 30.0


class HttpError(Exception):
    """Base of the tree. The text names the host, never the query, the headers or the body."""


class HttpTimeout(HttpError):
    """Nothing (more) came in time. The request may or may not have been carried out."""


class HttpUnreachable(HttpError):
    """No connection could be made: the request was not carried out."""


class HttpForbidden(HttpError):
    """The host resolves to no address that may be asked (see `HostRules`)."""


class HttpUntrusted(HttpError):
    """No certificate that is trusted here, or no TLS 1.2."""


class HttpBroken(HttpError):
    """The answer ended too early or is not HTTP. The request may or may not have been carried out."""


class HttpTooLarge(HttpError):
    """The answer is larger than the caller takes."""


class HttpStatus(HttpError):
    """The other side answered, with something else than 2xx. `answer.body` is cut after 64 KB."""

    def __init__(self, text: str, answer: "Answer") -> None:
        super().__init__(text)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. connect: until the name is resolved, then until an address answers. read: the longest silence. total: the
    whole exchange."""

    connect: float
    read: float
    total: float


@dataclass(frozen=True, slots=True)
class HostRules:
    """Which addresses may be asked, beyond the public ones.

    listed: host names and networks ("mail.acme.internal", "10.1.0.0/16") that the operator opened inside his own network.
    loopback: this machine too, also without TLS. Only for stand-ins: set by the operator, never by a member.
    """

    listed: tuple[str, ...] = ()
    loopback: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Client:
    """Requests to one origin over connections that stay open. Any number of threads may share it.

    base_url: scheme, host and an optional path that stands before every path asked for.
    max_bytes: the cap on an answer's decoded body, unless a call names its own.
    headers: sent with every request (the Authorization header belongs here).
    connections: how many requests may be under way at once; a further one waits for its turn.
    Raises ValueError for a base_url that is neither https nor, where `hosts.loopback` allows it, http.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts,
        max_bytes: int,
        hosts: HostRules,
        headers: Mapping[str, str] | None = None,
        connections: int = 1,
    ) -> None:
        origin = httpx2.URL(base_url)
        if origin.scheme != "https" and not (origin.scheme == "http" and hosts.loopback):
            raise ValueError(f"{origin.scheme}://{origin.host} is refused: only https leaves this machine")
        self._base = base_url.rstrip("/")
        self._host = origin.host
        self._origin = (origin.scheme, origin.host, origin.port)
        self._timeouts = timeouts
        self._max_bytes = max_bytes
        self._headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **(headers or {})}
        self._deadline = _Deadline()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_tls(),
            max_connections=connections,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=_GuardedNetwork(hosts, self._deadline, loopback_only=origin.scheme == "http"),
        )

    def get(self, path: str, params: Sequence[tuple[str, str]] = (), *, max_bytes: int | None = None) -> Answer:
        """GET base_url + path. `path` comes quoted, `params` are quoted here. Raises `HttpError`."""
        return self._exchange(httpx2.Request("GET", self._url(path, params), headers=self._headers), max_bytes)

    def post(self, path: str, content: bytes, *, content_type: str, max_bytes: int | None = None) -> Answer:
        """POST `content` to base_url + path. Raises `HttpError`."""
        headers = {**self._headers, "Content-Type": content_type}
        return self._exchange(httpx2.Request("POST", self._url(path), headers=headers, content=content), max_bytes)

    def close(self) -> None:
        """Close the connections. The client can still be used: it would open new ones."""
        self._pool.close()

    def _url(self, path: str, params: Sequence[tuple[str, str]] = ()) -> httpx2.URL:
        url = httpx2.URL(self._base + path)
        # "https://host" and ".evil.example/…" together are another host; every path of ours starts with a slash, or is empty.
        if (url.scheme, url.host, url.port) != self._origin:
            raise ValueError("the path leads to another host")
        return url.copy_merge_params(list(params)) if params else url

    def _exchange(self, request: httpx2.Request, max_bytes: int | None) -> Answer:
        times = self._timeouts
        steps = {"connect": times.connect, "read": times.read, "write": times.read, "pool": times.total}
        request.extensions["timeout"] = steps
        self._deadline.set(times.total)
        with _as_http_errors(self._host):
            response = self._send(request)
            try:
                answer = Answer(response.status_code, dict(response.headers), self._body(response, max_bytes))
            finally:
                response.close()
        if not 200 <= answer.status < 300:
            raise HttpStatus(f"{self._host} answered {answer.status}", answer)
        return answer

    def _send(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        plain = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.content,
            extensions=request.extensions,
        )
        answer = self._pool.handle_request(plain)
        return httpx2.Response(answer.status, headers=answer.headers, stream=_BodyStream(answer), request=request)

    def _body(self, response: httpx2.Response, max_bytes: int | None) -> bytes:
        failed = not response.is_success
        cap = _ERROR_BYTES if failed else self._max_bytes if max_bytes is None else max_bytes
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            self._deadline.left()
            if len(body) > cap:
                if failed:
                    return bytes(body[:cap])
                raise HttpTooLarge(f"{self._host} sent more than {cap} bytes")
        return bytes(body)


def resolve_allowed(
    host: str, port: int, rules: HostRules, *, loopback_only: bool = False, seconds: float | None = None
) -> tuple[str, ...]:
    """The numeric addresses of `host` that may be asked, in the resolver's order.

    Connect to one of them, never to the name again: its owner could have changed the answer in between.
    Raises HttpTimeout, HttpUnreachable (no such name) and HttpForbidden (no permitted address).
    """
    try:
        addresses = look_up(host, port, seconds)
    except TimeoutError as error:
        raise HttpTimeout(f"the address of {host} was not found in time") from error
    except (socket.gaierror, UnicodeError) as error:
        raise HttpUnreachable(f"{host} has no address") from error
    allowed = tuple(address for address in addresses if _may_ask(host, address, rules, loopback_only))
    if not allowed:
        raise HttpForbidden(f"{host} leads into a network that is not open to FlowCRM")
    return allowed


def retry_after(headers: Mapping[str, str]) -> datetime | None:
    """When the other side wants to be asked again (RFC 9110, 10.2.3: seconds or a date), or None."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        # A year is more than any provider means, and keeps the sum inside the calendar.
        return clock.now() + timedelta(seconds=min(int(value), 366 * 86400))
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)


# -- which addresses -----------------------------------------------------------------------------------------------------


def _may_ask(host: str, address: str, rules: HostRules, loopback_only: bool) -> bool:
    ip = inner(address)
    if ip.is_loopback:
        return rules.loopback
    # Link-local holds the cloud's metadata service, which gives credentials to whoever asks: not even when listed.
    if loopback_only or ip.is_unspecified or ip.is_multicast or ip.is_link_local:
        return False
    return ip.is_global or is_listed(host, ip, rules.listed)


# -- the connection --------------------------------------------------------------------------------------------------------


@cache
def _tls() -> ssl.SSLContext:
    """The system's roots (or SSL_CERT_FILE), host names checked. One for the process: reading the roots takes 20 ms."""
    context = httpcore2.default_ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Deadline(threading.local):
    """When the exchange of the current thread must be over.

    httpx2's time-outs bound one silence each: a server that sends a byte every ten seconds would hold a worker for hours.
    An exchange begins and ends in one thread, so the thread is the place to keep its end.
    """

    at: float | None = None

    def set(self, seconds: float) -> None:
        self.at = clock.monotonic() + seconds

    def left(self, cap: float | None = None) -> float | None:
        """Seconds that the next step may take, at most `cap`. Raises HttpTimeout when none are left."""
        if self.at is None:
            return cap
        left = self.at - clock.monotonic()
        if left <= 0:
            raise HttpTimeout("the exchange took too long")
        return left if cap is None else min(left, cap)


class _GuardedNetwork(httpcore2.NetworkBackend):
    """Opens connections to permitted addresses only."""

    def __init__(self, rules: HostRules, deadline: _Deadline, *, loopback_only: bool) -> None:
        self._rules = rules
        self._deadline = deadline
        self._loopback_only = loopback_only
        self._system = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        addresses = resolve_allowed(host, port, self._rules, loopback_only=self._loopback_only, seconds=left)
        for address in addresses[:-1]:
            try:
                return self._connect(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(addresses[-1], port, timeout, local_address, socket_options)

    def _connect(
        self, address: str, port: int, timeout: float | None, local_address: str | None, socket_options: Iterable[Any] | None
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        return _TimedStream(self._system.connect_tcp(address, port, left, local_address, socket_options), self._deadline)


class _TimedStream(httpcore2.NetworkStream):
    """A connection on which no step outlives the exchange."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _BodyStream(httpx2.SyncByteStream):
    """The pool's answer in the shape that httpx2 decodes."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _as_http_errors(host: str) -> Iterator[None]:
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise HttpTimeout(f"{host} did not answer in time") from error
    except httpcore2.ConnectError as error:
        # The pool cuts `__cause__` off; the system's error is still the argument. An end of file is no judgement on anybody.
        cause = error.args[0] if error.args else None
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            raise HttpUntrusted(f"{host} offers no connection that can be trusted") from error
        raise HttpUnreachable(f"{host} cannot be reached") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.DecodingError) as error:
        raise HttpBroken(f"{host} broke the answer off") from error
