"""How names are ordered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.store.sorting import sort_key


@pytest.mark.parametrize(
    ("name", "key"),
    [("Émile  Dubois ", "emile dubois"), ("STRASSE", "strasse"), ("Straße", "strasse"), ("İpek", "ipek")],
)
def test_case_and_accents_do_not_count(name: str, key: str) -> None:
    assert sort_key(name) == key


@given(st.text())
def test_any_name_has_a_key_and_the_key_is_its_own(name: str) -> None:
    assert sort_key(sort_key(name)) == sort_key(name)
