"""What stays the same of a mail whichever way it came: its text without what others, programs and lists put around it.

Cheap marks only (a full reading of quotes costs ten times the rest of ingest): what is cut here is never lost, since the core is
hashed, not stored. A mark that is missed makes two messages where there is one; one that cuts too much may never make one of two.
"""

import re
import unicodedata

_SPACE = re.compile(r"\s+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
# Where the own words end. An introduction of a quote may be wrapped over two lines.
_END = re.compile(
    r"""^(?:
        --\s?$                                            # signature (RFC 3676 section 4.3)
      | _{20,}\s*$                                        # list footer, Outlook's rule
      | -{3,}\s*(?:Original|Urspr|Forwarded|Weitergeleitet|Message\ d'origine|Mensaje\ original).*
      | (?:On|Am|Le|El|Il|Op|Em|Den|W\ dniu)\s.{0,200}?(?:wrote|schrieb|écrit|escribió|ha\ scritto|schreef|escreveu|skrev|napisał).{0,60}:\s*$
      | (?:You\ received\ this\ message\ because\ you\ are\ subscribed|To\ unsubscribe\ from\ this).*
    )""",
    re.MULTILINE | re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"^\s*[>|].*$", re.MULTILINE)
_BANNER = re.compile(
    r"^\W*(?:CAUTION|WARNING|ATTENTION|VORSICHT|ACHTUNG|EXTERNAL(?:\s+E-?MAIL)?)\b[^\n]{0,300}(?:external|outside|extern|sender|absender)[^\n]*$"
    r"|^\W*\[?(?:EXTERNAL|EXTERN)\]?\W*$",
    re.MULTILINE | re.IGNORECASE,
)
_LINK = re.compile(r"https?://\S+")
MOST_TEXT = 200_000


def normalised(text: str) -> str:
    """Text without what transport changes: white space, line ends, invisible characters, composed or decomposed letters."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFC", text))).strip()


def core(text: str) -> str:
    """The normalised text without quotes, signature, list footer, banners, and the targets of links (trackers rewrite them)."""
    own = _BANNER.sub("", text[:MOST_TEXT])
    end = _END.search(own)
    # A mail that begins with its quote (or is nothing else) has its own words below it.
    if end and own[: end.start()].strip():
        own = own[: end.start()]
    own = normalised(_LINK.sub("", _QUOTED.sub("", own)))
    return own or normalised(text[:MOST_TEXT])
