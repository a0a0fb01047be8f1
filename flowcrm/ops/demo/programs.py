"""Mail programs: how each writes HTML, quotes what it answers, and names its emails.

The shapes (class names, separators, attribution lines) follow what such programs send; the ids end in .example domains.
"""

import random
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from zlib import crc32
from zoneinfo import ZoneInfo

from flowcrm.ops.demo.letters import Letter, Own
from flowcrm.ops.demo.prose import Words, wrap

_LINK = re.compile(r"https://[\w./#-]*[\w/]")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is answered or passed on, seen by the one who does it: in his or her language and time zone."""

    letter: Letter
    words: Words
    zone: ZoneInfo
    forward: bool = False

    def stamp(self, pattern: str) -> str:
        sender = self.letter.sender
        return self.words.stamp(pattern, self.letter.at.astimezone(self.zone), name=sender.name, address=sender.address)

    def fields(self) -> list[tuple[str, str]]:
        """The little header that Outlook, and a forward, put above the quoted email."""
        letter, names = self.letter, self.words.outlook_fields
        values = (
            f"{letter.sender.name} <{letter.sender.address}>",
            self.stamp(self.words.outlook_date),
            "; ".join(f"{party.name} <{party.address}>" for party in letter.to),
            "; ".join(f"{party.name} <{party.address}>" for party in letter.cc),
            letter.subject,
        )
        return [(name, value) for name, value in zip(names, values, strict=True) if value]


class Program:
    """A mail program without habits. encoding: its transfer encoding for other than ASCII. html: does it write HTML?"""

    encoding = "quoted-printable"
    html = True
    header: tuple[tuple[str, str], ...] = ()
    delimiter = "-- "

    def write(self, own: Own, quoted: Quoted | None) -> tuple[str, str]:
        """The whole text and the whole HTML of an email (the latter empty where the program writes none)."""
        text = [*(wrap(line) for line in "\n\n".join(own.paragraphs).split("\n"))]
        if own.signature:
            text += ["", *([self.delimiter] if self.delimiter else []), *own.signature]
        html = self.own_html(own) if self.html else ""
        if quoted:
            text += ["", self.quote_text(quoted)]
            html += self.quote_html(quoted) if self.html else ""
        return "\n".join(text), html

    def own_html(self, own: Own) -> str:
        paragraphs = "<div><br></div>".join(_block(paragraph, "div") for paragraph in own.paragraphs)
        return f'<div dir="{_direction(own)}">{paragraphs}{_pictures(own.pictures)}{self.signature_html(own)}</div>'

    def signature_html(self, own: Own) -> str:
        return f"<br><div>{_lines(own.signature)}{_pictures((own.logo,))}</div>" if own.signature else ""

    def quote_text(self, quoted: Quoted) -> str:
        if quoted.forward:
            head = "\n".join(f"{name}: {value}" for name, value in quoted.fields())
            return f"{quoted.words.forwarded}\n{head}\n\n{quoted.letter.text}"
        return f"{quoted.stamp(quoted.words.gmail_wrote)}\n\n{_prefixed(quoted.letter.text)}"

    def quote_html(self, quoted: Quoted) -> str:
        """Without habits: as the text has it."""
        return f"<pre>{escape(self.quote_text(quoted))}</pre>"

    def document(self, html: str) -> str:
        return f"<html><body>{html}</body></html>"

    def message_id(self, domain: str, at: datetime, rng: random.Random) -> str:
        return f"{at:%Y%m%d%H%M%S}.{rng.getrandbits(48):012x}@{domain}"

    def boundary(self, rng: random.Random) -> str:
        return f"=_{rng.getrandbits(96):024x}"


class Gmail(Program):
    def signature_html(self, own: Own) -> str:
        if not own.signature:
            return ""
        inside = f"{_lines(own.signature)}{_pictures((own.logo,))}"
        prefix = '<br clear="all"><span class="gmail_signature_prefix">-- </span><br>'
        return f'{prefix}<div dir="ltr" class="gmail_signature">{inside}</div>'

    def quote_html(self, quoted: Quoted) -> str:
        inside = _inside(quoted.letter)
        if quoted.forward:
            head = "<br>".join(f"{escape(name)}: {escape(value)}" for name, value in quoted.fields())
            attribution = f'<div dir="ltr" class="gmail_attr">{quoted.words.forwarded}<br>{head}<br></div><br><br>'
            return f'<br><div class="gmail_quote gmail_quote_container">{attribution}{inside}</div>'
        attribution = f'<div dir="ltr" class="gmail_attr">{escape(quoted.stamp(quoted.words.gmail_wrote))}<br></div>'
        style = "margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"
        quote = f'<blockquote class="gmail_quote" style="{style}">{inside}</blockquote>'
        return f'<br><div class="gmail_quote gmail_quote_container">{attribution}{quote}</div>'

    def document(self, html: str) -> str:
        return html

    def message_id(self, domain: str, _at: datetime, rng: random.Random) -> str:
        return f"CA{''.join(rng.choices(_ALPHABET, k=46))}@mail.{domain}"

    def boundary(self, rng: random.Random) -> str:
        return f"000000000000{rng.getrandbits(64):016x}"


class Outlook(Program):
    delimiter = ""
    header = (("Accept-Language", "en-GB, en-US"), ("Content-Language", "en-GB"))

    def own_html(self, own: Own) -> str:
        gap = '<p class="MsoNormal">&nbsp;</p>'
        paragraphs = gap.join(_block(paragraph, 'p class="MsoNormal"') for paragraph in own.paragraphs)
        inside = f"{paragraphs}{_pictures(own.pictures)}{self.signature_html(own)}"
        return (
            f'<div class="WordSection1" dir="rtl">{inside}</div>'
            if _direction(own) == "rtl"
            else f'<div class="WordSection1">{inside}</div>'
        )

    def signature_html(self, own: Own) -> str:
        lines = "".join(
            f'<p class="MsoNormal"><span style="font-size:9.0pt;color:#44546A">{escape(line)}</span></p>'
            for line in own.signature
        )
        logo = _pictures((own.logo,))
        return f'<p class="MsoNormal">&nbsp;</p>{lines}{logo}' if own.signature else ""

    def quote_text(self, quoted: Quoted) -> str:
        head = "\n".join(f"{name}: {value}" for name, value in quoted.fields())
        return f"{'_' * 32}\n{head}\n\n{quoted.letter.text}"

    def quote_html(self, quoted: Quoted) -> str:
        head = "<br>".join(f"<b>{escape(name)}:</b> {escape(value)}" for name, value in quoted.fields())
        line = '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        return f'<div>{line}<p class="MsoNormal">{head}</p></div></div><p class="MsoNormal">&nbsp;</p>{_inside(quoted.letter)}'

    def document(self, html: str) -> str:
        style = 'p.MsoNormal{margin:0cm;font-size:11.0pt;font-family:"Calibri",sans-serif}'
        head = f'<meta name="Generator" content="Microsoft Word 15 (filtered medium)"><style><!--\n{style}\n--></style>'
        return f'<html><head>{head}</head><body lang="EN-GB" link="#0563C1" vlink="#954F72">{html}</body></html>'

    def message_id(self, domain: str, _at: datetime, rng: random.Random) -> str:
        host = f"AM{rng.randint(0, 9)}PR04MB{rng.randint(1000, 9999)}"
        return f"{host}{rng.getrandbits(96):024X}@{host}.eurprd04.{domain}"

    def boundary(self, rng: random.Random) -> str:
        return f"_000_{rng.getrandbits(112):028X}_"


class Apple(Program):
    delimiter = ""
    header = (("X-Mailer", "Apple Mail (2.3774.600.62)"),)

    def quote_text(self, quoted: Quoted) -> str:
        if quoted.forward:
            return super().quote_text(quoted)
        return f"{quoted.stamp(quoted.words.apple_wrote)}\n\n{_prefixed(quoted.letter.text)}"

    def quote_html(self, quoted: Quoted) -> str:
        attribution = escape(quoted.words.forwarded if quoted.forward else quoted.stamp(quoted.words.apple_wrote))
        if quoted.forward:
            attribution += "".join(f"<div><b>{escape(name)}: </b>{escape(value)}</div>" for name, value in quoted.fields())
        interchange = '<br class="Apple-interchange-newline">'
        quote = f'<blockquote type="cite"><div>{attribution}</div>{interchange}<div>{_inside(quoted.letter)}</div></blockquote>'
        return f'<br id="lineBreakAtBeginningOfMessage"><div><br>{quote}</div><br>'

    def document(self, html: str) -> str:
        head = '<meta http-equiv="content-type" content="text/html; charset=utf-8">'
        style = "overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;"
        return f'<html><head>{head}</head><body style="{style}">{html}</body></html>'

    def message_id(self, domain: str, _at: datetime, rng: random.Random) -> str:
        return f"{str(uuid.UUID(int=rng.getrandbits(128), version=4)).upper()}@{domain}"

    def boundary(self, rng: random.Random) -> str:
        return f"Apple-Mail=_{str(uuid.UUID(int=rng.getrandbits(128), version=4)).upper()}"


class Plain(Program):
    """A program of people who write plain text, quote only what they answer, and put the answer below it."""

    encoding = "8bit"
    html = False
    header = (("User-Agent", "Pigeon 3.2"),)

    def write(self, own: Own, quoted: Quoted | None) -> tuple[str, str]:
        text, _ = super().write(own, None)
        if quoted is None or quoted.forward:
            return super().write(own, quoted)
        answered = "\n".join(wrap(line, 70) for line in "\n\n".join(quoted.letter.own.paragraphs).split("\n"))
        return f"{quoted.stamp(quoted.words.plain_wrote)}\n{_prefixed(answered)}\n\n{text}", ""


class Notice(Program):
    """A machine with a template: a card in the middle of the page."""

    delimiter = ""

    def own_html(self, own: Own) -> str:
        first, *rest = own.paragraphs
        body = "".join(_block(paragraph, 'p style="margin:0 0 12px"') for paragraph in rest)
        title = f'<h2 style="font-size:18px;margin:0 0 16px">{_lines([first])}</h2>'
        cell = (
            f'<td style="padding:24px;border:1px solid #dddddd;font-family:Arial,sans-serif;font-size:14px">{title}{body}</td>'
        )
        return f'<table width="100%"><tr><td align="center"><table width="560"><tr>{cell}</tr></table></td></tr></table>'

    def document(self, html: str) -> str:
        return f"<!DOCTYPE html><html><head><title></title></head><body>{html}</body></html>"


class Newsletter(Notice):
    """The same with pictures from the web, a counting pixel, and a way out at the bottom."""

    def document(self, html: str) -> str:
        banner = '<p align="center"><img src="https://images.mailing.example/banner.png" width="560" height="90" alt=""></p>'
        view = '<a href="https://mailing.example/view">View in browser</a>'
        leave = '<a href="https://mailing.example/unsubscribe">Unsubscribe</a>'
        reason = "You get this email because you signed up for it."
        foot = f'<p align="center" style="font-size:11px;color:#888888">{reason}<br>{view} | {leave}</p>'
        pixel = f'<img src="https://open.mailing.example/o/{crc32(html.encode()):08x}.gif" width="1" height="1" alt="">'
        return super().document(f"{banner}{html}{foot}{pixel}")


PROGRAMS: dict[str, Program] = {
    "gmail": Gmail(),
    "outlook": Outlook(),
    "apple": Apple(),
    "plain": Plain(),
    "notice": Notice(),
    "newsletter": Newsletter(),
}


def _direction(own: Own) -> str:
    return "rtl" if own.language == "ar" else "ltr"


def _block(paragraph: str, tag: str) -> str:
    lines = paragraph.split("\n")
    if all(line.startswith("- ") for line in lines):
        return f"<ul>{''.join(f'<li>{_linked(line[2:])}</li>' for line in lines)}</ul>"
    return f"<{tag}>{_lines(lines)}</{tag.split()[0]}>"


def _lines(lines: Iterable[str]) -> str:
    return "<br>".join(_linked(line) for line in lines)


def _linked(text: str) -> str:
    return _LINK.sub(lambda match: f'<a href="{match[0]}">{match[0]}</a>', escape(text, quote=False))


def _pictures(content_ids: Iterable[str]) -> str:
    return "".join(f'<div><img src="cid:{content_id}" alt=""></div>' for content_id in content_ids if content_id)


def _inside(letter: Letter) -> str:
    """The quoted email as HTML, also where it was plain text. Pictures stay behind: their parts are not sent again."""
    html = letter.html or f"<div>{_lines(letter.text.split(chr(10)))}</div>"
    return re.sub(r'<div><img src="cid:[^>]*></div>', "", html)


def _prefixed(text: str) -> str:
    return "\n".join(f">{line}" if line.startswith(">") else f"> {line}" if line else ">" for line in text.split("\n"))
