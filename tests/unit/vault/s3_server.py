"""The few calls of the S3 protocol that the object store makes, in memory, on a port of this machine.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html. Signatures are not checked.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"


@dataclass
class Bucket:
    """What was stored, by key; `refuse`: the status that every request is answered with instead; `requests`: what was asked."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    refuse: int | None = None
    requests: list[str] = field(default_factory=list)


@contextmanager
def s3_server() -> Iterator[Bucket]:
    bucket = Bucket()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"bucket": bucket}))
    bucket.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers as S3 does, for one bucket: a subclass names it, since the server makes a handler for each request."""

    bucket: Bucket
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.bucket.requests.append(f"{self.command} {parts.query.partition('=')[0]}".strip())
        if self.bucket.refuse:
            self._send(self.bucket.refuse, b"<Error><Code>Refused</Code></Error>")
            return
        key = unquote(parts.path).removeprefix("/bucket").removeprefix("/")
        self._store(key, {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}, body)

    def _store(self, key: str, query: dict[str, str], body: bytes) -> None:
        upload = query.get("uploadId", "")
        match self.command:
            case "PUT" if upload:
                self.bucket.parts[upload][int(query["partNumber"])] = body
                self._send(200, b"", ETag='"part"')
            case "PUT":
                self.bucket.objects[key] = body
                self._send(200, b"", ETag='"whole"')
            case "POST" if "uploads" in query:
                self.bucket.parts[key] = {}
                xml = f"<InitiateMultipartUploadResult><UploadId>{key}</UploadId></InitiateMultipartUploadResult>"
                self._send(200, xml.encode())
            case "POST" if upload:
                self.bucket.objects[key] = b"".join(piece for _, piece in sorted(self.bucket.parts.pop(upload).items()))
                tag = '<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>'
                self._send(200, tag.encode())
            case "POST":
                named = [name for name in self.bucket.objects if f"<Key>{name}</Key>".encode() in body]
                for name in named:
                    del self.bucket.objects[name]
                deleted = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in named or ["none"])
                self._send(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())
            case "DELETE":
                self.bucket.parts.pop(upload, None) if upload else self.bucket.objects.pop(key, None)
                self._send(204, b"")
            case "GET" if "list-type" in query:
                self._send(200, _listing(self.bucket, query.get("prefix", "")))
            case _ if key in self.bucket.objects:
                self._send(200, self.bucket.objects[key], ETag='"whole"', Last_Modified=datetime.now(UTC).strftime(_HTTP_DATE))
            case _:
                self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: pytest's output is for failures."""

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer


def _listing(bucket: Bucket, prefix: str) -> bytes:
    rows = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified>"
        f'<ETag>"{hashlib.sha256(content).hexdigest()}"</ETag><Size>{len(content)}</Size></Contents>'
        for key, content in sorted(bucket.objects.items())
        if key.startswith(prefix)
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()
