"""vault.tokens, through the vault: words become numbers that match where they should and nowhere else."""

import hashlib
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from flowcrm.vault.seal import WorkspaceVault
from flowcrm.vault.tokens import Tokeniser

WORDS = st.lists(st.text(st.characters(exclude_categories=())), max_size=20)


@given(words=WORDS)
def test_many_words_have_the_tokens_that_each_has_alone_in_their_order(vault: WorkspaceVault, words: list[str]) -> None:
    assert vault.tokens("body", words) == [vault.token("body", word) for word in words]


@given(words=WORDS)
def test_tokens_are_signed_64_bit_numbers(vault: WorkspaceVault, words: list[str]) -> None:
    assert all(-(2**63) <= token < 2**63 for token in vault.tokens("body", words))


def test_both_signs_occur(vault: WorkspaceVault) -> None:
    assert {token < 0 for token in vault.tokens("body", map(str, range(100)))} == {True, False}


def test_any_iterable_of_words_is_taken(vault: WorkspaceVault) -> None:
    assert vault.tokens("body", iter(["offer", "price"])) == vault.tokens("body", ("offer", "price"))
    assert vault.tokens("body", []) == []


@given(classes=st.tuples(st.text(max_size=40), st.text(max_size=40)))
def test_each_class_has_its_own_tokens_however_long_its_name(vault: WorkspaceVault, classes: tuple[str, str]) -> None:
    one, other = classes
    assert (vault.token(one, "offer") == vault.token(other, "offer")) == (one == other)


def test_each_workspace_has_its_own_tokens(vault: WorkspaceVault, other_vault: WorkspaceVault) -> None:
    assert vault.token("body", "offer") != other_vault.token("body", "offer")


def test_a_token_is_keyed_blake2b_so_that_an_index_can_be_rebuilt_by_other_means() -> None:
    key = bytes(range(Tokeniser.KEY_BYTES))
    person = hashlib.blake2b(b"body", digest_size=16).digest()
    expected = hashlib.blake2b(b"offer", key=key, digest_size=8, person=person).digest()
    assert Tokeniser(key).tokens("body", ["offer"]) == [int.from_bytes(expected, "big", signed=True)]


@given(rounds=st.lists(WORDS, max_size=5))
def test_a_vault_that_remembers_gives_the_same_tokens(vault: WorkspaceVault, rounds: list[list[str]]) -> None:
    remembering = vault.remembering()
    for words in rounds:
        assert remembering.tokens("body", words) == vault.tokens("body", words)
        assert remembering.tokens("subject", words) == vault.tokens("subject", words)


def test_what_is_remembered_is_bounded_and_stays_right_when_it_is_forgotten(vault: WorkspaceVault) -> None:
    words, often = [str(number) for number in range(400_000)], ["offer", "price"]
    expected, remembering = vault.tokens("body", words), vault.remembering()
    tracemalloc.start()
    try:
        for start in range(0, len(words), 1_000):
            page = slice(start, start + 1_000)
            assert remembering.tokens("body", [*words[page], *often])[:-2] == expected[page]
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 20 * 2**20
    assert remembering.tokens("body", [*often, *words[:10]]) == vault.tokens("body", [*often, *words[:10]])
