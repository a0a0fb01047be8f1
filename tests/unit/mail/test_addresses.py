"""Who stands in an address header, and the one form of an address."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowcrm.mail import addresses
from flowcrm.mail.types import Address


def _pairs(value: bytes) -> list[tuple[str, str]]:
    return [(one.name, one.email) for one in addresses.parse(value)]


@pytest.mark.parametrize(
    ("value", "people"),
    [
        (b"joe@x.example", [("", "joe@x.example")]),
        (b"Joe <Joe@X.Example>", [("Joe", "joe@x.example")]),
        (
            b'"Doe, John" <j@x.example>, mary@x.example (Mary "q" S)',
            [("Doe, John", "j@x.example"), ('Mary "q" S', "mary@x.example")],
        ),
        (b"a@b.example ((Name))", [("(Name)", "a@b.example")]),
        (
            b"A Group: a@b.example, X <d@e.example>;, f@x.example",
            [("", "a@b.example"), ("X", "d@e.example"), ("", "f@x.example")],
        ),
        (b"undisclosed-recipients:;", []),
        (b"<undisclosed-recipients:@x.example;>", [("undisclosed-recipients:@x.example;", "")]),
        (b"<@a.example,@b.example:joe@x.example>", [("", "joe@x.example")]),
        (b'"a b"@x.example', [("", '"a b"@x.example')]),
        (b"joe @ x . example", [("", "joe@x.example")]),
        (b"Pete(A nice \\) chap) <pete(his)@x.example(host)>", [("Pete", "pete@x.example")]),
        (b"'Joe' <'joe@x.example'>", [("Joe", "joe@x.example")]),
        (b"joe@x.example <joe@x.example>", [("", "joe@x.example")]),
        (b"a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        (b"Doe, John <j@x.example>", [("Doe, John", "j@x.example")]),
        (b'"A" <a@x.example>"B" <b@x.example>', [("A", "a@x.example"), ("B", "b@x.example")]),
        (b"<<a@x.example>>", [("", "a@x.example")]),
        (b"Joe <joe@x.example", [("Joe", "joe@x.example")]),
        (b'"never closed <a@x.example>', [("never closed", "a@x.example")]),
        (b"mailto:a@x.example", [("", "a@x.example")]),
        (b"a@[192.0.2.1], b@[IPv6:::1]", [("", "a@[192.0.2.1]"), ("", "b@[ipv6:::1]")]),
        (b"MAILER-DAEMON", [("MAILER-DAEMON", "")]),
        (b"John Q. Public", [("John Q. Public", "")]),
        ("Jörg <j@müller.example>".encode(), [("Jörg", "j@xn--mller-kva.example")]),
        ("Jörg <j@x.example>".encode("latin-1"), [("Jörg", "j@x.example")]),
        (b"=?utf-8?Q?J=C3=B6rg?= =?utf-8?q?_M?= <j@x.example>", [("Jörg M", "j@x.example")]),
        (b'"=?utf-8?B?w6k=?=" <a@x.example>', [("é", "a@x.example")]),
        (b"a@x.example,\r\n\t,b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        (b",,;;", []),
        (b"", []),
    ],
)
def test_people_of_a_header(value: bytes, people: list[tuple[str, str]]) -> None:
    assert _pairs(value) == people


def test_nothing_in_an_encoded_name_becomes_an_address() -> None:
    value = b"=?utf-8?q?boss=40acme.example=2C_=3Cboss=40acme.example=3E?= <evil@x.example>"
    assert _pairs(value) == [("boss@acme.example, <boss@acme.example>", "evil@x.example")]


def test_a_header_that_is_one_encoded_word_names_nobody() -> None:
    assert _pairs(b"=?utf-8?q?Joe_=3Cjoe=40x.example=3E?=") == [("Joe <joe@x.example>", "")]


def test_names_cannot_turn_the_direction_of_reading() -> None:
    assert _pairs(b"=?utf-8?q?gro=E2=80=AEmoc?= <a@x.example>") == [("gromoc", "a@x.example")]


def test_a_header_of_a_million_people_is_cut() -> None:
    assert len(addresses.parse(b"a@x.example," * 50_000)) == addresses.MOST


@pytest.mark.parametrize(
    "value", [b'\\"' * 100_000, b"(" * 100_000, b"<" * 100_000, b'"' * 100_000, b"a@" * 100_000, b"(a) " * 50_000]
)
def test_hostile_headers_are_read_in_bounded_time(value: bytes) -> None:
    addresses.parse(value)


@pytest.mark.parametrize(
    ("email", "normal"),
    [
        ("Joe@X.Example", "joe@x.example"),
        (" <joe@x.example> ", "joe@x.example"),
        ("joe@x.example.", "joe@x.example"),
        ("joe@MÜLLER.example", "joe@xn--mller-kva.example"),
        ("joe@XN--MLLER-KVA.example", "joe@xn--mller-kva.example"),
        ("jo\u0308rg@x.example", "j\u00f6rg@x.example"),
        ("straße@faß.example", "strasse@xn--fa-hia.example"),
        ('"joe"@x.example', "joe@x.example"),
        ('"joe s"@x.example', '"joe s"@x.example'),
        ("joe+tag@x.example", "joe+tag@x.example"),
        ("root", "root"),
    ],
)
def test_one_form_of_an_address(email: str, normal: str) -> None:
    assert addresses.normalise(email) == normal


@given(st.text())
@example("a@b>.")
@example("<@ \u0130.")
def test_normalising_twice_changes_nothing(email: str) -> None:
    once = addresses.normalise(email)
    assert addresses.normalise(once) == once


@given(st.binary())
def test_any_header_names_people_whose_addresses_are_normal(value: bytes) -> None:
    for person in addresses.parse(value):
        assert person.email == addresses.normalise(person.email)
        assert person.email == "" or addresses.domain_of(person.email)


_LOCAL = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
_NAME = st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"]), max_size=12).map(str.strip)


@given(st.lists(st.tuples(_NAME, _LOCAL), min_size=1, max_size=6))
def test_what_is_written_is_read(people: list[tuple[str, str]]) -> None:
    written = ", ".join(f'"{name}" <{local}@x.example>' for name, local in people)
    assert addresses.parse(written.encode()) == tuple(
        Address(" ".join(name.split()), f"{local}@x.example") for name, local in people
    )
