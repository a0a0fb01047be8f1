"""What stays the same of a mail whichever way it came: its text without what transport, lists, gateways and programs change.

Cheap marks only (mail.marks): what is cut here is never lost, since the core is hashed, not stored. A mark that is missed makes
two messages where there is one, and a job finds them later (ingest.near); a mark that cuts too much is held in check by the id
key beside it.
"""

import re
import unicodedata
from collections.abc import Sequence

from flowcrm.mail import links

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u2060-\u2064\ufeff]+")
# What gateways write above a mail from outside. It may be wrapped anywhere, so it is looked for in one line.
_TAG = (
    r"(?:\[\s*(?:external|extern|externe|externo|ext)(?:\s+(?:e-?mail|sender|message|mail))?\s*\]"
    r"|external (?:e-?mail|sender|message)\s?[:!-])\W{0,3}"
)
_WARNING = (
    r"\W{0,5}(?:caution|warning|attention|alert|notice|external(?:\s+e-?mail|\s+message)?|vorsicht|achtung|precaución|atención"
    r"|attenzione|cuidado|let op)\b[^.]{0,200}?\b(?:external|outside|extern\w*|außerhalb|extérieur|fuera|esterno|fora|buiten)\b"
    r"[^.!]{0,200}[.!]"
)
_ADVICE = (
    r"(?:\s*(?:please |bitte |veuillez )?(?:do not|don't|never|exercise|use caution|be careful|think before|only (?:click|open)"
    r"|klicken|öffnen|seien|ne (?:cliquez|pas)|n'ouvrez|no haga|no abra|non (?:cliccare|aprire)|não clique)[^.!]{0,300}[.!])*"
)
_FIRST_CONTACT = r"\W{0,3}you don't often get e-?mail from .{3,200}?learn why this is important\S*(?:\s+at\s+\S+)?"
_PROOFPOINT = r"\W{0,3}zjqcmqryfpfptbannerstart.{0,1500}?zjqcmqryfpfptbannerend"
_BANNER = re.compile(rf"\s*(?:(?:{_TAG}|{_WARNING}){_ADVICE}|{_FIRST_CONTACT}|{_PROOFPOINT})\W{{0,3}}", re.IGNORECASE)
_BANNER_WITHIN = 3_000
_MOST_BANNERS = 4
# What companies and scanners write below.
_DISCLAIMER = re.compile(
    r"\b(?:confidentiality notice\b|disclaimer\s*:|this (?:e-?mail|message|communication)[^.]{0,80}\b(?:is|are|may be"
    r"|contains?)[^.]{0,60}\b(?:confidential|privileged|intended only)|diese e-?mail (?:enthält|ist)[^.]{0,40}vertraulich"
    r"|ce (?:message|courriel)[^.]{0,80}confidentiel|este (?:mensaje|correo)[^.]{0,80}confidencial)",
    re.IGNORECASE,
)
_DISCLAIMER_WORDS = ("confidential", "disclaimer", "privileged", "intended only", "vertraulich")
MOST_TEXT = 200_000
_ANSWERS = r"(?:re|fwd?|aw|wg|antw|sv|vs|tr|rv|ref|rif|odp|res|enc|回复|答复|转发)\s?(?:\[\d+\]|\(\d+\))?\s?[:：]"
_REPLY_PREFIX = re.compile(rf"\s*{_ANSWERS}", re.IGNORECASE)
_SUBJECT_PREFIX = re.compile(rf"\s*(?:{_ANSWERS}|\[[^\]]{{1,40}}\]|\*{{3,}}[^*]{{1,20}}\*{{3,}})", re.IGNORECASE)


def normalised(text: str) -> str:
    """Text without what transport changes: white space and line ends, invisible characters, composed or decomposed letters."""
    bare = "".join(text.split())
    if bare.isascii():
        return bare
    # All invisible characters but U+034F count as not printable, and hardly any mail has one.
    if not bare.isprintable() or "\u034f" in bare:
        bare = _INVISIBLE.sub("", bare)
    return unicodedata.normalize("NFC", bare)


def core(own_lines: Sequence[str], text: str) -> str:
    """The normalised own words (mail.marks.own_lines of `text`), without banners, disclaimers and rewritten links. Where that
    leaves nothing, the whole text."""
    line = " ".join(" ".join(own_lines).split())[:MOST_TEXT]
    start, end = _own_words(line)
    return normalised(_plain_links(line[start:end])) or normalised(text)


def core_lines(own_lines: Sequence[str], text: str) -> tuple[str, ...]:
    """The core, cut where a line ends in `text`; without empty lines."""
    lines = [line for one in own_lines if (line := " ".join(one.split()))]
    start, end = _own_words(" ".join(lines)[:MOST_TEXT])
    own, at = [], 0
    for line in lines:
        own.append(line[max(start - at, 0) : max(end - at, 0)])
        at += len(line) + 1
    return _normalised_lines(own) or _normalised_lines(text.split("\n"))


def folded_subject(subject: str) -> str:
    """The subject without Re:, Fwd: and the tags that lists and gateways put in front."""
    return normalised(_without(_SUBJECT_PREFIX, subject)).casefold()


def own_subject(subject: str) -> str:
    """The subject without Re: and Fwd:."""
    return " ".join(_without(_REPLY_PREFIX, subject).split())


def _without(prefix: re.Pattern[str], subject: str) -> str:
    at = 0
    while match := prefix.match(subject, at):
        at = match.end()
    return subject[at:]


def _own_words(line: str) -> tuple[int, int]:
    """Where the own words begin, below banners, and where they end, above a disclaimer."""
    start = 0
    for _ in range(_MOST_BANNERS):
        banner = _BANNER.match(line, start, start + _BANNER_WITHIN)
        if not banner:
            break
        start = banner.end()
    return start, start + _disclaimer_start(line[start:])


def _disclaimer_start(line: str) -> int:
    # The pattern costs a hundred times this look, and hardly any mail has one.
    folded = line.lower()
    found = _DISCLAIMER.search(line) if any(word in folded for word in _DISCLAIMER_WORDS) else None
    return found.start() if found and found.start() else len(line)


def _normalised_lines(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for one in lines if (line := normalised(_plain_links(one))))


def _plain_links(line: str) -> str:
    return links.LINK.sub(lambda link: links.plain(link[0]), line) if "://" in line else line
