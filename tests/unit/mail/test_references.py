"""Message-IDs: one's own, and those that are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import references


@pytest.mark.parametrize(
    ("value", "own"),
    [
        (b" <abc@x.example>", "abc@x.example"),
        (b"abc@x.example", "abc@x.example"),
        (b"<<abc@x.example>>", "abc@x.example"),
        (b"<abc@\r\n x.example> (comment)", "abc@x.example"),
        (b"<no-domain>", "no-domain"),
        (b"<>", None),
        (b"", None),
    ],
)
def test_the_own_id(value: bytes, own: str | None) -> None:
    assert references.own_id(value) == own


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (b"<a@x.example> <b@x.example>\r\n\t<a@x.example>", ("a@x.example", "b@x.example")),
        (b"<a@x.example><b@x.example>", ("a@x.example", "b@x.example")),
        (b"a@x.example, b@x.example", ("a@x.example", "b@x.example")),
        (b'Your message of "Mon, 2 Sep 2002". <a@x.example>', ("a@x.example",)),
        (b"no ids here", ()),
        (b"<>", ()),
    ],
)
def test_ids_that_are_named(value: bytes, named: tuple[str, ...]) -> None:
    assert references.ids([value]) == named


def test_an_address_of_the_mail_is_no_id() -> None:
    value = b"Your message of Monday from Joe <Joe@x.example> <a@x.example>"
    assert references.ids([value], ["joe@x.example"]) == ("a@x.example",)


def test_of_too_many_the_root_and_the_nearest_stay() -> None:
    value = b"".join(b"<%d@x.example>" % number for number in range(references.MOST * 2))
    found = references.ids([value])
    assert len(found) == references.MOST
    assert found[0] == "0@x.example"
    assert found[-1] == f"{references.MOST * 2 - 1}@x.example"


def test_case_does_not_tell_ids_apart() -> None:
    assert references.key("ABC@X.Example") == references.key("abc@x.example")


@given(st.binary())
def test_any_value_names_ids_without_brackets_and_space(value: bytes) -> None:
    for one in (*references.ids([value]), references.own_id(value) or "x"):
        assert one
        assert not set(one) & set("<> \t\r\n")
