"""Who plays in which script: spreads the scripts evenly and gives nobody the same one twice while others are left."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from flowcrm.ops.demo.letters import Party
from flowcrm.ops.demo.people import Cast, Company, Contact, Person, User
from flowcrm.ops.demo.scripts import Script
from flowcrm.ops.demo.threads import Conversation, begin

_FOREIGN = 0.65
_SECOND_ADDRESS = 0.2
_ALIAS = 0.18
_LIST_HOST = "lists.depot-forum.example"


class Casting:
    """Makes conversations. It remembers what it has made, so that the next one is something else.

    key: the seed of all chance, and the beginning of every conversation's key.
    """

    def __init__(self, cast: Cast, scripts: Sequence[Script], key: str) -> None:
        self._cast = cast
        self._scripts = scripts
        self._key = key
        self._count = 0
        self._used: Counter[str] = Counter()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._rng = random.Random(f"{key}/casting")

    def with_contact(self, contact: Contact, start: datetime, now: datetime) -> Conversation:
        """A conversation with somebody on file that suits what the company was to Acme at that time."""
        audience = _relation(contact.company, (now - start).days)
        fitting = [script for script in self._scripts if audience in script.audience and self._suits(script, contact)]
        # Own languages have fewer scripts: what the company has seen twice is not played there a third time, but in English.
        foreign = contact.language != "en" and self._rng.random() < _FOREIGN
        local = [script for script in fitting if script.language == contact.language and not self._worn(script, contact)]
        english = [script for script in fitting if script.language == "en"]
        return self.play(self._least_used(local if foreign and local else english, contact), contact, start)

    def play(self, script: Script, contact: Contact, start: datetime) -> Conversation:
        """A conversation with somebody on file that follows a certain script."""
        parties = {"them": self._at_work(contact)}
        if colleagues := self._cast.colleagues(contact):
            second = self._rng.choice([other for other in colleagues if script.topic in other.topics] or colleagues)
            parties["them2"] = Party(second, second.address, second.company)
        return self._begin(script, parties, start, contact.company)

    def audience(self, audience: str, start: datetime) -> Conversation:
        """A conversation without contacts: team, stranger, newsletter, notice or spam."""
        fitting = [script for script in self._scripts if audience in script.audience]
        script = self._least_used(fitting, None)
        company = self._rng.choice(self._cast.customers)
        return self._begin(script, self._outsiders(script), start, company)

    def _suits(self, script: Script, contact: Contact) -> bool:
        """Is it the contact's business, and is there a second person where one is needed?"""
        return script.topic in contact.topics and ("them2" not in _roles(script) or bool(self._cast.colleagues(contact)))

    def _worn(self, script: Script, contact: Contact) -> bool:
        return self._seen[script.key, contact.address] > 0 or self._seen[script.key, contact.company.domain] > 1

    def _least_used(self, scripts: Iterable[Script], contact: Contact | None) -> Script:
        def rank(script: Script) -> tuple[int, int, float, float]:
            person, firm = (contact.address, contact.company.domain) if contact else ("", "")
            seen = self._seen[script.key, person]
            # A newsletter with more issues may come more often.
            often = self._used[script.key] / max(1, len(script.rows) if script.sender else 1)
            return seen, self._seen[script.key, firm], often, self._rng.random()

        script = min(scripts, key=rank)
        self._used[script.key] += 1
        if contact:
            self._seen.update([(script.key, contact.address), (script.key, contact.company.domain)])
        return script

    def _begin(self, script: Script, parties: dict[str, Party], start: datetime, company: Company) -> Conversation:
        self._count += 1
        parties |= self._ours(script, company)
        sites = company.sites_in(script.language)
        site, *other_sites = self._rng.sample(sites, k=len(sites))
        others = [other for other in self._cast.customers if other is not company]
        slots = {
            "company": company.named(script.language),
            "other": self._rng.choice(others).name,
            "site": site,
            "site2": other_sites[0] if other_sites else site,
        }
        if script.sender and script.rows:
            # Issues come one after the other, not by chance.
            slots |= script.rows[self._used[script.key] % len(script.rows)]
        return begin(f"{self._key}/{self._count}", script, parties, start, slots)

    def _ours(self, script: Script, company: Company) -> dict[str, Party]:
        able = [user for user in self._cast.users if script.language in user.languages]
        desk = [user for user in able if user.key in script.desk] or able
        owner = [user for user in desk if user.key == company.owner and "team" not in script.audience]
        us = owner[0] if owner and not script.sender else self._rng.choice(desk)
        rest = [user for user in self._cast.users if user is not us]
        self._rng.shuffle(rest)
        alias = "team" not in script.audience and self._rng.random() < _ALIAS
        parties = {"us": self._own(us, self._rng.choice(us.aliases) if alias else us.address)}
        parties |= {f"us{number}": self._own(user, user.address) for number, user in enumerate(rest, start=2)}
        parties["mate"] = self._own(self._mate(script))
        parties["daemon"] = _daemon(us)
        return parties

    def _mate(self, script: Script) -> Person:
        """Who helps without a sign-in: accounts where it is about money or paper, else dispatch."""
        dispatch, accounts = self._cast.mates
        office = script.topic == "money" or "admin" in script.desk
        return accounts if office and "team" not in script.audience else dispatch

    def _own(self, person: Person, address: str = "") -> Party:
        return Party(person, address or person.address, self._cast.company)

    def _at_work(self, contact: Contact) -> Party:
        """Mostly the first address; a thread now and then comes from the other one."""
        other = len(contact.addresses) > 1 and self._rng.random() < _SECOND_ADDRESS
        return Party(contact, contact.addresses[1 if other else 0], contact.company)

    def _outsiders(self, script: Script) -> dict[str, Party]:
        if script.sender:
            source, zone = script.sender, self._cast.users[0].zone
            call = source.name if "stranger" in script.audience else ""
            machine = Person(name=source.name, call=call, addresses=(source.address,), program=source.program, zone=zone)
            return {"them": Party(machine, machine.address)}
        people = self._rng.sample(self._cast.strangers, k=3)
        parties = {role: Party(person, person.address) for role, person in zip(("them", "them2", "them3"), people, strict=True)}
        if script.list:
            reader = Person(name=script.list, call="all", addresses=(f"{script.list}@{_LIST_HOST}",), zone=people[0].zone)
            parties["list"] = Party(reader, reader.address)
        return parties


def _daemon(user: User) -> Party:
    address = "mailer-daemon@mx.acme.example"
    return Party(Person(name="Mail Delivery System", call="", addresses=(address,), program="plain", zone=user.zone), address)


def _relation(company: Company, age: int) -> str:
    if company.supplier:
        return "supplier"
    return "customer" if company.won is not None and age < company.won else "prospect"


def _roles(script: Script) -> set[str]:
    return {role for turn in script.turns for role in (turn.by, *turn.to, *turn.cc)}
