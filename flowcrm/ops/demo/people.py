"""Who lives in the demo: three users, their colleagues, twelve companies with forty contacts, and people nobody knows."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

_FILE = Path(__file__).with_name("people.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who writes or receives emails.

    call, calls: how others address the person, in general and in some languages ("Frau Groß"); signs: the name under an email.
    program: the mail program (see `programs.PROGRAMS`). charset: what that program prefers to write in.
    """

    name: str
    call: str
    addresses: tuple[str, ...]
    title: str = ""
    language: str = "en"
    program: str = "gmail"
    charset: str = "utf-8"
    phone: str = ""
    zone: ZoneInfo
    calls: Mapping[str, str] = field(default_factory=dict, hash=False)
    signs: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def address(self) -> str:
        return self.addresses[0]

    def called(self, language: str) -> str:
        return self.calls.get(language, self.call)

    def signed(self, language: str) -> str:
        return self.signs.get(language, self.call)


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Person):
    """A person with a sign-in and a mailbox. key: admin, sales or colleague. aliases: further addresses it sends as."""

    key: str
    role: str
    aliases: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company on file. won: days since it became a customer, None while it is only interested. owner: a user's key."""

    name: str
    domain: str
    owner: str
    sites: tuple[str, ...]
    language: str
    supplier: bool = False
    won: int | None = None
    footer: str = ""
    logo: bool = False
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    local_sites: tuple[str, ...] = ()

    def named(self, language: str) -> str:
        return self.names.get(language, self.name)

    def sites_in(self, language: str) -> tuple[str, ...]:
        return self.local_sites if self.local_sites and language == self.language else self.sites


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Person):
    """A person on file at a company. busy: how often, compared with others, the person writes. topics: see `scripts.Script`."""

    company: Company
    busy: int
    topics: tuple[str, ...] = ("general", "technical")


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody. mates: colleagues without a sign-in; strangers: people who are not on file."""

    account: str
    company: Company
    users: tuple[User, ...]
    mates: tuple[Person, ...]
    companies: tuple[Company, ...]
    contacts: tuple[Contact, ...]
    strangers: tuple[Person, ...]

    @property
    def customers(self) -> tuple[Company, ...]:
        """Those that buy from Acme, or may one day."""
        return tuple(company for company in self.companies if not company.supplier)

    def colleagues(self, contact: Contact) -> tuple[Contact, ...]:
        return tuple(
            other for other in self.contacts if other.company.domain == contact.company.domain and other is not contact
        )

    def mailbox(self, address: str) -> str | None:
        """The mailbox that an address delivers to, None when it is nobody's here."""
        return next((user.address for user in self.users if address in user.addresses + user.aliases), None)


@cache
def load() -> Cast:
    """The people of people.toml."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    home = ZoneInfo(data["zone"])
    own = Company(name=data["account"], domain=data["domain"], owner="", sites=("Aarhus",), language="en")
    companies = tuple(_company(entry) for entry in data["company"])
    return Cast(
        account=data["account"],
        company=own,
        users=tuple(User(**_tuples(entry), zone=home) for entry in data["user"]),
        mates=tuple(Person(**_tuples(entry), zone=home) for entry in data["mate"]),
        companies=companies,
        contacts=tuple(_contacts(data["company"], companies)),
        strangers=tuple(Person(**_tuples(entry), zone=home) for entry in data["stranger"]),
    )


def _company(entry: dict[str, Any]) -> Company:
    return Company(**_tuples({key: value for key, value in entry.items() if key not in ("contact", "zone")}))


def _contacts(entries: list[dict[str, Any]], companies: tuple[Company, ...]) -> Iterable[Contact]:
    for entry, company in zip(entries, companies, strict=True):
        for contact in entry["contact"]:
            defaults = {"language": company.language, "zone": ZoneInfo(entry["zone"])}
            yield Contact(**{**defaults, **_tuples(contact)}, company=company)


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
