"""Text as the words by which it is found: case and accents folded; scripts without spaces as pairs of characters.

Queries are folded by the same functions. No stemming: what it gains in one language it loses in the others.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain, filterfalse, islice
from operator import add

# Accents and vowel points, which people leave out when they search, and signs that are not seen.
_ACCENTS = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u1dc0-\u1dff\u200b-\u200f]+"
)
# Letters that Unicode does not take apart, though people type them without their stroke.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_STROKE = re.compile("[øłđħıæœþð]")
# Other marks (the vowels of Devanagari, Tamil …) belong to their word, though Python does not count them as letters.
_MARKS = "".join(chr(one) for one in range(0x0900, 0x1D00) if unicodedata.category(chr(one)).startswith("M"))
# A word of more than 40 letters (base64, a link's key) counts as several.
_LONGEST = 40
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}]){{0,{_LONGEST - 1}}}")
# ASCII letters as small ones and what stands between words as spaces, in UTF-8; bytes of all other characters as they are.
_APART = bytes(one if one >= 0x80 or chr(one).isalnum() else 0x20 for one in range(0x100)).lower()
# Han, kana, Hangul, Thai, Lao, Burmese, Khmer: written without spaces, or with endings that a search leaves out.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003fffd]+"
)
# The classes of search tokens: one word has unrelated tokens in each (vault.tokens), so a level that shows people but not
# content can be searched so far and no further. The last three filter: by mailbox_id, folder_word(…), ATTACHMENT.
PEOPLE, SUBJECT, BODY, FILES, MAILBOX, FOLDER, HAS = "people", "subject", "body", "files", "mailbox", "folder", "has"
ATTACHMENT = "attachment"

# Honest mail stays far below; a log file of 50 MB must not become a million tokens.
MOST_WORDS = 10_000
_MOST_TEXT = 2_000_000


def fold(text: str) -> str:
    """Text without case and accents, in Unicode's compatibility form: ﬁ is fi, ß is ss, Ａ is a."""
    if text.isascii():
        return text.lower()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    if bare.isascii():
        return bare.lower()
    folded = bare.casefold()
    # A search that finds nothing costs a tenth of str.translate (measured).
    return unicodedata.normalize("NFC", folded.translate(_PLAIN) if _STROKE.search(folded) else folded)


def words(text: str) -> list[str]:
    """The distinct words of a text: at most 10,000, from its first two million characters."""
    # Letters fold alike wherever they stand. So what is plain ASCII, most of most texts, is spared what other scripts need.
    found = dict.fromkeys(_plain_words(text[:_MOST_TEXT]))
    if others := " ".join(filterfalse(str.isascii, found)):
        found = dict.fromkeys(chain(filter(str.isascii, found), _words_of_any_script(fold(others))))
    if max(map(len, found), default=0) > _LONGEST:
        found = dict.fromkeys(chain.from_iterable(map(_WORD.findall, found)))
    return list(found) if len(found) <= MOST_WORDS else list(islice(found, MOST_WORDS))


def _plain_words(text: str) -> list[str]:
    """Words of ASCII letters, and uncut what has others in it. A table is five times as fast as a pattern (measured)."""
    return text.encode("utf-8", "surrogatepass").translate(_APART).decode("utf-8", "surrogatepass").split()


def _words_of_any_script(folded: str) -> Iterator[str]:
    if folded.isascii():  # as most Latin words are without their accents
        yield from _plain_words(folded)
        return
    runs = _UNSPACED.findall(folded)
    for run in runs:
        yield from map(add, run, run[1:]) if len(run) > 1 else run
    yield from _WORD.findall(_UNSPACED.sub(" ", folded) if runs else folded)


def of_person(name: str, email: str) -> set[str]:
    """Words of name and address, and the whole address."""
    return {*words(name), *words(email.replace("@", " ")), email}


def bcc_class(mailbox_id: int) -> str:
    """The class of Bcc people: keyed with their mailbox, since only who may read that one may find them."""
    return f"bcc/{mailbox_id}"


def folder_word(mailbox_id: int, provider_id: str) -> str:
    """The word of a folder or label, in the class FOLDER."""
    return f"{mailbox_id}/{provider_id}"
