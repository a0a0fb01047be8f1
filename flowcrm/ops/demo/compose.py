"""From a turn of a script to an email as its writer would send it: greeting, closing, signature, quotes, attachments."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from flowcrm.ops.demo import files, prose
from flowcrm.ops.demo.letters import File, Letter, Own, Party
from flowcrm.ops.demo.programs import PROGRAMS, Quoted
from flowcrm.ops.demo.scripts import Manner, Script, Turn

_SHORT = 130
_BCC = 0.03
_AUTOMATIC = (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"), ("Precedence", "bulk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be written. to, cc: roles. first: the writer has not written in this conversation before."""

    turn: Turn
    script: Script
    parties: Mapping[str, Party]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    slots: Mapping[str, str]
    dates: Mapping[str, date]
    subject: str
    parent: Letter | None
    first: bool
    at: datetime

    @property
    def sender(self) -> Party:
        return self.parties[self.turn.by]

    @property
    def words(self) -> prose.Words:
        return prose.words(self.script.language)

    def party(self, role: str) -> Party:
        """Who stands behind a role in the header: a mailing list stands for all its readers."""
        return self.parties.get("list", self.parties[role])


def compose(request: Request, rng: random.Random) -> Letter:
    """The email. All chance comes from `rng`, so the same request and seed give the same bytes."""
    match request.turn.manner:
        case Manner.BOUNCE:
            return _bounce(request, rng)
        case Manner.AUTOMATIC:
            return _automatic(request, rng)
        case Manner.INVITE | Manner.ACCEPT:
            return _meeting(request, rng)
        case Manner.REPLY | Manner.FORWARD:
            return _written(request, rng)


def _written(request: Request, rng: random.Random) -> Letter:
    turn, sender, words, parent = request.turn, request.sender, request.words, request.parent
    body = prose.write(turn.text, request.slots, rng)
    attached = _attached(request, body, rng)
    own = _own(request, body, attached, rng)
    program = PROGRAMS[sender.person.program]
    forward = turn.manner is Manner.FORWARD
    quoted = Quoted(parent, words, sender.zone, forward) if parent else None
    text, html = program.write(own, quoted)
    if forward and parent:
        attached += tuple(file for file in parent.files if not file.content_id)
    return _letter(
        request, rng, own=own, text=text, html=html, files=attached, subject=_subject(request), headers=_list_headers(request)
    )


def _letter(
    request: Request,
    rng: random.Random,
    *,
    own: Own,
    text: str,
    subject: str,
    html: str = "",
    files: tuple[File, ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
    calendar: str = "",
) -> Letter:
    program = PROGRAMS[request.sender.person.program]
    to = tuple(request.party(role) for role in request.to)
    return Letter(
        sender=request.sender,
        to=tuple(_mistyped(party) for party in to) if request.turn.typo else tuple(dict.fromkeys(to)),
        bcc=_bcc(request, rng),
        cc=() if "list" in request.parties else tuple(request.parties[role] for role in request.cc),
        subject=subject,
        at=request.at,
        message_id=program.message_id(request.sender.domain, request.at, rng),
        own=own,
        text=text,
        html=html,
        parent=request.parent,
        files=files,
        headers=program.header + headers,
        calendar=calendar,
        manner=request.turn.manner,
    )


def _own(request: Request, body: str, attached: tuple[File, ...], rng: random.Random) -> Own:
    """The paragraphs with greeting and closing. Short answers without either often come from a telephone."""
    turn, sender, words = request.turn, request.sender, request.words
    paragraphs = [*body.split("\n\n")]
    pictures = tuple(file.content_id for file in attached if file.content_id and not file.content_id.startswith("logo"))
    machine = sender.person.program in ("notice", "newsletter") or not sender.person.call
    if machine:
        return Own(tuple(paragraphs), request.script.language, pictures=pictures)
    if turn.bare and len(body) < _SHORT and rng.random() < 0.3 and sender.person.program != "plain":
        return Own((*paragraphs, words.phone), request.script.language, pictures=pictures)
    if not turn.bare:
        paragraphs = [*_greeting(request, rng), *paragraphs, _closing(request, rng)]
    if "list" in request.parties:
        paragraphs.append(_list_footer(request.parties["list"]))
    signature = _signature(sender) if request.first or rng.random() < 0.6 else ()
    logo = next((file.content_id for file in attached if file.content_id.startswith("logo")), "") if signature else ""
    return Own(tuple(paragraphs), request.script.language, signature, pictures, logo)


def _greeting(request: Request, rng: random.Random) -> list[str]:
    words = request.words
    crowd = len(request.to) > 1 or "list" in request.parties
    pattern = rng.choice(words.everybody if crowd else words.first if request.first else words.later)
    names = {"to": request.slots[request.to[0]], **_writer(request)}
    return prose.fill(pattern, names).split("\n\n") if pattern else []


def _closing(request: Request, rng: random.Random) -> str:
    # One person mostly signs in the same way: the choice hangs on the address, with a small deviation.
    habits = request.words.close
    favourite = sum(map(ord, request.sender.address)) % len(habits)
    return prose.fill(habits[favourite] if rng.random() < 0.8 else rng.choice(habits), _writer(request))


def _writer(request: Request) -> dict[str, str]:
    sender, language = request.sender, request.script.language
    return {"from": sender.person.signed(language), "firm": sender.company.named(language) if sender.company else ""}


def _signature(sender: Party) -> tuple[str, ...]:
    person, company = sender.person, sender.company
    if company is None:
        return ()
    lines = (person.name, person.title, company.named(company.language), person.phone, f"www.{company.domain}", company.footer)
    return tuple(line for line in lines if line)


def _attached(request: Request, body: str, rng: random.Random) -> tuple[File, ...]:
    turn, sender = request.turn, request.sender
    names = [prose.fill(name, request.slots).replace("/", "-") for name in turn.files]
    found = [files.make(name, body, request.at, rng) for name in names]
    if turn.picture:
        tag = f"image{rng.randint(1, 9):03}.{rng.getrandbits(40):010X}@{sender.domain}"
        found.append(files.make(prose.fill(turn.picture, request.slots), body, request.at, rng, tag))
    if sender.company and sender.company.logo and sender.person.program != "plain" and request.first:
        # The same picture each time: a logo is one content under many ids.
        logo = random.Random(sender.company.domain)
        found.append(files.make("logo.png", "", request.at, logo, f"logo.{rng.getrandbits(40):010X}@{sender.domain}"))
    return tuple(found)


def _subject(request: Request) -> str:
    if request.parent is None:
        return request.subject
    words, outlook = request.words, request.sender.person.program == "outlook"
    if request.turn.manner is Manner.FORWARD:
        return words.forward + request.subject
    return (words.outlook_reply if outlook else words.reply) + request.subject


def _automatic(request: Request, rng: random.Random) -> Letter:
    body = prose.write(request.turn.text, request.slots, rng)
    own = Own((*body.split("\n\n"), request.sender.person.signed(request.script.language)), request.script.language)
    text, html = PROGRAMS[request.sender.person.program].write(own, None)
    return _letter(
        request, rng, own=own, text=text, html=html, subject=request.words.automatic + request.subject, headers=_AUTOMATIC
    )


def _meeting(request: Request, rng: random.Random) -> Letter:
    """An invitation for the date d1 at t1, or its acceptance."""
    invite = request.turn.manner is Manner.INVITE
    source = request.turn if invite else next(turn for turn in request.script.turns if turn.manner is Manner.INVITE)
    summary, _, details = prose.write(source.text, request.slots, rng).partition("\n\n")
    hour, minute = map(int, request.slots["t1"].split(":"))
    host = request.parties["us"]
    start = datetime.combine(request.dates["d1"], time(hour, minute), host.zone).astimezone(UTC)
    guests = [request.party(role) for role in (*request.to, *request.cc)] if invite else [request.sender]
    title = f"{summary} @ {request.slots['d1']} {request.slots['t1']}"
    line = f"{host.name} invites you to: {title}" if invite else f"{request.sender.name} has accepted this invitation: {title}"
    own = Own((line, details) if invite and details else (line,), request.script.language)
    text, html = PROGRAMS[request.sender.person.program].write(own, None)
    uid = f"{start:%Y%m%dT%H%M}-{request.slots['ticket']}@{host.domain}"
    event = files.calendar("REQUEST" if invite else "REPLY", uid, summary, start, host, guests)
    return _letter(
        request,
        rng,
        own=own,
        text=text,
        html=html,
        subject=f"{'Invitation' if invite else 'Accepted'}: {title}",
        calendar=event,
    )


def _bounce(request: Request, rng: random.Random) -> Letter:
    """A mail server's word that the last email could not be delivered. The report's other parts are added by `mails`."""
    failed = request.parent
    if failed is None:
        raise ValueError("a bounce needs something that bounced")
    address = failed.to[0].address
    lines = (
        "This is the mail system at host mx.acme.example.",
        f"Your message to <{address}> could not be delivered: the domain {failed.to[0].domain} was not found.",
    )
    own = Own(lines, "en")
    text, _ = PROGRAMS["plain"].write(own, None)
    headers = (("Auto-Submitted", "auto-replied"), ("X-Failed-Recipients", address))
    return _letter(request, rng, own=own, text=text, subject="Undelivered Mail Returned to Sender", headers=headers)


def _bcc(request: Request, rng: random.Random) -> tuple[Party, ...]:
    """Now and then a user lets another one know without the customer seeing it."""
    silent = request.parties.get("us2")
    if request.turn.by != "us" or silent is None or "them" not in request.to or rng.random() > _BCC:
        return ()
    return () if "us2" in request.cc else (silent,)


def _mistyped(party: Party) -> Party:
    """Two letters of the domain in the wrong order."""
    local, _, domain = party.address.partition("@")
    return Party(party.person, f"{local}@{domain[:2]}{domain[3]}{domain[2]}{domain[4:]}")


def _list_headers(request: Request) -> tuple[tuple[str, str], ...]:
    if "list" not in request.parties:
        return _bulk_headers(request)
    name, _, host = request.parties["list"].address.partition("@")
    page = f"https://{host}/{name}"
    return (
        ("Precedence", "list"),
        ("List-Id", f"{name} <{name}.{host}>"),
        ("List-Post", f"<mailto:{name}@{host}>"),
        ("List-Unsubscribe", f"<{page}/leave>"),
    )


def _bulk_headers(request: Request) -> tuple[tuple[str, str], ...]:
    if request.sender.person.program not in ("notice", "newsletter"):
        return ()
    marked = (("Auto-Submitted", "auto-generated"),)
    if request.sender.person.program == "notice":
        return marked
    address = f"unsubscribe@{request.sender.domain}"
    return (
        *marked,
        ("Precedence", "bulk"),
        ("List-Unsubscribe", f"<mailto:{address}>, <https://{request.sender.domain}/unsubscribe>"),
    )


def _list_footer(address: Party) -> str:
    name, _, host = address.address.partition("@")
    return f"{'_' * 47}\n{name} mailing list -- {address.address}\nTo leave it: https://{host}/{name}/leave"
