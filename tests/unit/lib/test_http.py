"""lib.http: what it lets out, what it takes in, and what it says when something goes wrong."""

import gzip
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flowcrm.lib import http
from tests.unit.scripted_server import CLOSE, ScriptedServer, Seen, reply

HERE = http.HostRules(loopback=True)
WAITING = http.Timeouts(connect=5, read=5, total=20)
HASTY = http.Timeouts(connect=5, read=0.1, total=0.3)


@contextmanager
def client_of(server: ScriptedServer, timeouts: http.Timeouts = WAITING, **options: Any) -> Iterator[http.Client]:
    client = http.Client(server.url, timeouts=timeouts, **{"max_bytes": 1000, "hosts": HERE, **options})
    try:
        yield client
    finally:
        client.close()


def ok(request: Seen) -> Iterable[bytes]:
    return reply("ok")


# -- a normal exchange -----------------------------------------------------------------------------------------------------


def test_an_answer_has_status_headers_and_body() -> None:
    with ScriptedServer(lambda request: reply("hello", X_Kind="Plain")) as server, client_of(server) as client:
        answer = client.get("/here")
    assert (answer.status, answer.body, answer.headers["x-kind"]) == (200, b"hello", "Plain")


def test_parameters_are_quoted_and_may_repeat() -> None:
    with ScriptedServer(ok) as server, client_of(server) as client:
        client.get("/a%2Fb", [("q", "from:a b&c=ü"), ("label", "1"), ("label", "2")])
    assert server.seen[0].target == "/a%2Fb?q=from%3Aa+b%26c%3D%C3%BC&label=1&label=2"


def test_the_agent_and_given_headers_go_with_every_request() -> None:
    with ScriptedServer(ok) as server, client_of(server, headers={"Authorization": "Bearer t"}) as client:
        client.get("/")
    assert server.seen[0].headers["authorization"] == "Bearer t"
    assert server.seen[0].headers["user-agent"].startswith("FlowCRM/")


def test_a_post_carries_its_content() -> None:
    with ScriptedServer(ok) as server, client_of(server) as client:
        client.post("/token", b"a=1&b=2", content_type="application/x-www-form-urlencoded")
    assert (server.seen[0].method, server.seen[0].form) == ("POST", {"a": "1", "b": "2"})


def test_a_base_path_stands_before_every_path() -> None:
    with ScriptedServer(ok) as server:
        client = http.Client(f"{server.url}/base/", timeouts=WAITING, max_bytes=10, hosts=HERE)
        client.get("/x")
        client.close()
    assert server.seen[0].target == "/base/x"


def test_compressed_answers_are_opened() -> None:
    packed = gzip.compress(b"long " * 20)
    with ScriptedServer(lambda request: reply(packed, Content_Encoding="gzip")) as server, client_of(server) as client:
        assert client.get("/").body == b"long " * 20


def test_requests_share_one_connection() -> None:
    with ScriptedServer(ok) as server, client_of(server) as client:
        for _ in range(3):
            client.get("/")
    assert (len(server.seen), server.connections) == (3, 1)


def test_a_connection_that_the_server_closed_while_idle_is_replaced() -> None:
    with ScriptedServer(lambda request: [*reply("ok"), CLOSE]) as server, client_of(server) as client:
        client.get("/")
        server.ended.acquire()
        client.get("/")
    assert server.connections == 2


def test_threads_share_a_client_and_no_more_connections_than_allowed() -> None:
    with ScriptedServer(lambda request: reply(request.path)) as server, client_of(server, connections=3) as client:
        paths = [f"/{number}" for number in range(30)]
        with ThreadPoolExecutor(max_workers=8) as pool:
            bodies = [answer.body.decode() for answer in pool.map(client.get, paths)]
    assert bodies == paths
    assert server.connections <= 3


def test_cookies_are_not_kept() -> None:
    with ScriptedServer(lambda request: reply("ok", Set_Cookie="a=b")) as server, client_of(server) as client:
        client.get("/")
        client.get("/")
    assert "cookie" not in server.seen[1].headers


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with ScriptedServer(ok) as server, client_of(server) as client:
        assert client.get("/").body == b"ok"


def test_urls_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with ScriptedServer(ok) as server, client_of(server) as client:
        client.get("/", [("q", "from:anna@acme.example")])
    assert "anna" not in caplog.text


# -- what goes wrong ---------------------------------------------------------------------------------------------------------


def test_any_status_but_2xx_is_an_error_with_the_whole_answer() -> None:
    with (
        ScriptedServer(lambda request: reply('{"error": 1}', 429, Retry_After="7")) as server,
        client_of(server) as client,
        pytest.raises(http.HttpStatus) as caught,
    ):
        client.get("/", [("q", "secret")])
    assert (caught.value.answer.status, caught.value.answer.body) == (429, b'{"error": 1}')
    assert "secret" not in str(caught.value)


def test_a_long_error_page_is_cut_not_refused() -> None:
    with (
        ScriptedServer(lambda request: reply(b"x" * 200_000, 502)) as server,
        client_of(server) as client,
        pytest.raises(http.HttpStatus) as caught,
    ):
        client.get("/")
    assert len(caught.value.answer.body) == 64 * 1024


def test_redirects_are_not_followed() -> None:
    def away(request: Seen) -> Iterable[bytes]:
        return reply("", 302, Location="/elsewhere")

    with ScriptedServer(away) as server, client_of(server) as client, pytest.raises(http.HttpStatus) as caught:
        client.get("/")
    assert caught.value.answer.status == 302
    assert [request.path for request in server.seen] == ["/"]


def test_an_answer_over_the_cap_is_refused() -> None:
    with ScriptedServer(lambda request: reply(b"x" * 1001)) as server, client_of(server) as client:
        with pytest.raises(http.HttpTooLarge):
            client.get("/")
        assert len(client.get("/", max_bytes=1001).body) == 1001


def test_a_compressed_bomb_is_stopped_at_the_cap() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with (
        ScriptedServer(lambda request: reply(bomb, Content_Encoding="gzip")) as server,
        client_of(server) as client,
        pytest.raises(http.HttpTooLarge),
    ):
        client.get("/")


def test_a_server_without_end_is_stopped_at_the_cap() -> None:
    def endless(request: Seen) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while not server.stopping.is_set():
            yield b"x" * 10_000

    with ScriptedServer(endless) as server, client_of(server) as client, pytest.raises(http.HttpTooLarge):
        client.get("/")


@pytest.mark.parametrize(
    "pieces",
    [
        [CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", CLOSE],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", CLOSE],
        [b"220 mail.example ESMTP\r\n", CLOSE],
        reply(b"not gzip", Content_Encoding="gzip"),
    ],
    ids=["nothing", "in the headers", "in the body", "in the chunks", "not HTTP", "not gzip"],
)
def test_an_answer_that_breaks_off_is_an_error(pieces: list[bytes]) -> None:
    with ScriptedServer(lambda request: pieces) as server, client_of(server) as client, pytest.raises(http.HttpBroken):
        client.get("/")


def test_a_client_works_on_after_an_error() -> None:
    answers = iter([[b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", CLOSE], reply("whole")])
    with ScriptedServer(lambda request: next(answers)) as server, client_of(server) as client:
        with pytest.raises(http.HttpBroken):
            client.get("/")
        assert client.get("/").body == b"whole"


def test_silence_is_a_time_out() -> None:
    def silent(request: Seen) -> Iterable[bytes]:
        server.stopping.wait()
        return [CLOSE]

    with ScriptedServer(silent) as server, client_of(server, HASTY) as client, pytest.raises(http.HttpTimeout):
        client.get("/")


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["headers", "body"])
def test_a_drop_now_and_then_does_not_hold_a_worker(head: bytes) -> None:
    """Each silence is shorter than the read time-out; the total ends it all the same."""

    def dripping(request: Seen) -> Iterable[bytes]:
        yield head
        while not server.stopping.wait(0.02):
            yield b"x"

    with ScriptedServer(dripping) as server, client_of(server, HASTY) as client, pytest.raises(http.HttpTimeout):
        client.get("/")


def test_a_time_out_of_one_request_does_not_shorten_the_next() -> None:
    slow = threading.Event()

    def script(request: Seen) -> Iterable[bytes]:
        if request.path == "/silent":
            slow.wait()
            return [CLOSE]
        return reply("ok")

    with ScriptedServer(script) as server, client_of(server, HASTY) as client:
        with pytest.raises(http.HttpTimeout):
            client.get("/silent")
        slow.set()
        assert client.get("/").body == b"ok"


def test_a_closed_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = http.Client(f"http://127.0.0.1:{port}", timeouts=WAITING, max_bytes=10, hosts=HERE)
    with pytest.raises(http.HttpUnreachable):
        client.get("/")


# -- TLS ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """A server's side with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_an_unknown_certificate_is_refused_even_on_loopback(tls: ssl.SSLContext) -> None:
    with ScriptedServer(ok, tls) as server, client_of(server) as client, pytest.raises(http.HttpUntrusted):
        client.get("/")
    assert server.seen == []


def test_tls_older_than_1_2_is_refused(tls: ssl.SSLContext) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    with ScriptedServer(ok, tls) as server, client_of(server) as client, pytest.raises(http.HttpUntrusted):
        client.get("/")


def test_a_handshake_that_breaks_off_is_no_judgement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = http.Client(f"https://127.0.0.1:{listener.getsockname()[1]}", timeouts=WAITING, max_bytes=10, hosts=HERE)
        closing = threading.Thread(target=lambda: listener.accept()[0].close())
        closing.start()
        with pytest.raises(http.HttpUnreachable):
            client.get("/")
        closing.join()


@pytest.mark.parametrize("base_url", ["http://gmail.example", "http://127.0.0.1", "ftp://gmail.example", "gmail.example", ""])
def test_only_https_leaves_the_machine(base_url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        http.Client(base_url, timeouts=WAITING, max_bytes=10, hosts=http.HostRules())


def test_plain_http_reaches_this_machine_only() -> None:
    client = http.Client(
        "http://192.0.2.1", timeouts=WAITING, max_bytes=10, hosts=http.HostRules(("192.0.2.0/24",), loopback=True)
    )
    with pytest.raises(http.HttpForbidden):
        client.get("/")
