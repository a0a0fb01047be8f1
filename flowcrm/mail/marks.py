"""Cheap marks in plain text: what in it is quoted, signed below, or added by gateways and lists.

They serve the snippet and the core hash of every mail at ingest, where a whole reply parser would cost more than all the rest,
and they are the first look when a mail is shown. What they miss does no harm at ingest: the same mail has the same text in
every mailbox.
"""

import re
from collections.abc import Callable, Sequence

# Longer lines are text, whatever they begin with; the patterns below would spend their time on them.
_LONGEST_MARK = 400
_MOST_LINES = 20_000
_QUOTED = re.compile(r"\s{0,3}>")
# "On … wrote:" in the languages of the clients that people use. It must also name a date or an address.
_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|geschrieben|a écrit|écrivait|escribió|escribi[oó]|ha scritto|scrisse|escreveu|schreef"
    r"|geschreven|skrev|kirjoitti|napsala?|napísala?|napisała?|napisał\(a\)|napsal\(a\)|пишет|писала?|написала?|пише|yazdı"
    r"|şunları yazdı|írta|έγραψε|a scris|napisao je|đã viết)\b.{0,80}[:：]$|(?:写道|寫道|のメッセージ|님이 작성)\s*[:：]$",
    re.IGNORECASE,
)
# How the first line of such an introduction begins: with a date, or with the word that leads to it.
_BEGINS_ATTRIBUTION = re.compile(
    r"\s*(?:\d|(?:on|am|le|el|il|em|op|den|dne|dnia|w dniu|på|vào|pe|în|dana|at|in|a|mon|tue|wed|thu|fri|sat|sun)\b)",
    re.IGNORECASE,
)
_DATE_OR_ADDRESS = re.compile(r"\d{1,4}\D{1,12}\d{1,4}|\S@\S")
_ATTRIBUTION_LINES = 4
_LONGEST_VERB = 120
# What the line above a reply's copied header says, when it says anything.
_ORIGINAL = re.compile(
    r"[-_ *]{3,}\s?(?:original message|original-?nachricht|ursprüngliche nachricht|message d'origine|message original"
    r"|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|oprindelig meddelelse|original meddelelse"
    r"|ursprungligt meddelande|opprinnelig melding|wiadomość oryginalna|původní zpráva|исходное сообщение|özgün ileti"
    r"|alkuperäinen viesti|原始邮件|原始郵件|원본 메시지|元のメッセージ|.{2,80} wrote)\s?[-_ *]{3,}",
    re.IGNORECASE,
)
# What stands above a forwarded mail: between dashes in most programs, as a line of its own in Apple's.
_FORWARDED = re.compile(
    r"[> ]{0,6}-{2,}\s?[^-]{0,40}(?:forward|weitergeleit|transfér|reenviad|encaminhad|inoltrat|doorgestuurd|videresend"
    r"|vidarebefordra|välitet|edelleenlähet|przekazan|przesłan|přeposlan|preposlan|proslijeđen|továbbított|redirecționat|iletilen"
    r"|перенаправ|пересл|пересыл|転送|转发|轉寄)[^-]{0,40}-"
    r"|[> ]{0,6}(?:begin forwarded message|anfang der weitergeleiteten|début du message réexp|inicio del mensaje reenv"
    r"|inizio messaggio inolt|início da mensagem (?:re)?encam|begin doorgestuurd|początek przekaz|start på videresendt"
    r"|vidarebefordrat mejl|videresendt melding|továbbított levél|välitetty viesti|započni proslij|začiatok preposl"
    r"|začátek přepos|începe mesajul redir|(?:İ|i)leti başlangıcı|начало переадрес|початок листа, що перес)[^:：]{0,20}[:：]",
    re.IGNORECASE,
)
# The header that Outlook and others copy above a quote: a sender's line, and two more soon after it.
_SENDER_LINE = re.compile(
    r"[> *]{0,6}(?:from|von|de|da|van|fra|från|lähettäjä|od|от|від|gönderen|kimden|feladó|από|expéditeur"
    r"|差出人|发件人|寄件者|보낸 사람)\s?\*?\s?[:：]\s?\S",
    re.IGNORECASE,
)
_LONGEST_SENDER = 30
_HEADER_LINE = re.compile(r"[> *]{0,6}[^\s:：<>@][^:：<>@]{0,24}\*?\s?[:：](?:\s|$|\*)")
_HEADER_LINES_LOOKED_AT = 6
_RULE = re.compile(r"[-_=*]{8,400}$")
_SIGNATURE = re.compile(r"-- ?$|_{2,3}$")
_PHONE_SIGNATURE = re.compile(
    r"(?:sent from (?:my|outlook|mail|yahoo|proton)|get outlook for|(?:von|diese nachricht wurde von) meinem .{1,40} gesendet"
    r"|envoyé (?:de mon|depuis)|enviado (?:desde|do meu|de mi)|inviato da|verzonden vanaf|verstuurd vanaf|skickat från"
    r"|sendt fra)\b",
    re.IGNORECASE,
)
_LONGEST_PHONE_SIGNATURE = 50
_LONGEST_SIGNATURE = 15
# What lists and scanners hang below a mail.
_FOOTER = re.compile(
    r"[-_=*~#]{8,}$|to unsubscribe|you received this message because|you are receiving this"
    r"|this email has been (?:checked|scanned)|virus-free\.|do you yahoo|this sf\.net email|yahoo! groups sponsor",
    re.IGNORECASE,
)


def is_quoted(line: str) -> bool:
    """Does a quote mark stand in front?"""
    # Nearly all marks stand in front of everything, and nearly all lines have none: that is seen without the pattern.
    return line.startswith(">") or (line[:1].isspace() and _QUOTED.match(line) is not None)


def quote_start(lines: Sequence[str]) -> int:
    """The line where the quoted mail below a reply begins, its introduction included; len(lines) where there is none.

    A quote with own text below it stays: who answers in between wants both to be read.
    """
    below: list[bool] | None = None
    for at, line in enumerate(lines):
        stripped = line.strip()
        if not stripped or len(stripped) > _LONGEST_MARK:
            continue
        if stripped[0] == ">" and is_quoted(line):
            below = below or _own_text_below(lines)
            if not below[at]:
                return _introduction(lines, at)
        elif (stripped[0] in "-_*" and _ORIGINAL.match(stripped)) or _is_copied_header(lines, at):
            return _rule_above(lines, at)
        elif stripped[-1] in ":：" and (start := _attribution_start(lines, at)) is not None:
            below = below or _own_text_below(lines)
            if not below[at + 1] or not is_quoted(next(one for one in lines[at + 1 :] if one.strip())):
                return start
    return len(lines)


def forward_start(lines: Sequence[str]) -> int:
    """The line where a forwarded mail begins; len(lines) where there is none."""
    for at, line in enumerate(lines):
        stripped = line.strip()
        if stripped and (stripped[0] in "-_*>" or stripped[-1] in ":：") and _FORWARDED.match(stripped[:_LONGEST_MARK]):
            return at
    return len(lines)


def signature_start(lines: Sequence[str]) -> int:
    """The line where the signature below a text begins, or what a list hangs there; len(lines) where there is none."""
    last = len(lines)
    while last and not lines[last - 1].strip():
        last -= 1
    found = len(lines)
    for at in range(last - 1, max(-1, last - 1 - _LONGEST_SIGNATURE), -1):
        stripped = lines[at].strip()
        if _SIGNATURE.match(lines[at]) or (len(stripped) <= _LONGEST_PHONE_SIGNATURE and _PHONE_SIGNATURE.match(stripped)):
            return at
        if at and len(stripped) <= _LONGEST_MARK and _FOOTER.match(stripped):
            found = at
    return found


def own_lines(text: str) -> list[str]:
    """What its writer wrote: without quotes, what introduces them, forwarded mail, signature and what lists hang below."""
    lines = text.split("\n", _MOST_LINES)
    lines = lines[: min(quote_start(lines), forward_start(lines))]
    if any(map(is_quoted, lines)):
        lines = [line for at, line in enumerate(lines) if not is_quoted(line) and not _introduces_quote(lines, at)]
    return lines[: signature_start(lines)]


def _own_text_below(lines: Sequence[str]) -> list[bool]:
    """For each line: is there anything from it on, up to a signature or footer, that is not quoted?"""
    found = [False] * (len(lines) + 1)
    for at in range(len(lines) - 1, -1, -1):
        stripped = lines[at].strip()
        if not stripped or is_quoted(lines[at]):
            found[at] = found[at + 1]
        else:
            found[at] = len(stripped) > _LONGEST_MARK or not _is_end(lines[at], stripped)
    return found


def _is_end(line: str, stripped: str) -> bool:
    return any(mark is not None for mark in (_SIGNATURE.match(line), _FOOTER.match(stripped), _PHONE_SIGNATURE.match(stripped)))


def _introduction(lines: Sequence[str], at: int) -> int:
    """Where the lines that introduce the quote at `at` begin: a short paragraph above it that names a date or an address."""
    end = at
    while end and not lines[end - 1].strip():
        end -= 1
    start = _first_line(lines, end, _introduces)
    return at if start is None else start


def _attribution_start(lines: Sequence[str], at: int) -> int | None:
    """Where the "On … wrote:" that ends at line `at` begins, or None if it is none."""
    return _first_line(lines, at + 1, lambda joined: _WROTE.search(joined[-_LONGEST_VERB:]) is not None)


def _introduces(joined: str) -> bool:
    return joined.endswith((":", "：", ">"))


def _first_line(lines: Sequence[str], end: int, is_one: Callable[[str], bool]) -> int | None:
    """The first of the few lines above `end` that together are an introduction: the one with the date or the word before it."""
    found = None
    for start in range(end - 1, max(-1, end - 1 - _ATTRIBUTION_LINES), -1):
        if not lines[start].strip() or is_quoted(lines[start]) or len(lines[start]) > _LONGEST_MARK:
            break
        joined = " ".join(line.strip() for line in lines[start:end])
        if is_one(joined) and _DATE_OR_ADDRESS.search(joined):
            found = start
            if _BEGINS_ATTRIBUTION.match(lines[start]):
                break
    return found


def _introduces_quote(lines: Sequence[str], at: int) -> bool:
    below = next((line for line in lines[at + 1 : at + 3] if line.strip()), "")
    return is_quoted(below) and _introduces(lines[at].rstrip()) and _DATE_OR_ADDRESS.search(lines[at]) is not None


def _is_copied_header(lines: Sequence[str], at: int) -> bool:
    start = lines[at][:_LONGEST_SENDER]
    if (":" not in start and "：" not in start) or not _SENDER_LINE.match(lines[at]):
        return False
    below = lines[at + 1 : at + 1 + _HEADER_LINES_LOOKED_AT]
    return sum(_HEADER_LINE.match(line) is not None for line in below) >= 2


def _rule_above(lines: Sequence[str], at: int) -> int:
    """Where the line that Outlook draws above a copied header stands, or `at`."""
    above = at - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _RULE.match(lines[above].strip()) else at
