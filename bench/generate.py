"""Mail for measuring: any number of emails of 35 KB on average, the same ones for the same seed.

Shaped like a business mailbox: 55 % are replies that quote what they answer; most have a plain and an HTML text of about 600
words, two thirds of them different; 9.6 % carry files of 20 to 300 KB (log-uniform); six charsets, in the encodings that mail
programs use for them. The words are made up: a vocabulary of sixty thousand, in which few are frequent and most are rare.

What has been yielded is not kept: memory stays flat however many are asked for.
"""

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate
from typing import NamedTuple

from flowcrm.ops.demo import wire

_START = datetime(2024, 6, 3, 7, 0, tzinfo=UTC)
_SECONDS_APART = 1200

_REPLIES = 0.55
_WITH_FILES = 0.096
_SMALLEST, _LARGEST = 20_000, 300_000
_FILES = (1, 1, 2)

# Threads that may still be answered: a bounded memory of the past.
_OPEN_THREADS = 2000
_REFERENCES = 12
_QUOTED = 18
_SENTENCES = 20_000

_OWNER = ("Anna Berg", "anna@acme.example")
_KINDS = (("pdf", "application/pdf"), ("jpg", "image/jpeg"), ("zip", "application/zip"), ("bin", "application/octet-stream"))
_STYLE = "margin:0cm 0cm 8.0pt;line-height:107%;font-size:11.0pt;font-family:Calibri,sans-serif;color:#1F1F1F"
_PARAGRAPH = f'<p class="MsoNormal" style="{_STYLE}">'
_FOOTER = "This message is intended for the person it is addressed to. If you have received it by mistake, please delete it."


class Generated(NamedTuple):
    """One email. raw: RFC 5322 bytes with CRLF. at: when the provider got it, UTC, rising. thread: the provider's thread."""

    raw: bytes
    at: datetime
    thread: str


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language: its share of the mail, how many words it has, what they are made of, and how programs send it."""

    share: int
    words: int
    syllables: str
    wire: tuple[tuple[str, str], ...]
    space: str = " "


_TONGUES = (
    # English
    Tongue(
        60,
        26_000,
        "ba con der el fin gra hol ing jo ker lam men ness or per qui ry ship tion und ver wick yard zen st th",
        (("utf-8", "quoted-printable"), ("us-ascii", "7bit"), ("utf-8", "base64")),
    ),
    # German
    Tongue(
        14,
        12_000,
        "ab ber chen der ein fähr ge haus isch keit lich mög nung ober prüf recht schaft stück tür ung über wert zeit ß",
        (("iso-8859-1", "quoted-printable"), ("windows-1252", "8bit")),
    ),
    # French
    Tongue(
        10,
        9_000,
        "à bre cé dé eau fran gé hô île jour lé ment née oui prê que ré son té utile vrai çon",
        (("windows-1252", "8bit"), ("utf-8", "quoted-printable")),
    ),
    # Russian
    Tongue(
        9,
        8_000,
        "бо ва го де ение жи за ист ка ло мен ность об пре ра ство тель ут фор хо цен ча щий ый",
        (("koi8-r", "8bit"), ("utf-8", "base64")),
    ),
    # Japanese
    Tongue(
        7,
        5_000,
        "の に は を が で と も 倉庫 温度 会議 確認 送付 見積 注文 納品 連絡 予定 です ます ください 件 日 月",
        (("iso-2022-jp", "7bit"),),
        space="",
    ),
)


@dataclass(frozen=True, slots=True)
class Thread:
    """What an answer needs to know of the latest email of a thread."""

    name: str
    tongue: int
    subject: str
    other: tuple[str, str]
    references: tuple[str, ...]
    sentences: tuple[str, ...]


def generate(count: int = 20_000, seed: int = 20_240_601) -> Iterator[Generated]:
    """`count` emails, oldest first."""
    rng = random.Random(seed)
    language = [_Language(tongue, rng) for tongue in _TONGUES]
    people = [_person(rng) for _ in range(4000)]
    open_threads: deque[Thread] = deque(maxlen=_OPEN_THREADS)
    at = _START
    for number in range(count):
        at += timedelta(seconds=rng.randint(1, 2 * _SECONDS_APART))
        answered = rng.choice(open_threads) if open_threads and rng.random() < _REPLIES else None
        thread = answered or _new_thread(number, language, people, rng)
        raw, after = _email(thread, answered is not None, language[thread.tongue], at, rng)
        open_threads.append(after)
        yield Generated(raw, at, thread.name)


class _Language:
    """Sentences of one language, made once: choosing among them is ten times as fast as choosing words."""

    def __init__(self, tongue: Tongue, rng: random.Random) -> None:
        self.tongue = tongue
        syllables = tongue.syllables.split()
        self.words = ["".join(rng.choices(syllables, k=rng.choice((1, 2, 2, 3, 3, 4)))) for _ in range(tongue.words)]
        self._weights = list(accumulate(1 / (rank + 12) for rank in range(tongue.words)))
        self.sentences = [self.sentence(rng) for _ in range(_SENTENCES * tongue.share // 100 + 500)]

    def sentence(self, rng: random.Random) -> str:
        chosen = rng.choices(self.words, cum_weights=self._weights, k=rng.randint(7, 17))
        return self.tongue.space.join(chosen).capitalize() + "."

    def text(self, rng: random.Random) -> tuple[str, ...]:
        """The sentences of one email; one of them has never been written before, as real mail has words that are new."""
        length = max(12, round(rng.lognormvariate(3.62, 0.36)))
        return (self.sentence(rng), *rng.choices(self.sentences, k=length))


def _new_thread(number: int, languages: Sequence[_Language], people: Sequence[tuple[str, str]], rng: random.Random) -> Thread:
    tongue = rng.choices(range(len(languages)), [language.tongue.share for language in languages])[0]
    language = languages[tongue]
    subject = language.tongue.space.join(rng.choices(language.words, k=rng.randint(2, 6))).capitalize()
    # The square makes some people write often and most of them rarely.
    other = people[int(len(people) * rng.random() ** 2)]
    return Thread(f"t{number:06}", tongue, f"{subject} {number}", other, (), ())


def _email(thread: Thread, reply: bool, language: _Language, at: datetime, rng: random.Random) -> tuple[bytes, Thread]:
    """The next email of a thread, and the thread after it."""
    sender, recipient = (_OWNER, thread.other) if rng.random() < 0.4 else (thread.other, _OWNER)
    charset, encoding = rng.choice(language.tongue.wire)
    message_id = f"{rng.getrandbits(96):024x}@{sender[1].partition('@')[2]}"
    sentences = language.text(rng)
    subject = f"Re: {thread.subject}" if reply else thread.subject
    fields = [
        *_way(sender[1], recipient[1], at, rng),
        ("From", wire.mailbox(*sender, charset)),
        ("To", wire.mailbox(*recipient, charset)),
        ("Subject", wire.encoded(subject, charset)),
        ("Date", format_datetime(at)),
        ("Message-ID", f"<{message_id}>"),
        *_answer(thread.references),
        ("MIME-Version", "1.0"),
    ]
    head = "".join(wire.field(*item) for item in fields).encode("ascii")
    body = _body(sentences, thread, sender[0], charset, encoding, rng)
    references = (*thread.references, message_id)[-_REFERENCES:]
    after = Thread(thread.name, thread.tongue, thread.subject, thread.other, references, sentences[:_QUOTED])
    return wire.crlf(head + body), after


def _way(sender: str, recipient: str, at: datetime, rng: random.Random) -> list[tuple[str, str]]:
    """What servers add, about 2 KB of it."""
    domain = sender.partition("@")[2]
    stamp = format_datetime(at)
    hops = [("Received", _hop(hop, domain, recipient, stamp, rng)) for hop in range(3)]
    signature = " ".join(f"{rng.getrandbits(256):064x}" for _ in range(6))
    return [
        ("Delivered-To", recipient),
        ("Return-Path", f"<{sender}>"),
        *hops,
        ("Authentication-Results", f"mx.acme.example; dkim=pass header.d={domain}; spf=pass smtp.mailfrom={sender}"),
        ("DKIM-Signature", f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=s1; h=from:to:subject:date; b={signature}"),
        ("X-Transport-Trace", " ".join(f"{rng.getrandbits(256):064x}" for _ in range(8))),
    ]


def _hop(hop: int, domain: str, recipient: str, stamp: str, rng: random.Random) -> str:
    host = f"mx{hop}.{domain}"
    source = f"from {host} ({host} [192.0.2.{rng.randint(1, 250)}]) by relay{hop}.acme.example"
    return f"{source} with ESMTPS id {rng.getrandbits(60):015x} for <{recipient}>; {stamp}"


def _answer(references: tuple[str, ...]) -> list[tuple[str, str]]:
    if not references:
        return []
    return [("In-Reply-To", f"<{references[-1]}>"), ("References", " ".join(f"<{one}>" for one in references))]


def _body(sentences: Sequence[str], thread: Thread, name: str, charset: str, encoding: str, rng: random.Random) -> bytes:
    paragraphs = [" ".join(sentences[start : start + 4]) for start in range(0, len(sentences), 4)]
    quoted = [" ".join(thread.sentences[start : start + 4]) for start in range(0, len(thread.sentences), 4)]
    # People who write UTF-8 mostly have something in it that is not ASCII.
    name = f"– {name}" if charset == "utf-8" else name
    plain = "\n\n".join([*paragraphs, name, *(f"> {line}" for line in quoted), _FOOTER])
    text = wire.text_part("plain", plain, charset, encoding)
    if rng.random() < 0.1:
        body = text
    else:
        html = wire.text_part("html", _html(paragraphs, quoted, name), charset, encoding)
        body = wire.multipart("alternative", f"=_{rng.getrandbits(96):024x}", [text, html])
    files = [_file(rng) for _ in range(rng.choice(_FILES))] if rng.random() < _WITH_FILES else []
    return wire.multipart("mixed", f"=_{rng.getrandbits(96):024x}", [body, *files])


def _html(paragraphs: Sequence[str], quoted: Sequence[str], name: str) -> str:
    own = "\n".join(f"{_PARAGRAPH}{line}</p>" for line in (*paragraphs, name))
    quote = "\n".join(f"{_PARAGRAPH}{line}</p>" for line in quoted)
    block = f'<blockquote style="border-left:1px solid #ccc;padding-left:1ex">\n{quote}\n</blockquote>' if quoted else ""
    return f"<html><head><style>p{{margin:0}}</style></head>\n<body>\n{own}\n{block}\n{_PARAGRAPH}{_FOOTER}</p>\n</body></html>"


def _file(rng: random.Random) -> bytes:
    """Bytes that do not compress, as those of pictures and PDFs."""
    ending, kind = rng.choice(_KINDS)
    size = int(_SMALLEST * (_LARGEST / _SMALLEST) ** rng.random())
    return wire.file_part(f"file-{rng.getrandbits(32):08x}.{ending}", kind, rng.randbytes(size))


def _person(rng: random.Random) -> tuple[str, str]:
    first, last, domain = ("".join(rng.choices("bcdfglmnprst", k=1) + rng.choices("aeiou", k=1)) * 2 for _ in range(3))
    number = rng.randint(1, 600)
    return f"{first.title()} {last.title()}", f"{first}.{last}{rng.randint(1, 99)}@{domain}{number}.example"
