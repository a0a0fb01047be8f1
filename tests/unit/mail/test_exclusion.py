"""What people type on an exclusion list, and whom an entry covers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail.addresses import domain_of, domains_above, normalise
from flowcrm.mail.exclusion import ListedKind, ListEntry, read_entry

DOMAINS = st.lists(st.sampled_from(["a", "b", "mail", "x-y", "example", "co"]), min_size=2, max_size=6).map(".".join)


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("carla@nordlicht.example", "address", "carla@nordlicht.example"),
        (" <Carla@Nordlicht.EXAMPLE> ", "address", "carla@nordlicht.example"),
        ("carla+news@nordlicht.example", "address", "carla+news@nordlicht.example"),
        ("nordlicht.example", "domain", "nordlicht.example"),
        ("@Nordlicht.Example", "domain", "nordlicht.example"),
        ("*@nordlicht.example", "domain", "nordlicht.example"),
        ("*.nordlicht.example", "domain", "nordlicht.example"),
        ("bücher.example", "domain", "xn--bcher-kva.example"),
        ("info@BÜCHER.example", "address", "info@xn--bcher-kva.example"),
        ("nordlicht.example.", "domain", "nordlicht.example"),
    ],
)
def test_addresses_and_domains_are_told_apart_and_brought_into_one_form(typed: str, kind: str, value: str) -> None:
    assert read_entry(typed) == ListEntry(ListedKind(kind), value)


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "com", "@com", "*@com", "carla@", "@", "*", "*@*", "*@*.example", "car*@nordlicht.example", "a b@c.example"),
        *("nord licht.example", "a@b@c.example", "carla@localhost", "http://nordlicht.example", "nordlicht..example", "*.@x.y"),
        *("x.example, y.example", "Carla <carla@nordlicht.example>", f"{'a' * 300}.example", "a@[127.0.0.1]", "-x.example"),
    ],
)
def test_anything_else_is_refused(typed: str) -> None:
    assert read_entry(typed) is None


def test_international_names_are_shown_by_their_letters() -> None:
    shown = [entry.shown for one in ("info@BÜCHER.example", "bücher.example", "x.example") if (entry := read_entry(one))]
    assert shown == ["info@bücher.example", "bücher.example", "x.example"]


@given(st.text(max_size=40))
def test_any_text_has_an_answer_that_reads_as_itself(typed: str) -> None:
    entry = read_entry(typed)
    if entry is not None:
        assert read_entry(entry.value) == entry
        address = entry.value if entry.kind is ListedKind.ADDRESS else f"x@{entry.value}"
        assert entry.covers(normalise(address))


@given(DOMAINS, DOMAINS)
def test_a_domain_covers_itself_and_what_lies_below_it_and_nothing_else(one: str, other: str) -> None:
    entry = ListEntry(ListedKind.DOMAIN, one)
    expected = other.split(".")[-len(one.split(".")) :] == one.split(".")
    assert entry.covers(f"x@{other}") is expected
    # The same by what is hashed of a mail.
    assert (one in (other, *domains_above(other))) is expected


def test_a_domain_of_nothing_but_dots_costs_no_more_than_another() -> None:
    assert len(domains_above(".".join("a" * 120))) < 10
    assert domains_above("example") == domains_above("") == ()
    assert domain_of("no address") == ""


def test_hosts_of_everybodys_mail_are_known() -> None:
    assert all((entry := read_entry(one)) and entry.is_free_mail for one in ("gmail.com", "*@GMX.de"))
    assert not any((entry := read_entry(one)) and entry.is_free_mail for one in ("anna@gmail.com", "nordlicht.example"))
