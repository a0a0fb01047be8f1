"""vault.binding: different lists of parts never give the same bytes."""

from hypothesis import given
from hypothesis import strategies as st

from flowcrm.vault.binding import bind, decode, encode

ANY_TEXT = st.text(st.characters(exclude_categories=()))
PARTS = st.lists(st.binary(max_size=12) | ANY_TEXT, max_size=4)


@given(one=PARTS, other=PARTS)
def test_two_lists_of_parts_are_bound_alike_only_if_they_mean_the_same_bytes(
    one: list[bytes | str], other: list[bytes | str]
) -> None:
    def raw(parts: list[bytes | str]) -> list[bytes]:
        return [part if isinstance(part, bytes) else encode(part) for part in parts]

    assert (bind(*one) == bind(*other)) == (raw(one) == raw(other))


def test_moving_a_letter_to_the_next_part_changes_the_bytes() -> None:
    assert bind("head", "er") != bind("heade", "r")
    assert bind("head") != bind("head", "")


@given(one=st.integers(-(2**63), 2**63 - 1), other=st.integers(-(2**63), 2**63 - 1))
def test_every_64_bit_id_has_its_own_bytes(one: int, other: int) -> None:
    assert (bind(one) == bind(other)) == (one == other)


@given(text=ANY_TEXT)
def test_any_text_survives_even_with_lone_surrogates(text: str) -> None:
    assert decode(encode(text)) == text
