"""Email addresses: what an address header says (RFC 5322 sections 3.4 and 4.4), and one form of each address for comparing."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import idna

from flowcrm.mail import charsets
from flowcrm.mail.headers import characters, decode_words
from flowcrm.mail.types import Address

_TOKEN = re.compile(
    r"""
    (?P<quoted>"(?:[^"\\]|\\.)*")
  | <(?P<angle>(?:"(?:[^"\\]|\\.)*"|[^<>"])*)>
  | (?P<comment>\()
  | (?P<special>[,;:])
  | (?P<unclosed>")
  | (?P<atom>(?:\[[^\[\]<>,;]*\]|[^\s,;:<>"()])+)
  | (?P<space>\s+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_COMMENT = re.compile(r"\\.|[()]", re.DOTALL)
_INNER_COMMENT = re.compile(r"\([^()]*\)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SIMPLE = re.compile(r"""(?:"([^"\\<>@]*)"|([^"<>,;:()@\[\]\\]*?))\s*<([^\s<>@",;:()\[\]\\]+@[^\s<>@",;:()\[\]\\]+)>""")
_BARE = re.compile(r"""[^\s<>@",;:()\[\]\\]+@[^\s<>@",;:()\[\]\\]+""")
# What no address has, unless it stands in quotes or brackets: the name of a group, a list, prose.
_NO_ADDRESS = re.compile(r"[;:,]")
_ROUTE = re.compile(r"@[^:]*:")
_NEEDLESS_QUOTES = re.compile(r'"([A-Za-z0-9!#$%&\'*+/=?^_`{|}~.-]+)"')
# RFC 1035 section 2.3.4; the underline stands in real ones.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
LONGEST_DOMAIN = 254
# Nobody's domain has more.
_MOST_LABELS = 8
# More people than this in one mail are an attack.
MOST = 5_000
_MOST_TEXT = 256_000


def normalise(email: str) -> str:
    """The one form in which an address is compared and hashed: Unicode NFC, case folded, the domain as IDNA ASCII (RFC 5890).

    Any str gives a str, and giving that again changes nothing. Dots and +tags stay: their meaning is the host's.
    """
    email = charsets.clean_line(email).strip("<> .")
    local, at, domain = email.rpartition("@")
    if quoted := _NEEDLESS_QUOTES.fullmatch(local):
        local = quoted[1]
    return f"{_fold(local)}@{_domain(domain.strip())}" if at else _fold(email)


def domain_of(email: str) -> str:
    """The domain of a normalised address, "" where it has none."""
    return email.rpartition("@")[2] if "@" in email else ""


def is_domain(domain: str) -> bool:
    """Whether a (normalised) text is a domain with two labels or more: nobody's address ends in "com" alone."""
    labels = domain.split(".")
    return len(labels) > 1 and len(domain) <= LONGEST_DOMAIN and all(_LABEL.fullmatch(one) for one in labels)


def domains_above(domain: str) -> tuple[str, ...]:
    """The domains that a (normalised) one lies below, nearest first, without the last label: `mail.x.example` gives
    `x.example`. Of a name that is nothing but dots only the last few."""
    labels = domain.split(".")
    return tuple(".".join(labels[place:]) for place in range(max(1, len(labels) - _MOST_LABELS), len(labels) - 1))


def parse(value: bytes, hint: str | None = None) -> tuple[Address, ...]:
    """Everybody in one address header, groups flattened, in order. `email` is "" where the header gives only a name.

    The structure is read from what stands in the header; encoded words are decoded afterwards, so that nothing in a name can
    become an address or another person. hint: the charset of the mail's text, for raw 8-bit names.
    """
    line = characters(value[:_MOST_TEXT], hint)
    if match := _SIMPLE.fullmatch(line):
        return (_address(match[1] or match[2] or "", match[3]),)
    if _BARE.fullmatch(line):
        return (_address("", line),)
    return tuple(islice(_join_split_names(_people(line)), MOST))


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    # Folding may take text out of NFC and the reverse; three rounds reach the end for every character that Unicode has.
    for _ in range(3):
        text = unicodedata.normalize("NFC", text.casefold())
    return text


def _domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError, ValueError):
        return _fold(domain)


@dataclass(slots=True)
class _Reading:
    """One address while it is being read. words: the phrase before the <>; angle: what stood in <>; comments: what in ()."""

    words: list[str] = field(default_factory=list)
    angle: str | None = None
    comments: list[str] = field(default_factory=list)
    # `"a b"@c` and `a @ c` are addresses, but `a b@c` is a word and an address.
    spaced: bool = True
    # It follows an address without a comma: it counts if it is one too.
    trailing: bool = False

    def add(self, word: str) -> None:
        before = self.words[-1] if self.words else ""
        glued = (
            not self.spaced or word.startswith("@") or before.endswith("@") or ("@" in before and "." in (before[-1], word[0]))
        )
        if before and glued:
            self.words[-1] += word
        else:
            self.words.append(word)
        self.spaced = False

    def address(self) -> Address | None:
        """The address that was read, or None where nothing was."""
        comment = " ".join(self.comments)
        if self.angle is not None:
            inside = _ROUTE.sub("", _INNER_COMMENT.sub("", self.angle).strip(), count=1)
            return _address(self._phrase(self.words) or comment, inside if '"' in inside else "".join(inside.split()))
        at = next((place for place in reversed(range(len(self.words))) if _has_domain(self.words[place])), None)
        if at is not None:
            return _address(self._phrase(self.words[:at] + self.words[at + 1 :]) or comment, self.words[at])
        if self.words or comment:
            return _address(self._phrase(self.words) or comment, "")
        return None

    @staticmethod
    def _phrase(words: list[str]) -> str:
        return " ".join(map(_unquoted, words))


def _people(line: str) -> Iterator[Address]:
    reading, at = _Reading(), 0
    while match := _TOKEN.match(line, at):
        at, kind, token = match.end(), match.lastgroup, match[0]
        if kind == "space":
            reading.spaced = True
        elif reading.angle is not None and kind in ("atom", "quoted", "angle"):
            # No comma after an address: what follows is the next one.
            yield from _found(reading)
            reading, at = _Reading(trailing=True), match.start()
        elif kind in ("atom", "quoted"):
            reading.add(token)
        elif kind == "angle":
            reading.angle = match["angle"]
        elif kind == "comment":
            at, line = _read_comment(reading, line, at)
        elif kind == "unclosed":
            # Once is an accident. To look for the end of each would take for ever in a header of nothing else.
            line = line[:at] + line[at:].replace('"', " ")
        elif token == ":" and not any(map(_has_domain, reading.words)):
            reading = _Reading()  # the name of a group, or mailto:
        elif kind == "special":
            yield from _found(reading)
            reading = _Reading()
    yield from _found(reading)


def _found(reading: _Reading) -> Iterator[Address]:
    address = reading.address()
    if address and (address.email or (address.name and not reading.trailing)):
        yield address


def _read_comment(reading: _Reading, line: str, at: int) -> tuple[int, str]:
    """Read the comment that opened before `at`; comments nest. Gives the place behind it, and the line to go on with."""
    depth = 1
    for match in _IN_COMMENT.finditer(line, at):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            reading.comments.append(_ESCAPED.sub(r"\1", line[at : match.start()]).strip())
            return match.end(), line
    # Never closed: as with quotes, brackets count for nothing from here on.
    return at, line[:at] + line[at:].replace("(", " ").replace(")", " ")


def _join_split_names(people: Iterator[Address]) -> Iterator[Address]:
    """`Doe, John <j@x.com>` without quotes is one person: a name alone belongs to the address that follows it."""
    waiting: list[Address] = []
    for person in people:
        if not person.email:
            waiting.append(person)
            continue
        if waiting and person.name:
            name = ", ".join(one.name for one in [*waiting, person])
            waiting, person = [], Address(name, person.email)
        yield from waiting
        waiting = []
        yield person
    yield from waiting


def _has_domain(word: str) -> bool:
    local, at, domain = word.rpartition("@")
    return bool(at and local and domain)


def _unquoted(word: str) -> str:
    if len(word) > 1 and word.startswith('"') and word.endswith('"'):
        return _ESCAPED.sub(r"\1", word[1:-1])
    return word


def _address(name: str, email: str) -> Address:
    name = _without_apostrophes(charsets.clean_line(decode_words(name)))
    email = _without_apostrophes(email.removeprefix("mailto:"))
    normal = normalise(email)
    if not _has_domain(normal) or ('"' not in email and "[" not in email and _NO_ADDRESS.search(email)):
        return Address(name or charsets.clean_line(email), "")
    return Address("" if name == email else name, normal)


def _without_apostrophes(text: str) -> str:
    """Outlook writes 'a name' or 'an@address' so."""
    return text[1:-1].strip() if len(text) > 2 and text[0] == text[-1] == "'" else text
